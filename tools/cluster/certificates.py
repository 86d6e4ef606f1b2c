"""The certificates of a node and the kubeconfigs that hold them; made by the `openssl` command."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING

from tools.cluster.components import API_PORT, API_SERVICE_ADDRESS, NODE_ADDRESS, NODE_NAME
from tools.processes import quiet

if TYPE_CHECKING:
    from pathlib import Path

DAYS = 3650
# Without a configuration of its own, openssl would add the extensions of the machine's.
OPENSSL_CONFIG = "[req]\ndistinguished_name = none\n[none]\n"
API_NAMES = (
    *(f"DNS:{name}" for name in ("localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc")),
    *(f"IP:{address}" for address in ("127.0.0.1", API_SERVICE_ADDRESS, NODE_ADDRESS)),
)
SERVERS = {
    "kube-apiserver": API_NAMES,
    "kubelet-server": (f"DNS:{NODE_NAME}", f"IP:{NODE_ADDRESS}"),
}
CLIENTS = {
    "admin": "/O=system:masters/CN=admin",
    "kubelet-client": "/O=system:masters/CN=kube-apiserver",
    "kubelet": f"/O=system:nodes/CN=system:node:{NODE_NAME}",
    "kube-controller-manager": "/CN=system:kube-controller-manager",
    "kube-scheduler": "/CN=system:kube-scheduler",
    "kube-proxy": "/CN=system:kube-proxy",
}
WITH_KUBECONFIG = ("kubelet", "kube-controller-manager", "kube-scheduler", "kube-proxy")


def issue(folder: Path) -> None:
    """Fills a folder with `<name>.crt`, `<name>.key` and `<name>.kubeconfig` for everything that the node runs.

    Args:
        folder: A new folder, which nobody else may read.

    Raises:
        CommandError: `openssl` cannot do it.
    """
    (folder / "openssl.cnf").write_text(OPENSSL_CONFIG)
    _certificate(folder, "ca", "/CN=penstock test cluster", "basicConstraints=critical,CA:TRUE")
    for name, addresses in SERVERS.items():
        extensions = ("extendedKeyUsage=serverAuth", f"subjectAltName={','.join(addresses)}")
        _certificate(folder, name, f"/CN={name}", *extensions, authority=True)
    for name, subject in CLIENTS.items():
        _certificate(folder, name, subject, "extendedKeyUsage=clientAuth", authority=True)
    key = ("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    quiet([*key, "-out", "service-account.key"], cwd=folder)
    quiet(["openssl", "pkey", "-in", "service-account.key", "-pubout", "-out", "service-account.pub"], cwd=folder)
    for name in WITH_KUBECONFIG:
        text = kubeconfig(folder, name, f"https://{NODE_ADDRESS}:{API_PORT}")
        (folder / f"{name}.kubeconfig").write_text(text)


def _certificate(folder: Path, name: str, subject: str, *extensions: str, authority: bool = False) -> None:
    command = ["openssl", "req", "-x509", "-config", "openssl.cnf", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:P-256", "-nodes", "-days", str(DAYS), "-subj", subject]
    command += ["-keyout", f"{name}.key", "-out", f"{name}.crt"]
    command += ["-CA", "ca.crt", "-CAkey", "ca.key"] if authority else []
    for extension in extensions:
        command += ["-addext", extension]
    quiet(command, cwd=folder)


def kubeconfig(folder: Path, user: str, server: str) -> str:
    """Returns a kubeconfig that needs no other file; JSON, which every reader of YAML reads.

    Args:
        folder: Where `issue` has put the certificates.
        user: The name of one of the clients.
        server: The URL of the API server.
    """

    def data(name: str) -> str:
        return base64.b64encode((folder / name).read_bytes()).decode()

    name = "penstock"
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": server, "certificate-authority-data": data("ca.crt")}}],
        "users": [
            {
                "name": user,
                "user": {"client-certificate-data": data(f"{user}.crt"), "client-key-data": data(f"{user}.key")},
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": user}}],
        "current-context": name,
    }
    return json.dumps(config, indent=2) + "\n"
