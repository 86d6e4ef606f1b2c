"""What can go wrong between this client and AWS.

UnavailableError
├── ConfigError              there are no credentials, no region, or a profile that cannot be used
├── Unreachable              no whole answer came: name, network, proxy, TLS, or a service that is down
└── ApiError                 AWS answered with a failure
    ├── AccessDenied         the credentials do not allow it
    ├── BadCredentials       they have expired, or are none of AWS' own
    ├── NotFound             there is no such thing
    ├── Conflict             it is there already, or the token was used with another request
    ├── Refused              the request is not one that AWS takes
    └── Throttled            too many requests
"""

# ruff: noqa: N818 they are named after what AWS says

from runner.errors import UnavailableError


class ConfigError(UnavailableError):
    """No access to AWS can be made of what this machine has."""


class ApiError(UnavailableError):
    """AWS answered with a failure.

    Args:
        text: two sentences for the user.
        status: the HTTP status.
        code: AWS' word for it, such as `ThrottlingException`.
        message: AWS' own sentence.
    """

    def __init__(self, text: str, *, status: int, code: str, message: str) -> None:
        super().__init__(text)
        self.status = status
        self.code = code
        self.message = message

    @property
    def transient(self) -> bool:
        """Whether trying again can help by itself."""
        return self.status >= 500 or self.status == 429


class AccessDenied(ApiError):
    """The credentials do not allow it."""


class BadCredentials(ApiError):
    """The credentials have expired, or are none of AWS' own."""


class NotFound(ApiError):
    """There is no such thing."""


class Conflict(ApiError):
    """It is there already, or the token was used with another request."""


class Refused(ApiError):
    """The request is not one that AWS takes."""


class Throttled(ApiError):
    """Too many requests, of this client or of others with the account."""

    @property
    def transient(self) -> bool:
        """Whether trying again can help by itself."""
        return True
