"""Who the client says that it is: what is fixed, and a token in a file that somebody else renews."""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from runner.kubernetes.errors import ConfigError

TOKEN_FILE_SECONDS = 60.0
"""Age at which a token file is read again: the kubelet renews a token when a fifth of its life, minutes, is left."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What is shown to the cluster."""

    token: str | None = field(default=None, repr=False)
    """Bearer token."""
    certificate: str | None = field(default=None, repr=False)
    """Client certificate with its chain, as PEM."""
    key: str | None = field(default=None, repr=False)
    """Its private key, as PEM."""

    def __post_init__(self) -> None:
        if self.token and not (self.token.isascii() and self.token.isprintable() and " " not in self.token):
            raise ConfigError("The token to log in with has characters that no token can have. Log in again.")


class Credentials(Protocol):
    """A source of identities. Any thread may call it."""

    def current(self) -> Identity:
        """The identity to show now."""

    def renew(self, refused: Identity) -> bool:
        """Look for another identity than the one that was refused; whether there is one."""


class Fixed:
    """An identity that stays as it is."""

    def __init__(self, identity: Identity) -> None:
        self._identity = identity

    def current(self) -> Identity:
        """See `Credentials.current`."""
        return self._identity

    def renew(self, refused: Identity) -> bool:  # noqa: ARG002 it has no other
        """See `Credentials.renew`."""
        return False


class TokenFile:
    """A token in a file that somebody else renews. A token that was read once is kept when the file cannot be read.

    Args:
        path: the file.
        certificate: client certificate to show with it, as PEM.
        key: its private key.
    """

    def __init__(self, path: Path, *, certificate: str | None = None, key: str | None = None) -> None:
        self._path = path
        self._certificate = certificate
        self._key = key
        self._identity: Identity | None = None
        self._read_at = 0.0

    def current(self) -> Identity:
        """See `Credentials.current`.

        Raises:
            ConfigError: the file has never been readable.
        """
        if self._identity is None or time.monotonic() - self._read_at > TOKEN_FILE_SECONDS:
            self._read()
        return self._identity or Identity()

    def renew(self, refused: Identity) -> bool:
        """See `Credentials.renew`."""
        self._read()
        return self.current().token != refused.token

    def _read(self) -> None:
        try:
            token = self._path.read_text().strip()
        except (OSError, ValueError) as error:
            if self._identity is None:
                raise ConfigError(
                    f"The token file {self._path} cannot be read ({error}). Log in again, or correct the path."
                ) from None
        else:
            self._identity = Identity(token=token, certificate=self._certificate, key=self._key)
        self._read_at = time.monotonic()
