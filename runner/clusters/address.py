"""A Dask cluster that exists already, at an address."""

from collections.abc import Iterator
from contextlib import contextmanager

from distributed import Client, Security

from runner.environment import TlsFiles
from runner.errors import UnavailableError

CONNECT_SECONDS = 10
"""distributed would try for 30 s; a scheduler that is up answers in milliseconds."""


@contextmanager
def cluster_at(address: str, tls: TlsFiles | None) -> Iterator[Client]:
    """Connect to the scheduler at the address; on leaving, only the connection is closed.

    Raises:
        UnavailableError: nothing answers there, or not with these certificates.
    """
    security = None
    if tls is not None:
        security = Security(
            tls_ca_file=tls.ca_file,
            tls_client_cert=tls.cert_file,
            tls_client_key=tls.key_file,
            require_encryption=True,
        )
    try:
        client = Client(address, security=security, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, ValueError, TypeError) as error:
        reason = str(error.__cause__ or error).strip() or type(error).__name__
        raise UnavailableError(
            f"The Dask scheduler at {address} could not be reached within {CONNECT_SECONDS} s ({reason}). "
            "Check the address, and for tls:// the certificate files, in the environment's executor."
        ) from None
    with client:
        yield client
