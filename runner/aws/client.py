"""Asks services of AWS, over connections that are kept open and shared by any number of threads.

Guarantees: a call ends with an answer or an error of `runner.aws.errors`, within its time budget and at most one more
timeout. What can pass by itself is tried again: transport errors, throttling, 5xx. What is asked must therefore be the
same when it is done twice, as it is for all that Penstock asks: RunTask has a token for that.
"""

import http.client
import json
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlsplit

from runner.aws import answers, sigv4
from runner.aws.access import Access
from runner.aws.errors import ApiError, BadCredentials, ConfigError
from runner.aws.profile import settings
from runner.aws.rates import Rates
from runner.http.connection import Connection, Request
from runner.http.errors import Unreachable
from runner.http.pool import Pool
from runner.http.proxy import proxy_for
from runner.http.retry import Attempts

TARGETS = {
    "ecs": "AmazonEC2ContainerServiceV20141113",
    "logs": "Logs_20140328",
    "secretsmanager": "secretsmanager",
    "ssm": "AmazonSSM",
}
"""What begins the name of an operation of a service that speaks JSON, by the service."""
JSON_TYPE = "application/x-amz-json-1.1"
READ_SECONDS = 30.0
CONNECTIONS = 16
SKEW_SECONDS = 240.0
"""AWS takes five minutes of difference between its clock and ours; beyond this, requests go by AWS' own."""

JsonObject = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request before it is signed."""

    method: str
    path: str
    """Not encoded."""
    action: str
    """What IAM calls it, without the service."""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One whole HTTP response."""

    status: int
    headers: Mapping[str, str]
    """By lower-case name."""
    body: bytes


class Client:
    """A client of one service in one region. Any thread may use it.

    Args:
        access: where AWS is, and who asks.
        service: `s3`, or one of those that speak JSON.
        host: host of the service where it is not the usual one: a bucket's.
        budget_seconds: how long a call goes on trying.
    """

    def __init__(self, access: Access, service: str, *, host: str | None = None, budget_seconds: float = 30.0) -> None:
        self.access = access
        self.budget_seconds = budget_seconds
        self._service = service
        self._url = (f"https://{host}" if host else None) or access.url(service)
        self._server = urlsplit(self._url)
        self._scope = sigv4.Scope(region=access.region, service=service)
        self._tls = _tls(access) if self._server.scheme == "https" else None
        self._pool = Pool(self._connection, CONNECTIONS)
        self._rates = Rates(service)
        self._skew = 0.0

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._pool.close()

    def call(self, operation: str, **body: Any) -> JsonObject:
        """One operation of a service that speaks JSON.

        Args:
            operation: its name, such as `RunTask`.
            body: its parameters; those that are null are left out.

        Raises:
            ApiError: AWS answered with a failure.
            Unreachable: no whole answer came within the budget.
            ConfigError: there are no credentials.
        """
        given = {name: value for name, value in body.items() if value is not None}
        data = json.dumps(given, separators=(",", ":")).encode()
        headers = {"Content-Type": JSON_TYPE, "X-Amz-Target": f"{TARGETS[self._service]}.{operation}"}
        answer = self.send(Asked(method="POST", path="/", action=operation, headers=headers, body=data))
        try:
            value = json.loads(answer.body or b"{}")
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise Unreachable(
                f"{self._server.hostname} answered something else than AWS' JSON to {operation}. "
                "Check AWS_ENDPOINT_URL and the proxy.",
                transient=False,
            )
        return value

    def send(self, asked: Asked) -> Answer:
        """The answer to one request; raises as `call` does."""
        attempts = Attempts(self.budget_seconds)
        renewed = False
        while True:
            self._rates.wait(asked.action)
            keys = self.access.credentials.current()
            try:
                return self._once(asked, keys, attempts.remaining())
            except BadCredentials as error:
                # Keys may have been renewed, and the clock set, by what the answer told.
                if renewed or not (answers.CLOCK.search(error.message) or self.access.credentials.renew(keys)):
                    raise
                renewed = True
            except (ApiError, Unreachable) as error:
                if not error.transient:
                    raise
                time.sleep(attempts.delay(error))

    def _once(self, asked: Asked, keys: sigv4.Keys, seconds: float) -> Answer:
        encoded = quote(asked.path, safe="/-_.~")
        headers = sigv4.signed(
            asked.method,
            encoded,
            asked.query,
            {"Host": self._server.netloc, **asked.headers},
            asked.body,
            keys=keys,
            scope=self._scope,
            at=time.time() + self._skew,
        )
        words = sigv4.canonical_query(asked.query)
        request = Request(
            method=asked.method,
            target=f"{encoded}{'?' if words else ''}{words}",
            path=asked.path,
            body=asked.body if asked.method in {"POST", "PUT"} else None,
            content_type=headers.pop("content-type", "application/octet-stream"),  # it goes out once, as it was signed
            headers=headers,
        )
        try:
            answer = self._exchanged(request, max(1.0, min(READ_SECONDS, seconds)))
        except (OSError, http.client.HTTPException) as error:
            raise answers.unreachable(error, url=self._url, access=self.access) from error
        self._look_at_clock(answer)
        if answer.status < 300:
            return answer
        action = f"{self._service}:{asked.action}"
        raise answers.error_of(answer.status, answer.body, action=action, access=self.access)

    def _exchanged(self, request: Request, seconds: float) -> Answer:
        for fresh in (False, True):
            used = False
            try:
                with self._pool.borrow(self._tls, fresh=fresh) as connection:
                    used = connection.is_open
                    response = connection.ask(request, None, seconds)
                    body = response.read()
            except (OSError, http.client.HTTPException) as error:
                # The server may have closed it for idleness just now, which says nothing about the server.
                if used and not fresh and not isinstance(error, TimeoutError):
                    continue
                raise
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(status=response.status, headers=found, body=body)
        raise AssertionError("a fresh connection has not been used before")

    def _look_at_clock(self, answer: Answer) -> None:
        if answer.status < 400 or "date" not in answer.headers:
            return
        try:
            told = parsedate_to_datetime(answer.headers["date"]).timestamp()
        except (ValueError, TypeError):
            return
        skew = told - time.time()
        self._skew = skew if abs(skew) > SKEW_SECONDS else 0.0

    def _connection(self, tls: ssl.SSLContext | None) -> Connection:
        return Connection(self._server, self._server.hostname or "", tls, proxy_for(self._server, None))


def _tls(access: Access) -> ssl.SSLContext:
    bundle = os.environ.get("AWS_CA_BUNDLE") or settings(access.profile).get("ca_bundle")
    try:
        return ssl.create_default_context(cafile=bundle)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"The authorities in {bundle} cannot be used ({error}). Correct AWS_CA_BUNDLE or the profile's ca_bundle."
        ) from None
