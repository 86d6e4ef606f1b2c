from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import yaml

from tools.cluster import certificates, components, programs
from tools.paths import GO_PINS

PROGRAMS = Path("/programs")
ALL = components.before_api(PROGRAMS) + components.after_api(PROGRAMS, "penstock-test")


def test_every_component_can_be_recognized_by_its_arguments() -> None:
    assert len({component.name for component in ALL}) == len(ALL) == 8
    assert len({component.arguments for component in ALL}) == len(ALL)
    assert all(component.arguments for component in ALL)


def test_every_file_of_the_keys_that_a_component_names_is_issued(tmp_path: Path) -> None:
    certificates.issue(tmp_path)
    configs = (file.read_text() for file in components.CONFIG.iterdir())
    text = " ".join([*(argument for component in ALL for argument in component.arguments), *configs])
    named = set(re.findall(rf"{components.PKI}/([\w.-]+)", text))
    assert {"ca.crt", "service-account.pub", "kubelet-server.key", "kube-proxy.kubeconfig"} <= named
    assert named <= {file.name for file in tmp_path.iterdir()}


def test_every_configuration_that_a_component_names_is_there() -> None:
    named = [
        argument.partition("=")[2] for component in ALL for argument in component.arguments if "config=" in argument
    ]
    assert len([path for path in named if path.startswith(str(components.CONFIG))]) == 3
    assert all(Path(path).is_file() for path in named if not path.startswith("/run"))


def test_the_network_is_the_same_for_all() -> None:
    network = json.loads((components.CONFIG / "network.conflist").read_text())
    proxy = yaml.safe_load((components.CONFIG / "kube-proxy.yaml").read_text())
    kubelet = yaml.safe_load((components.CONFIG / "kubelet.yaml").read_text())
    assert network["plugins"][0]["ipam"]["ranges"] == [[{"subnet": proxy["clusterCIDR"]}]]
    assert kubelet["address"] == components.NODE_ADDRESS
    assert proxy["hostnameOverride"] == components.NODE_NAME
    assert f"{components.NODE_ADDRESS}/24" in (components.CONFIG / "node.sh").read_text()


def test_containerd_and_the_kubelet_agree() -> None:
    containerd = tomllib.loads((components.CONFIG / "containerd.toml").read_text())
    kubelet = yaml.safe_load((components.CONFIG / "kubelet.yaml").read_text())
    cri = containerd["plugins"]["io.containerd.grpc.v1.cri"]
    assert kubelet["containerRuntimeEndpoint"] == f"unix://{containerd['grpc']['address']}"
    assert cri["sandbox_image"] == programs.PAUSE_IMAGE
    assert kubelet["cgroupDriver"] == "cgroupfs"
    assert cri["containerd"]["runtimes"]["runc"]["options"]["SystemdCgroup"] is False


def test_the_versions_are_those_of_the_pinned_modules() -> None:
    kubernetes = (GO_PINS / "kubernetes" / "go.mod").read_text()
    assert f"require k8s.io/kubernetes v{programs.KUBERNETES_VERSION}\n" in kubernetes
    assert f"gitVersion=v{programs.KUBERNETES_VERSION}" in programs.KUBERNETES.link
    assert f"go.etcd.io/etcd/server/v3 v{programs.ETCD_VERSION} " in (GO_PINS / "etcd" / "go.mod").read_text()


def test_the_pods_are_below_the_cgroup_of_the_cluster() -> None:
    kubelet = next(component for component in ALL if component.name == "kubelet")
    assert "--cgroup-root=/penstock-test" in kubelet.arguments
