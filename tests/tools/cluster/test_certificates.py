from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tools.cluster import certificates


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    certificates.issue(folder)
    return folder


def _load(folder: Path, name: str) -> x509.Certificate:
    return x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes())


def test_every_certificate_is_of_the_authority_and_is_no_authority(issued: Path) -> None:
    authority = _load(issued, "ca")
    assert authority.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    for name in (*certificates.SERVERS, *certificates.CLIENTS):
        certificate = _load(issued, name)
        certificate.verify_directly_issued_by(authority)
        with pytest.raises(x509.ExtensionNotFound):
            certificate.extensions.get_extension_for_class(x509.BasicConstraints)


def test_servers_and_clients_are_told_apart(issued: Path) -> None:
    for names, usage in (
        (certificates.SERVERS, ExtendedKeyUsageOID.SERVER_AUTH),
        (certificates.CLIENTS, ExtendedKeyUsageOID.CLIENT_AUTH),
    ):
        for name in names:
            usages = _load(issued, name).extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
            assert list(usages) == [usage]


def test_the_api_server_is_valid_at_the_loopback_address_and_in_pods(issued: Path) -> None:
    extension = _load(issued, "kube-apiserver").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    addresses = {str(address) for address in extension.value.get_values_for_type(x509.IPAddress)}
    assert addresses == {"127.0.0.1", "10.96.0.1", "10.77.0.1"}
    assert "kubernetes.default.svc" in extension.value.get_values_for_type(x509.DNSName)


def test_a_kubeconfig_needs_no_other_file(issued: Path) -> None:
    config = json.loads(certificates.kubeconfig(issued, "admin", "https://127.0.0.1:20001"))
    [cluster], [user], [context] = config["clusters"], config["users"], config["contexts"]
    assert cluster["cluster"]["server"] == "https://127.0.0.1:20001"
    assert base64.b64decode(cluster["cluster"]["certificate-authority-data"]) == (issued / "ca.crt").read_bytes()
    assert base64.b64decode(user["user"]["client-certificate-data"]) == (issued / "admin.crt").read_bytes()
    assert base64.b64decode(user["user"]["client-key-data"]) == (issued / "admin.key").read_bytes()
    assert context["context"] == {"cluster": cluster["name"], "user": user["name"]}
    assert config["current-context"] == context["name"]


def test_components_have_kubeconfigs_of_their_own(issued: Path) -> None:
    kubelet = json.loads((issued / "kubelet.kubeconfig").read_text())
    certificate = base64.b64decode(kubelet["users"][0]["user"]["client-certificate-data"])
    subject = x509.load_pem_x509_certificate(certificate).subject.rfc4514_string()
    assert subject == "CN=system:node:node1,O=system:nodes"
