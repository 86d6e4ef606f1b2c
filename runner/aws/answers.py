"""Says in two sentences what AWS answered, and which kind of error that is."""

import json
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from runner.aws.access import Access
from runner.aws.errors import AccessDenied, ApiError, BadCredentials, Conflict, NotFound, Refused, Throttled
from runner.http.errors import Unreachable

KINDS: Mapping[type[ApiError], tuple[str, ...]] = {
    AccessDenied: ("AccessDenied", "AccessDeniedException", "UnauthorizedOperation"),
    BadCredentials: (
        *("ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"),
        *("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "InvalidToken"),
        *("InvalidSignatureException", "SignatureDoesNotMatch", "IncompleteSignature", "MissingAuthenticationToken"),
        *("OptInRequired", "AuthFailure", "NotSignedUp"),
    ),
    NotFound: (
        *("ResourceNotFoundException", "ClusterNotFoundException", "ParameterNotFound"),
        *("NoSuchKey", "NoSuchBucket", "NotFound"),
    ),
    Conflict: ("ConflictException", "PreconditionFailed", "ConditionalRequestConflict"),
    Throttled: (
        *("Throttling", "ThrottlingException", "ThrottledException", "RequestThrottled", "RequestThrottledException"),
        *("TooManyRequestsException", "RequestLimitExceeded", "SlowDown", "PriorRequestNotComplete"),
        *("LimitExceededException", "OperationAbortedException"),
    ),
}
"""Codes by kind. Sources: "Common Errors" of each service's API reference, "Error responses" of Amazon S3."""
CLOCK = re.compile(r"Signature (expired|not yet current)|RequestTimeTooSkewed|difference between the request time")
LONGEST_TEXT = 500
LOG_IN = "Log in again (`aws sso login`, or new keys), or choose another profile with --profile."


def error_of(status: int, body: bytes, *, action: str, access: Access) -> ApiError:
    """The error for a failure that AWS reports.

    Args:
        status: the HTTP status.
        body: JSON, or the XML of S3.
        action: what was asked for, such as `ecs:RunTask`.
        access: as whom and where.
    """
    code, message = (" ".join(text.split()) for text in _said(status, body))
    code = code or f"HTTP {status}"
    kind = next((kind for kind, codes in KINDS.items() if code in codes), Refused if status < 500 else ApiError)
    said = message[:LONGEST_TEXT].rstrip(".") or code
    if CLOCK.search(f"{code} {message}"):
        kind = BadCredentials
        text = f"AWS does not take the time of this machine ({said}). Set its clock, for instance with NTP."
    elif kind is AccessDenied:
        text = (
            f"AWS does not allow {action} ({said}). Have it allowed with the environment's submitter policy, an output "
            "of its stack, or choose another profile with --profile."
        )
    elif kind is BadCredentials:
        text = f"AWS does not accept the credentials for {action} ({code}: {said}). {LOG_IN}"
    else:
        step = "Try again later." if kind is Throttled or status >= 500 else "Correct what it names, then try again."
        text = f"AWS refused {action} in {access.region} ({code}: {said}). {step}"
    return kind(text, status=status, code=code, message=message)


def _said(status: int, body: bytes) -> tuple[str, str]:
    """AWS' code and sentence."""
    try:
        value = json.loads(body)
        code = str(value.get("__type") or value.get("code") or value.get("Code") or f"HTTP {status}")
        return code.rpartition("#")[2], str(value.get("message") or value.get("Message") or "")
    except (ValueError, AttributeError, RecursionError):
        text = body.decode(errors="replace")
        parts = [re.search(rf"<{name}>(.*?)</{name}>", text, re.DOTALL) for name in ("Code", "Message")]
        import html

        code, message = (html.unescape(part.group(1)) if part else "" for part in parts)
        usual = {403: "AccessDenied", 404: "NotFound", 412: "PreconditionFailed", 503: "SlowDown"}
        return code or usual.get(status, f"HTTP {status}"), message


def unreachable(error: Exception, *, url: str, access: Access) -> Unreachable:
    """What keeps an answer from coming."""
    host = urlsplit(url).hostname
    said = str(getattr(error, "strerror", None) or error or type(error).__name__).rstrip(".")
    said = "no answer in time" if isinstance(error, TimeoutError) else said
    import socket
    import ssl

    if isinstance(error, socket.gaierror):
        return Unreachable(
            f"The name {host} is not known ({said}). Check the region, which is {access.region}, and the network.",
            transient=error.errno == socket.EAI_AGAIN,
        )
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable(
            f"The certificate of {host} is not trusted ({error.verify_message}). "
            "Name the authority's certificate with AWS_CA_BUNDLE.",
            transient=False,
        )
    return Unreachable(f"AWS cannot be reached at {host} ({said}). Check the network and the proxy (HTTPS_PROXY).")
