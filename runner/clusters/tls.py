"""Keys of one run's Dask cluster: made in memory, handed on as text, and never written to a disk.

One certificate is the authority, the scheduler, the client and every worker: who has it takes part in the run, and
nobody else does. Each side of a connection demands it of the other.
"""

import os
from datetime import UTC, datetime, timedelta
from typing import Any

BACKWARDS = timedelta(hours=1)
"""How long before now it is valid: clocks of machines differ."""
VALID = timedelta(days=3650)
"""Longer than any run; the key is gone with the run in any case."""


def make() -> str:
    """A new key with its certificate, as PEM: an elliptic curve's (P-256), which takes a millisecond."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "penstock-run")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject_name=name, issuer_name=name, public_key=key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKWARDS)
        .not_valid_after(now + VALID)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return (certificate.public_bytes(serialization.Encoding.PEM) + private).decode()


def security(pem: str) -> Any:
    """What `distributed` takes for its connections, of any role.

    OpenSSL reads keys from files only, and `distributed` would write text to one for a moment: so this is a file of
    this process's memory, which stays as long as the process.

    Args:
        pem: what `make` returned.
    """
    from distributed import Security

    descriptor = os.memfd_create("dask-key")
    os.write(descriptor, pem.encode())
    path = f"/proc/self/fd/{descriptor}"
    certificate = pem.partition("-----BEGIN PRIVATE KEY-----")[0]
    files = {f"tls_{role}_cert": path for role in ("client", "scheduler", "worker")}
    keys = {f"tls_{role}_key": path for role in ("client", "scheduler", "worker")}
    return Security(tls_ca_file=certificate, require_encryption=True, **files, **keys)
