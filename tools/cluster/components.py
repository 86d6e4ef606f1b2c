"""The processes of the node, in the order in which they are started: constant command lines.

Paths below `/run/penstock` are those of the state folder, as `config/node.sh` mounts it in the node.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

CONFIG = Path(__file__).resolve().parent / "config"
DOOR = Path(__file__).resolve().parent / "door.py"
NODE_NAME = "node1"
NODE_ADDRESS = "10.77.0.1"
API_PORT = 6443
SERVICE_ADDRESSES = "10.96.0.0/16"
API_SERVICE_ADDRESS = "10.96.0.1"
ETCD = "http://127.0.0.1:2379"
PKI = "/run/penstock/pki"


@dataclass(frozen=True, kw_only=True)
class Component:
    """A process of the node."""

    name: str
    program: Path | str
    """A path, or a name on PATH."""
    arguments: tuple[str, ...]
    """No two components have the same: this is how a process is recognized."""


def before_api(programs: Path) -> tuple[Component, ...]:
    """Lists what makes the API server answer.

    Args:
        programs: The folder with the programs of Kubernetes and etcd.
    """
    return (
        Component(name="door", program=sys.executable, arguments=("-I", str(DOOR), NODE_ADDRESS, str(API_PORT))),
        Component(
            name="etcd",
            program=programs / "etcd",
            arguments=(
                "--data-dir=/run/penstock/etcd",
                # A machine that crashes takes the node with it: its data are never read again.
                "--unsafe-no-fsync",
                f"--listen-client-urls={ETCD}",
                f"--advertise-client-urls={ETCD}",
                "--listen-peer-urls=http://127.0.0.1:2380",
            ),
        ),
        Component(name="containerd", program="containerd", arguments=(f"--config={CONFIG / 'containerd.toml'}",)),
        Component(
            name="kube-apiserver",
            program=programs / "kube-apiserver",
            arguments=(
                f"--etcd-servers={ETCD}",
                f"--bind-address={NODE_ADDRESS}",
                f"--advertise-address={NODE_ADDRESS}",
                f"--secure-port={API_PORT}",
                f"--service-cluster-ip-range={SERVICE_ADDRESSES}",
                "--authorization-mode=Node,RBAC",
                # PodSecurity, ResourceQuota, LimitRanger and ServiceAccount are on by default.
                "--enable-admission-plugins=NodeRestriction",
                f"--client-ca-file={PKI}/ca.crt",
                f"--tls-cert-file={PKI}/kube-apiserver.crt",
                f"--tls-private-key-file={PKI}/kube-apiserver.key",
                f"--kubelet-certificate-authority={PKI}/ca.crt",
                f"--kubelet-client-certificate={PKI}/kubelet-client.crt",
                f"--kubelet-client-key={PKI}/kubelet-client.key",
                "--kubelet-preferred-address-types=InternalIP",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={PKI}/service-account.pub",
                f"--service-account-signing-key-file={PKI}/service-account.key",
            ),
        ),
    )


def after_api(programs: Path, cgroup: str) -> tuple[Component, ...]:
    """Lists what needs the API server.

    Args:
        programs: The folder with the programs of Kubernetes and etcd.
        cgroup: The cgroup below which all pods are.
    """
    return (
        Component(
            name="kube-controller-manager",
            program=programs / "kube-controller-manager",
            arguments=(
                f"--kubeconfig={PKI}/kube-controller-manager.kubeconfig",
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
                "--use-service-account-credentials=true",
                f"--service-account-private-key-file={PKI}/service-account.key",
                f"--root-ca-file={PKI}/ca.crt",
                f"--cluster-signing-cert-file={PKI}/ca.crt",
                f"--cluster-signing-key-file={PKI}/ca.key",
                "--allocate-node-cidrs=false",
                "--flex-volume-plugin-dir=/var/lib/kubelet/volume-plugins",
                # With the default of 20 it takes 3 s longer until it has started all its controllers.
                "--kube-api-qps=100",
                "--kube-api-burst=200",
            ),
        ),
        Component(
            name="kube-scheduler",
            program=programs / "kube-scheduler",
            arguments=(
                f"--kubeconfig={PKI}/kube-scheduler.kubeconfig",
                "--leader-elect=false",
                "--bind-address=127.0.0.1",
            ),
        ),
        Component(
            name="kubelet",
            program=programs / "kubelet",
            arguments=(
                f"--config={CONFIG / 'kubelet.yaml'}",
                f"--kubeconfig={PKI}/kubelet.kubeconfig",
                f"--hostname-override={NODE_NAME}",
                f"--node-ip={NODE_ADDRESS}",
                f"--cgroup-root=/{cgroup}",
            ),
        ),
        Component(
            name="kube-proxy", program=programs / "kube-proxy", arguments=(f"--config={CONFIG / 'kube-proxy.yaml'}",)
        ),
    )
