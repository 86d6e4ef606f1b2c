"""The keys of one run's cluster: who has them is let in, nobody else is, and no disk sees them."""

import socket
import ssl
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec

from runner.clusters import tls

SECONDS = 5.0
WITHOUT = ssl.create_default_context()
WITHOUT.check_hostname = False
WITHOUT.verify_mode = ssl.CERT_NONE
"""TLS of a client that shows nothing, and believes everything."""


def listening(pem: str, role: str = "scheduler") -> ssl.SSLContext:
    """TLS of a scheduler or worker that is connected to."""
    context: ssl.SSLContext = tls.security(pem).get_listen_args(role)["ssl_context"]
    return context


def connecting(pem: str, role: str = "client") -> ssl.SSLContext:
    """TLS of whoever connects."""
    context: ssl.SSLContext = tls.security(pem).get_connection_args(role)["ssl_context"]
    return context


def greeted(server: ssl.SSLContext, client: ssl.SSLContext) -> bytes | str:
    """What the client hears of the server, or what became of the connection; the server speaks only when it is sure."""
    ours, theirs = socket.socketpair()
    ours.settimeout(SECONDS)
    theirs.settimeout(SECONDS)
    refused: list[str] = []

    def serve() -> None:
        try:
            with server.wrap_socket(theirs, server_side=True) as connection:
                connection.sendall(b"hello")
        except OSError as error:
            refused.append(str(getattr(error, "reason", error)))
            theirs.close()

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        with client.wrap_socket(ours) as connection:
            heard: bytes | str = connection.recv(100)
    except OSError as error:
        heard = str(getattr(error, "reason", error))
    finally:
        ours.close()
        thread.join(SECONDS)
    return refused[0] if refused and not isinstance(heard, str) else heard


@pytest.mark.parametrize("role", ["client", "worker", "scheduler"])
@pytest.mark.parametrize("place", ["scheduler", "worker"])
def test_who_has_the_keys_is_let_in(role: str, place: str) -> None:
    pem = tls.make()

    assert greeted(listening(pem, place), connecting(pem, role)) == b"hello"


@pytest.mark.parametrize("place", ["scheduler", "worker"])
def test_who_has_no_keys_is_not_let_in(place: str) -> None:
    heard = greeted(listening(tls.make(), place), WITHOUT)

    assert heard != b"hello"
    assert "CERTIFICATE" in str(heard)


def test_who_has_other_keys_is_not_let_in() -> None:
    stranger = connecting(tls.make())
    stranger.check_hostname = False
    stranger.verify_mode = ssl.CERT_NONE

    assert greeted(listening(tls.make()), stranger) != b"hello"


def test_a_client_does_not_take_another_for_its_scheduler() -> None:
    heard = greeted(listening(tls.make()), connecting(tls.make()))

    assert heard == "CERTIFICATE_VERIFY_FAILED"


def test_nothing_is_said_in_plain_text() -> None:
    security = tls.security(tls.make())

    assert security.require_encryption is True
    assert connecting(tls.make()).minimum_version >= ssl.TLSVersion.TLSv1_2


def test_the_certificate_is_the_runs_own_and_good_for_clocks_that_are_late() -> None:
    now = datetime.now(UTC)
    one, other = (x509.load_pem_x509_certificate(tls.make().encode()) for _ in range(2))

    assert one.not_valid_before_utc <= now - timedelta(minutes=59)
    assert one.not_valid_after_utc >= now + timedelta(days=3000)
    assert isinstance(one.public_key(), ec.EllipticCurvePublicKey)
    assert one.public_key() != other.public_key()
    assert one.serial_number != other.serial_number


def test_the_authority_is_the_runs_own_and_members_cannot_sign_others() -> None:
    authority, own = tls.parts(tls.make())
    (root,), (member,) = (x509.load_pem_x509_certificates(text.encode()) for text in (authority, own))

    member.verify_directly_issued_by(root)
    assert root.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is True
    assert member.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    assert root.public_key() != member.public_key()
    assert "PRIVATE KEY" not in authority
    assert own.count("PRIVATE KEY") == 2


PROGRAM = """
import os, sys, tempfile
import distributed, ssl
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from runner.clusters import tls

written = []

def note(event, arguments):
    if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT):
        written.append(arguments[0])

sys.addaudithook(note)
security = tls.security(tls.make())
security.get_listen_args("scheduler"), security.get_connection_args("worker"), security.get_connection_args("client")
print(written)
with open(os.devnull, "w"):
    print(written)
"""


def test_nothing_is_written_to_a_disk() -> None:
    done = subprocess.run([sys.executable, "-B", "-c", PROGRAM], capture_output=True, text=True, check=False)

    assert (done.stdout, done.stderr) == ("[]\n['/dev/null']\n", "")


def test_the_keys_can_be_read_as_long_as_the_process_is_there() -> None:
    security: Any = tls.security(pem := tls.make())

    assert greeted(listening(pem), security.get_connection_args("client")["ssl_context"]) == b"hello"
    assert greeted(security.get_listen_args("worker")["ssl_context"], connecting(pem)) == b"hello"
