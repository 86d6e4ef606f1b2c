"""What can go wrong between this client and a cluster.

UnavailableError
├── ConfigError              no access can be made of the kubeconfig, the service account or the login command
├── Unreachable              no whole answer came: name, network, proxy, TLS, or a server that is down
│   ├── ConnectionLost       the connection broke while a stream was being read
│   └── NotListening         the pod takes no connection at that port
└── ApiError                 the API answered with a failure
    ├── Unauthorized         401, or TLS refused the client certificate
    ├── Forbidden            403
    ├── NotFound             404
    ├── Conflict             409, `AlreadyExists` included
    ├── Expired              410
    ├── Invalid              422
    └── NotStarted           the log of a container that waits to start
"""

# ruff: noqa: N818 they are named after the API's own words
from collections.abc import Mapping

from runner.errors import UnavailableError
from runner.http.errors import Unreachable

TRANSIENT_STATUS = frozenset({429, 502, 503, 504})
TRANSIENT_REASONS = frozenset({"InternalError", "Timeout", "ServerTimeout"})
"""Reasons of a 500 that pass. One without a reason says that the API server met an error that nobody classified."""


class ConfigError(UnavailableError):
    """No access to a cluster can be made of the kubeconfig, the service account or the login command."""


class ConnectionLost(Unreachable):
    """The connection broke while a stream was being read."""


class NotListening(Unreachable):
    """The pod takes no connection at that port: nothing listens there, or its container is not up."""


class ApiError(UnavailableError):
    """The API answered with a failure.

    Args:
        text: two sentences for the user.
        status: the HTTP status.
        reason: the API's word for it, such as `AlreadyExists`; empty when it gave none.
        message: the API's own sentence.
        details: what it is about; see `StatusDetails` in the API reference.
        path: the path that was asked for, without its query.
        retry_after: seconds that the server wants to be left alone.
    """

    def __init__(
        self,
        text: str,
        *,
        status: int,
        reason: str = "",
        message: str = "",
        details: Mapping[str, object] | None = None,
        path: str = "",
        retry_after: float = 0.0,
    ) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.path = path
        self.retry_after = retry_after

    @property
    def transient(self) -> bool:
        """Whether trying again can help by itself."""
        return self.status in TRANSIENT_STATUS or (self.status == 500 and self.reason in TRANSIENT_REASONS)


class Unauthorized(ApiError):
    """The cluster does not accept the credentials."""


class Forbidden(ApiError):
    """The credentials are good, and do not allow this; or quota or admission refuses it."""


class NotFound(ApiError):
    """There is no such thing."""


class Conflict(ApiError):
    """It exists already, or has changed meanwhile; `reason` says which."""


class Expired(ApiError):
    """The resource version or the continue token is too old."""


class Invalid(ApiError):
    """The object breaks a rule of its schema."""


class NotStarted(ApiError):
    """The container waits to start, so that it has no log yet."""
