"""Keys of one run's Dask cluster: made in memory, handed on as text, and never written to a disk.

An authority of the run's own signs one certificate, which the scheduler, the client and every worker have: who has it
takes part in the run, and nobody else does. Each side of a connection demands it of the other. The authority's key is
forgotten at once, so that nobody can ever sign another.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

BACKWARDS = timedelta(hours=1)
"""How long before now it is valid: clocks of machines differ."""
VALID = timedelta(days=3650)
"""Longer than any run; the key is gone with the run in any case."""


def make() -> str:
    """A new key with its certificate and that of its authority, as PEM: an elliptic curve's (P-256), for speed."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = datetime.now(UTC)
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"penstock-{of}")]) for of in ("authority", "run")]
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _ in names)

    def signed(name: x509.Name, public: ec.EllipticCurvePublicKey, constraints: x509.BasicConstraints) -> bytes:
        certificate = (
            x509.CertificateBuilder(subject_name=name, issuer_name=names[0], public_key=public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - BACKWARDS)
            .not_valid_after(now + VALID)
            .add_extension(constraints, critical=True)
            .sign(authority, hashes.SHA256())
        )
        return certificate.public_bytes(serialization.Encoding.PEM)

    own = signed(names[1], key.public_key(), x509.BasicConstraints(ca=False, path_length=None))
    root = signed(names[0], authority.public_key(), x509.BasicConstraints(ca=True, path_length=0))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (own + root + private).decode()


def parts(pem: str) -> tuple[str, str]:
    """What `make` returned, as the certificate of the authority, and the rest without it."""
    certificates, mark, private = pem.partition("-----BEGIN PRIVATE KEY-----")
    own, begin, root = certificates.rpartition("-----BEGIN CERTIFICATE-----")
    return begin + root, own + mark + private


def in_memory(text: str, *, stays: bool = False) -> str:
    """Path of a file that is in this process's memory only, for as long as the process is there.

    OpenSSL reads keys from files only, and `distributed` would write text to one for a moment.

    Args:
        text: what is in the file.
        stays: whether a program has it, too, that takes this process's place.
    """
    descriptor = os.memfd_create("dask-key", 0 if stays else os.MFD_CLOEXEC)
    os.write(descriptor, text.encode())
    return f"/proc/{os.getpid()}/fd/{descriptor}" if stays else f"/proc/self/fd/{descriptor}"


def security(pem: str) -> Any:
    """What `distributed` takes for its connections, of any role.

    Args:
        pem: what `make` returned.
    """
    from distributed import Security

    authority, own = parts(pem)
    path = in_memory(own)
    files = {f"tls_{role}_cert": path for role in ("client", "scheduler", "worker")}
    keys = {f"tls_{role}_key": path for role in ("client", "scheduler", "worker")}
    return Security(tls_ca_file=authority, require_encryption=True, **files, **keys)
