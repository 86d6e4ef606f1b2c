"""TLS contexts from key material that is in memory only."""

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.kubernetes.config import Access
from runner.kubernetes.credentials import Identity
from runner.kubernetes.errors import ConfigError


def context_for(access: Access, identity: Identity) -> ssl.SSLContext | None:
    """A context that trusts what the access trusts, and shows the identity's certificate; null for http://.

    As for kubectl, every certificate in `ca` is trusted by itself, one that is no authority included.

    Raises:
        ConfigError: the certificates or the key cannot be used.
    """
    if not access.server.startswith("https://"):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_alpn_protocols(["http/1.1"])
    if access.insecure:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif access.ca is not None:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(cadata=access.ca)
        except (ssl.SSLError, ValueError) as error:
            raise _unusable(access, "the certificate-authority", error) from None
    else:
        context.load_default_certs()
    if identity.certificate and identity.key:
        try:
            with _file(f"{identity.certificate}\n{identity.key}\n") as path:
                # An empty password, so that a key with one is an error and not a question on the terminal.
                context.load_cert_chain(path, password="")
        except (ssl.SSLError, ValueError) as error:
            raise _unusable(access, "the client certificate with its key", error) from None
    return context


@contextmanager
def _file(text: str) -> Iterator[str]:
    """A path to read the text from, which OpenSSL insists on: of memory where there is such a thing (Linux)."""
    if hasattr(os, "memfd_create"):
        memory = os.memfd_create("key")
        try:
            os.write(memory, text.encode())
            yield f"/proc/self/fd/{memory}"
        finally:
            os.close(memory)
    else:
        import tempfile

        descriptor, path = tempfile.mkstemp()  # of mode 0600
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
            yield path
        finally:
            Path(path).unlink()


def _unusable(access: Access, what: str, error: Exception) -> ConfigError:
    reason = getattr(error, "reason", None) or error
    next_step = "Log in again, or choose another context with --context."
    return ConfigError(f"{access.label} cannot be talked to, since {what} cannot be used ({reason}). {next_step}")
