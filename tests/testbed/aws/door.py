"""Stands before moto: knows who asks, whether they may, what they asked, and which fault hits them."""

import io
import json
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tests.testbed.aws import errors, needs
from tests.testbed.aws.ecs_api import faults
from tests.testbed.aws.errors import Failure, Reply
from tests.testbed.aws.faults import Kind
from tests.testbed.aws.needs import Call
from tests.testbed.aws.permissions import Need, allowed
from tests.testbed.aws.principals import AUTHORIZATION, Principal, Principals, signature_holds
from tests.testbed.aws.roles import ACCOUNT

Environ = dict[str, Any]
App = Callable[[Environ, Any], Iterable[bytes]]

FREE = {"GetCallerIdentity"}
"""What everybody may do."""
OWN = "/penstock/"
"""Begins the paths that are this server's own."""
FAILURES: Mapping[Kind, Failure] = {
    Kind.THROTTLE: Failure(status=400, code="ThrottlingException", message="Rate exceeded"),
    Kind.UNAVAILABLE: Failure(status=503, code="ServiceUnavailable", message="Service is unavailable"),
    Kind.EXPIRED: Failure(
        status=400,
        code="ExpiredTokenException",
        message="The security token included in the request is expired",
    ),
}
FAILURES_OF_S3: Mapping[Kind, Failure] = {
    Kind.THROTTLE: Failure(status=503, code="SlowDown", message="Please reduce your request rate."),
    Kind.UNAVAILABLE: Failure(status=503, code="ServiceUnavailable", message="Service is unable to handle request."),
    Kind.EXPIRED: Failure(status=400, code="ExpiredToken", message="The provided token has expired."),
}
UNSIGNED = Failure(status=403, code="MissingAuthenticationTokenException", message="Missing Authentication Token")
SKEW_SECONDS = 300
"""How far the clock of who asks may be from AWS' own."""


class Door:
    """The WSGI application before moto's.

    Args:
        app: moto.
        own: what answers this server's own paths: its control door, metadata and credentials of tasks.
    """

    def __init__(self, app: App, own: Callable[["Door", Environ, bytes], Reply]) -> None:
        self.principals = Principals()
        self.calls: list[dict[str, Any]] = []
        self._app = app
        self._own = own
        self._lock = threading.Lock()

    def __call__(self, environ: Environ, start_response: Any) -> Iterable[bytes]:
        """Answer one request."""
        body = _body(environ)
        path = str(environ.get("PATH_INFO", "/"))
        if path.startswith(OWN):
            return self._own(self, environ, body or b"")(start_response)
        if path.startswith("/moto-api"):
            return self._app(environ, start_response)
        headers = _headers(environ)
        parts = AUTHORIZATION.match(headers.get("authorization", ""))
        if parts is None:
            return errors.reply("s3" if path != "/" else "ecs", UNSIGNED)(start_response)
        call, failure = self._judged(environ, headers, parts.groupdict(), body)
        if failure is not None:
            return errors.reply(call.service, failure)(start_response)
        fault = faults.of_call(call.action)
        if fault is None:
            return self._app(environ, start_response)
        if fault.kind in FAILURES:
            of_s3 = FAILURES_OF_S3 if call.service == "s3" else FAILURES
            return errors.reply(call.service, of_s3[fault.kind])(start_response)
        for _ in self._app(environ, lambda *_: None):  # done, and the answer is lost
            pass
        environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
        raise ConnectionAbortedError

    def _judged(
        self, environ: Environ, headers: Mapping[str, str], parts: Mapping[str, str], body: bytes | None
    ) -> tuple[Call, Failure | None]:
        method, path = str(environ["REQUEST_METHOD"]), str(environ.get("PATH_INFO", "/"))
        query = str(environ.get("QUERY_STRING", ""))
        action = needs.action_of(parts["service"], method, path, headers, body or b"", query)
        call = Call(
            service=parts["service"],
            action=action,
            region=parts["region"],
            account=ACCOUNT,
            method=method,
            path=path,
            query=query,
            body=body or b"",
        )
        principal = self.principals.find(parts["key"])
        if principal is None:
            message = "The security token included in the request is invalid."
            return call, Failure(status=400, code="UnrecognizedClientException", message=message)
        url = f"http://{headers['host']}{environ.get('RAW_URI') or environ.get('REQUEST_URI') or path}"
        if not signature_holds(principal, parts, method=method, url=url, headers=headers, body=body):
            message = "The request signature we calculated does not match the signature you provided."
            code = "SignatureDoesNotMatch" if call.service == "s3" else "InvalidSignatureException"
            return call, Failure(status=403, code=code, message=message)
        wanted = needs.needs(call)
        denied = None if principal.may_do_all or action in FREE else _denied(principal, wanted)
        if (skewed := _skewed(call.service, headers.get("x-amz-date", ""))) is not None:
            return call, skewed
        with self._lock:
            self.calls.append(
                {
                    "service": call.service,
                    "action": action,
                    "principal": principal.arn,
                    "needs": [_as_json(need) for need in wanted],
                    "denied": denied is not None,
                }
            )
        return call, None if denied is None else _denial(call, principal, denied)


def _skewed(service: str, signed_at: str) -> Failure | None:
    now = datetime.now(UTC)
    try:
        at = datetime.strptime(signed_at, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        return Failure(status=400, code="IncompleteSignatureException", message="X-Amz-Date is no date.")
    if abs((now - at).total_seconds()) <= SKEW_SECONDS:
        return None
    if service == "s3":
        message = "The difference between the request time and the current time is too large."
        return Failure(status=403, code="RequestTimeTooSkewed", message=message)
    word, sign = ("expired", "earlier") if at < now else ("not yet current", "later")
    message = f"Signature {word}: {signed_at} is now {sign} than {now:%Y%m%dT%H%M%SZ}"
    return Failure(status=403, code="InvalidSignatureException", message=message)


def _denied(principal: Principal, wanted: Iterable[Need]) -> Need | None:
    granted = principal.granted()
    return next((need for need in wanted if not allowed(granted, need)), None)


def _denial(call: Call, principal: Principal, need: Need) -> Failure:
    message = (
        f"User: {principal.arn} is not authorized to perform: {need.action} on resource: {need.resource} because no "
        "identity-based policy allows the action"
    )
    if call.service == "s3":
        return Failure(status=403, code="AccessDenied", message=message)
    return Failure(status=400, code="AccessDeniedException", message=message)


def _as_json(need: Need) -> dict[str, Any]:
    return {"action": need.action, "resource": need.resource, "conditions": dict(need.conditions)}


def _body(environ: Environ) -> bytes | None:
    """The body, which moto can read again; null where its length is not told."""
    if environ.get("CONTENT_LENGTH") in {None, ""}:
        return b"" if environ["REQUEST_METHOD"] in {"GET", "HEAD", "DELETE"} else None
    body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
    environ["wsgi.input"] = io.BytesIO(body)
    return bytes(body)


def _headers(environ: Environ) -> dict[str, str]:
    found = {name[5:].replace("_", "-").lower(): str(value) for name, value in environ.items() if name[:5] == "HTTP_"}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            found[name.replace("_", "-").lower()] = str(environ[name])
    return found


def json_reply(value: Any, status: str = "200 OK") -> Reply:
    """A response of JSON."""
    return Reply(status=status, body=json.dumps(value).encode())
