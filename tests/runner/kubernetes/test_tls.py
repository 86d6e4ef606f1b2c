"""Who trusts whom."""

import ssl
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization

from runner.http.errors import Unreachable
from runner.kubernetes.client import Client
from runner.kubernetes.config import Access
from runner.kubernetes.credentials import Fixed, Identity
from runner.kubernetes.errors import ConfigError, Unauthorized
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.certificates import Authority, Pair, server_context
from tests.runner.kubernetes.replies import fine


@pytest.fixture(scope="module")
def authority() -> Authority:
    return Authority()


def _identity(pair: Pair) -> Fixed:
    return Fixed(Identity(certificate=pair.certificate, key=pair.key))


def _ask(server: ApiServer, **access: Any) -> object:
    with Client(Access(**{"server": server.url, "context": "test", **access}), budget_seconds=2) as client:
        return client.get("/x")


def test_a_server_of_the_given_authority_is_trusted_and_no_other(authority: Authority, tmp_path: Path) -> None:
    with ApiServer(fine, tls=server_context(authority.server(), tmp_path)) as server:
        assert _ask(server, ca=authority.certificate) == {"fine": True}
        assert _ask(server, ca=Authority("another").certificate + authority.certificate) == {"fine": True}
        with pytest.raises(Unreachable) as caught:
            _ask(server, ca=Authority().certificate)
        with pytest.raises(Unreachable, match="a certificate that is not trusted"):
            _ask(server)

    assert str(caught.value).startswith(f"The cluster of context test ({server.url}) shows a certificate that is not")
    assert str(caught.value).endswith("in the kubeconfig, or choose another with --context.")
    assert not caught.value.transient
    assert len(server.requests) == 2


def test_a_certificate_that_is_given_itself_is_trusted(authority: Authority, tmp_path: Path) -> None:
    pair = authority.server()
    with ApiServer(fine, tls=server_context(pair, tmp_path)) as server:
        assert _ask(server, ca=pair.certificate) == {"fine": True}


def test_the_name_of_the_server_counts_and_can_be_given(authority: Authority, tmp_path: Path) -> None:
    with ApiServer(fine, tls=server_context(authority.server("kubernetes.example"), tmp_path)) as server:
        assert _ask(server, ca=authority.certificate, tls_server_name="kubernetes.example") == {"fine": True}
        with pytest.raises(Unreachable, match=r"not trusted \(IP address mismatch"):
            _ask(server, ca=authority.certificate)


def test_an_insecure_cluster_is_talked_to_when_the_user_says_so(tmp_path: Path) -> None:
    with ApiServer(fine, tls=server_context(Authority().server("other.example"), tmp_path)) as server:
        assert _ask(server, insecure=True) == {"fine": True}


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_the_client_certificate_is_shown(authority: Authority, version: ssl.TLSVersion, tmp_path: Path) -> None:
    subjects = []

    def reply(exchange: Exchange) -> None:
        certificate = exchange.connection.getpeercert()
        subjects.append(certificate["subject"] if certificate else None)
        fine(exchange)

    tls = server_context(authority.server(), tmp_path, clients=authority)
    tls.maximum_version = version
    with ApiServer(reply, tls=tls) as server:
        _ask(server, ca=authority.certificate, credentials=_identity(authority.client()))

    assert subjects == [((("commonName", "client"),),)]


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(
    ("issuer", "days", "words"), [("test authority", -1, "certificate expired"), ("stranger", 1, "unknown ca")]
)
def test_a_client_certificate_that_is_refused_is_told(
    authority: Authority, issuer: str, days: int, words: str, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    tls = server_context(authority.server(), tmp_path, clients=authority)
    tls.maximum_version = version
    pair = (authority if issuer == "test authority" else Authority(issuer)).client(days=days)
    with ApiServer(fine, tls=tls) as server, pytest.raises(Unauthorized) as caught:
        _ask(server, ca=authority.certificate, credentials=_identity(pair))

    assert str(caught.value) == (
        f"The cluster of context test ({server.url}) does not accept your credentials (TLS alert: {words}). "
        "Log in again, or choose another with --context."
    )


def test_a_missing_client_certificate_is_told(authority: Authority, tmp_path: Path) -> None:
    tls = server_context(authority.server(), tmp_path, clients=authority)
    with ApiServer(fine, tls=tls) as server, pytest.raises(Unauthorized, match=r"\(TLS alert: certificate required\)"):
        _ask(server, ca=authority.certificate)


def test_a_server_without_tls_is_told(authority: Authority) -> None:
    with ApiServer(fine) as server, pytest.raises(Unreachable, match=r"TLS failed \(.*wrong version number.*\)"):
        Client(Access(server=server.url.replace("http:", "https:"), ca=authority.certificate)).get("/x")


def test_keys_are_never_on_a_disk(authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", "/nowhere")
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    with ApiServer(fine, tls=server_context(authority.server(), tmp_path, clients=authority)) as server:
        assert _ask(server, ca=authority.certificate, credentials=_identity(authority.client())) == {"fine": True}


def test_without_memory_files_the_key_file_is_private_and_gone_at_once(
    authority: Authority, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from runner.kubernetes import tls

    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.delattr("os.memfd_create", raising=False)
    monkeypatch.setattr("tempfile.tempdir", str(folder))
    with tls._file("secret") as path:
        assert Path(path).parent == folder
        assert Path(path).stat().st_mode & 0o777 == 0o600
        assert Path(path).read_text() == "secret"
    assert list(folder.iterdir()) == []
    with ApiServer(fine, tls=server_context(authority.server(), tmp_path, clients=authority)) as server:
        assert _ask(server, ca=authority.certificate, credentials=_identity(authority.client())) == {"fine": True}
    assert list(folder.iterdir()) == []


def _encrypted(pair: Pair) -> Pair:
    key = serialization.load_pem_private_key(pair.key.encode(), None)
    how = serialization.BestAvailableEncryption(b"word")
    text = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, how)
    return Pair(certificate=pair.certificate, key=text.decode())


def test_key_material_that_cannot_be_used_is_told(authority: Authority) -> None:
    pair, ca = authority.client(), {"ca": authority.certificate}
    own = "the client certificate with its key"
    for access, what in (
        ({"ca": "no certificate"}, "the certificate-authority"),
        ({"ca": ""}, "the certificate-authority"),
        ({**ca, "credentials": _identity(Pair(certificate="x", key="y"))}, own),
        ({**ca, "credentials": _identity(replace(pair, key=authority.client().key))}, own),
        ({**ca, "credentials": _identity(_encrypted(pair))}, own),
    ):
        with pytest.raises(ConfigError) as caught:
            Client(Access(server="https://127.0.0.1:1", context="test", **access)).get("/x")
        assert f"cannot be talked to, since {what} cannot be used (" in str(caught.value)
        assert str(caught.value).endswith("Log in again, or choose another context with --context.")
