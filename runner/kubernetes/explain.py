"""Says in two sentences what went wrong between the client and the cluster, and which kind of error that is."""

import errno
import http.client
import json
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from runner.http.connection import CONNECT_SECONDS, Answer
from runner.http.errors import Unreachable
from runner.kubernetes.config import Access
from runner.kubernetes.errors import (
    ApiError,
    Conflict,
    ConnectionLost,
    Expired,
    Forbidden,
    Invalid,
    NotFound,
    NotStarted,
    Unauthorized,
)

CLASSES = {401: Unauthorized, 403: Forbidden, 404: NotFound, 409: Conflict, 410: Expired, 422: Invalid}
NEXT_STEPS: Mapping[type[ApiError], str] = {
    NotFound: "Check the name and the namespace.",
    Conflict: "Look at what is there, then try again.",
    Expired: "List it again.",
    NotStarted: "Try again when it has started.",
}
LONGEST_TEXT = 500


def api_error(status: int, value: Mapping[str, Any], *, path: str, access: Access, retry_after: str = "") -> ApiError:
    """The error for a failure that the API reports.

    Args:
        status: the HTTP status, or the code of a watch's ERROR event.
        value: the `Status` object; empty when there was none.
        path: what was asked for.
        access: to which cluster.
        retry_after: the header of that name.
    """
    message = " ".join(str(value.get("message") or http.client.responses.get(status, "no message")).split())
    reason = str(value.get("reason") or "")
    details = value.get("details")
    kind = Expired if reason == "Expired" else CLASSES.get(status, ApiError)
    if status == 400 and "is waiting to start" in message:
        kind = NotStarted
    said = message.rstrip(".")
    if kind is Unauthorized:
        text = f"{access.label} does not accept your credentials ({said}). {_log_in(access)}"
    elif kind is Forbidden:
        text = (
            f"{access.label} does not allow this: {said}. {_or_other('Ask who runs the cluster to allow it', access)}"
        )
    else:
        passes = status >= 500 or status == 429
        next_step = NEXT_STEPS.get(kind, "Try again later." if passes else "Correct what the message names.")
        text = f"{access.label} answered {f'{status} {reason}'.strip()} for {path}: {said}. {next_step}"
    return kind(
        text,
        status=status,
        reason=reason,
        message=message,
        details=details if isinstance(details, Mapping) else None,
        path=path,
        retry_after=float(retry_after) if retry_after.isdecimal() else 0.0,
    )


def api_error_of(answer: Answer, *, path: str, access: Access) -> ApiError:
    """The error for an answer that is no success; a proxy's page is as good as the API's `Status`."""
    try:
        value: Any = json.loads(answer.body)
    except (ValueError, RecursionError):
        value = {"message": answer.body[:LONGEST_TEXT].decode(errors="replace").strip()}
    known = value if isinstance(value, Mapping) else {}
    return api_error(answer.status, known, path=path, access=access, retry_after=answer.retry_after)


def unreachable(error: Exception, access: Access) -> Unreachable | ApiError:
    """The error for an exchange that failed on its way."""
    if isinstance(error, ssl.SSLError) and (alert := _certificate_alert(error)):
        message = f"TLS alert: {alert}"
        text = f"{access.label} does not accept your credentials ({message}). {_log_in(access)}"
        return Unauthorized(text, status=401, reason="Unauthorized", message=message)
    if isinstance(error, ssl.SSLCertVerificationError):
        why = error.verify_message.rstrip(".")
        step = "Set the certificate-authority or tls-server-name of the cluster in the kubeconfig"
        return Unreachable(
            f"{access.label} shows a certificate that is not trusted ({why}). {_or_other(step, access)}",
            transient=False,
        )
    reason, transient = _reason(error)
    return Unreachable(f"{access.label} cannot be reached: {reason}. {_check(access)}", transient=transient)


def connection_lost(error: Exception, access: Access) -> ConnectionLost:
    """The error for a stream that broke off."""
    reason, _ = _reason(error)
    return ConnectionLost(f"{access.label} broke off its answer: {reason}. {_check(access)}")


def _reason(error: Exception) -> tuple[str, bool]:
    """What happened, and whether trying again can help."""
    if isinstance(error, socket.gaierror):
        return f"its name cannot be resolved ({error.strerror})", error.errno == socket.EAI_AGAIN
    if isinstance(error, TimeoutError):
        return f"it does not answer (waited {CONNECT_SECONDS:.0f} s to connect, or longer for an answer)", True
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there (connection refused)", True
    if isinstance(error, ssl.SSLEOFError | ssl.SSLZeroReturnError | ConnectionError | http.client.HTTPException):
        return "the connection was closed in the middle", True
    if isinstance(error, ssl.SSLError):
        return f"TLS failed ({(getattr(error, 'reason', None) or str(error)).lower().replace('_', ' ')})", False
    if isinstance(error, OSError) and error.errno is None:  # of http.client's, when the proxy says no
        words = str(error).partition("Tunnel connection failed: ")[2]
        return f"the proxy does not lead there ({words or error})", not words.startswith("4")
    if isinstance(error, OSError):
        return f"{(error.strerror or str(error)).lower()}", error.errno != errno.EACCES
    return str(error) or type(error).__name__, True


def _certificate_alert(error: ssl.SSLError) -> str | None:
    """The server's complaint about the client's certificate, in words; null when it is another one."""
    _, found, alert = (getattr(error, "reason", None) or "").partition("ALERT_")
    about = found and ("CERTIFICATE" in alert or alert in {"UNKNOWN_CA", "ACCESS_DENIED", "DECRYPT_ERROR"})
    return alert.lower().replace("_", " ") if about else None


def _log_in(access: Access) -> str:
    if access.context is None:
        return "Check the service account of this pod."
    return "Log in again, or choose another with --context."


def _check(access: Access) -> str:
    if access.context is None:
        return "Check that network policies let this pod reach it."
    return "Check that it is up and your network leads there, or choose another with --context."


def _or_other(step: str, access: Access) -> str:
    return f"{step}." if access.context is None else f"{step}, or choose another with --context."
