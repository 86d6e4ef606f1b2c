"""Failures in the words and the form in which each kind of service gives them."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from xml.sax.saxutils import escape

JSON_SERVICES = {"ecs", "logs", "ssm", "secretsmanager"}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A failure that AWS answers with."""

    status: int
    code: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Reply:
    """An HTTP response."""

    status: str
    body: bytes
    content_type: str = "application/json"

    def __call__(self, start_response: "object") -> Iterable[bytes]:
        headers = [("Content-Type", self.content_type), ("Content-Length", str(len(self.body)))]
        start_response(self.status, headers)  # type: ignore[operator]
        return [self.body]


def reply(service: str, failure: Failure) -> Reply:
    """The response for a failure."""
    status = f"{failure.status} {failure.code}"
    if service in JSON_SERVICES:
        body = json.dumps({"__type": failure.code, "message": failure.message}).encode()
        return Reply(status=status, body=body, content_type="application/x-amz-json-1.1")
    code, message = escape(failure.code), escape(failure.message)
    inner = f"<Code>{code}</Code><Message>{message}</Message>"
    text = f"<Error>{inner}</Error>" if service == "s3" else f"<ErrorResponse><Error>{inner}</Error></ErrorResponse>"
    return Reply(status=status, body=text.encode(), content_type="text/xml")
