"""Asks the Kubernetes API, over connections that are kept open and shared by any number of threads.

Guarantees: a call ends with an answer or an error of `runner.kubernetes.errors`, within its time budget and at most
one more timeout. Only what can pass by itself is tried again: transport errors, 429, 502, 503, 504, and 500 with a
reason that says so. So a `create` whose first try was done, and whose answer was lost, ends in `Conflict`.
"""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from runner.http.connection import Answer, Carrier, Connection, Request
from runner.http.errors import Unreachable
from runner.http.pool import Pool
from runner.http.proxy import proxy_for
from runner.http.retry import Attempts
from runner.kubernetes.config import Access
from runner.kubernetes.credentials import Identity
from runner.kubernetes.errors import ApiError, Unauthorized
from runner.kubernetes.explain import api_error_of, connection_lost, unreachable
from runner.kubernetes.stream import Stream
from runner.kubernetes.tls import context_for

READ_SECONDS = 30.0
"""Longest silence of the server in a call: as long as it may wait for an admission webhook."""

CONNECTIONS = 32

T = TypeVar("T")
JsonObject = dict[str, Any]
QueryValue = str | int | bool | None


def path(
    api_version: str, resource: str, *, namespace: str | None = None, name: str | None = None, sub: str | None = None
) -> str:
    """Path of a collection, or of one object or its subresource.

    Args:
        api_version: such as `v1` or `batch/v1`.
        resource: plural name, such as `jobs`.
        namespace: null for all namespaces, or for what is in none.
        name: null for the collection.
        sub: subresource, such as `log` or `status`.

    Raises:
        ValueError: a part is empty or dots: the path would be that of something else.
    """
    parts = ["apis" if "/" in api_version else "api", *api_version.split("/")]
    parts += [] if namespace is None else ["namespaces", namespace]
    parts += [part for part in (resource, name, sub) if part is not None]
    if any(part in {"", ".", ".."} for part in parts):
        raise ValueError(f"No part of a path may be empty or dots: {parts}")
    return "".join(f"/{quote(part, safe='')}" for part in parts)


class Client:
    """A client of one cluster. Any thread may use it.

    Args:
        access: where the cluster is, and who asks.
        budget_seconds: how long a call, or the opening of a stream, goes on trying.
        connections: most connections at a time; more calls than that wait for their turn. A stream has its own.

    Raises:
        ConfigError: the access cannot be used.
    """

    def __init__(self, access: Access, *, budget_seconds: float = 30.0, connections: int = CONNECTIONS) -> None:
        self.access = access
        self.budget_seconds = budget_seconds
        self._server = urlsplit(access.server)
        self._proxy = proxy_for(self._server, access.proxy)
        self._pool = Pool(self._connection, connections)
        self._tls_lock = threading.Lock()
        self._tls: tuple[tuple[str | None, str | None], ssl.SSLContext | None] | None = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections that are kept open."""
        self._pool.close()

    def get(self, path: str, **query: QueryValue) -> JsonObject:
        """An object, or a list of a collection."""
        return self._object("GET", path, query=query)

    def create(self, path: str, body: JsonObject) -> JsonObject:
        """Create an object in a collection; as it is then.

        Raises:
            Conflict: it exists already, maybe by this call's own first try.
        """
        return self._object("POST", path, body=body)

    def patch(self, path: str, body: JsonObject) -> JsonObject:
        """Change an object with a JSON merge patch; as it is then."""
        return self._object("PATCH", path, body=body, content_type="application/merge-patch+json")

    def delete(self, path: str, body: JsonObject | None = None, **query: QueryValue) -> JsonObject:
        """Delete an object, or those of a collection that the query selects.

        Args:
            path: the object or collection.
            body: `DeleteOptions`.
            query: selectors and the like.
        """
        return self._object("DELETE", path, body=body, query=query)

    def raw(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        content_type: str = "application/json",
        **query: QueryValue,
    ) -> bytes:
        """The body of an answer, as it is.

        Raises:
            ApiError: the API answered with a failure.
            Unreachable: no whole answer came within the budget.
            ConfigError: the login command or token file fails.
        """
        request = self._request(method, path, query, body, content_type)
        return self._repeat(lambda identity, seconds: self._exchange(request, identity, seconds), time.sleep).body

    def stream(self, path: str, *, read_seconds: float | None = None, **query: QueryValue) -> Stream:
        """The body of an answer in chunks as they come. The request is made by the first `next`, which may raise.

        Args:
            path: what to ask for.
            read_seconds: longest silence of the server; null for any, as long as its machine answers TCP.
            query: as of `get`.
        """
        request = self._request("GET", path, query)

        def ask(stream: Stream) -> http.client.HTTPResponse:
            return self._repeat(lambda identity, _: self._open(request, identity, stream, read_seconds), stream.pause)

        return Stream(ask, lambda error: connection_lost(error, self.access))

    def upgrade(
        self, path: str, carrier: Carrier, headers: Mapping[str, str], **query: QueryValue
    ) -> http.client.HTTPResponse:
        """Ask to speak another protocol; the head of an answer that is no failure, behind which that may begin.

        Args:
            path: what to ask for.
            carrier: gets the connection, and has to close it when this returns.
            headers: those that ask for the protocol.
            query: as of `get`.

        Raises:
            ApiError: the API answered with a failure.
            Unreachable: no answer came within the budget.
            ConfigError: the login command or token file fails.
        """
        request = self._request("GET", path, query, headers=headers)
        return self._repeat(lambda identity, _: self._open(request, identity, carrier, READ_SECONDS), carrier.pause)

    def _object(
        self,
        method: str,
        path: str,
        *,
        body: JsonObject | None = None,
        content_type: str = "application/json",
        query: dict[str, QueryValue] | None = None,
    ) -> JsonObject:
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        answer = self.raw(method, path, body=data, content_type=content_type, **(query or {}))
        try:
            value = json.loads(answer)
        except (ValueError, RecursionError):
            value = None
        if not isinstance(value, dict):
            raise Unreachable(
                f"{self.access.label} answered something else than JSON for {path}, as a server that is no Kubernetes "
                "API would. Check the server's address in the kubeconfig.",
                transient=False,
            )
        return value

    def _request(
        self,
        method: str,
        path: str,
        query: dict[str, QueryValue],
        body: bytes | None = None,
        content_type: str = "application/json",
        *,
        headers: Mapping[str, str] | None = None,
    ) -> Request:
        given = {name: str(value).lower() if isinstance(value, bool) else value for name, value in query.items()}
        words = urlencode({name: value for name, value in given.items() if value is not None}, quote_via=quote)
        target = f"{self._server.path}{path}{'?' if words else ''}{words}"
        return Request(
            method=method, target=target, path=path, body=body, content_type=content_type, headers=headers or {}
        )

    def _repeat(self, send: Callable[[Identity, float], T], wait: Callable[[float], object]) -> T:
        """What the sending returns, at last; it is called with who asks and the seconds that are left."""
        attempts = Attempts(self.budget_seconds)
        renewed = False
        while True:
            identity = self.access.credentials.current()
            try:
                return send(identity, attempts.remaining())
            except Unauthorized:
                if renewed or not self.access.credentials.renew(identity):
                    raise
                renewed = True
            except (ApiError, Unreachable) as error:
                if not error.transient:
                    raise
                wait(attempts.delay(error, at_least=error.retry_after if isinstance(error, ApiError) else 0.0))

    def _exchange(self, request: Request, identity: Identity, seconds: float) -> Answer:
        tls = self._tls_for(identity)
        seconds = max(1.0, min(READ_SECONDS, seconds))
        for fresh in (False, True):
            used = False
            try:
                with self._pool.borrow(tls, fresh=fresh) as connection:
                    used = connection.is_open
                    answer = _whole(connection.ask(request, identity.token, seconds))
            except (OSError, http.client.HTTPException) as error:
                # The server may have closed it for idleness just now, which says nothing about the server.
                if used and request.repeatable and not isinstance(error, TimeoutError):
                    continue
                raise unreachable(error, self.access) from error
            return self._checked(request, answer)
        raise AssertionError("a fresh connection has not been used before")

    def _open(
        self, request: Request, identity: Identity, carrier: Carrier, read_seconds: float | None
    ) -> http.client.HTTPResponse:
        connection = self._connection(self._tls_for(identity))
        try:
            connection.connect()
            carrier.carry(connection)
            response = connection.ask(request, identity.token, read_seconds)
            if response.status < 300:
                return response
            answer = _whole(response)
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise unreachable(error, self.access) from error
        except BaseException:
            connection.close()
            raise
        connection.close()
        self._checked(request, answer)
        raise AssertionError("an answer that is no success is an error")

    def _checked(self, request: Request, answer: Answer) -> Answer:
        if answer.status < 300:
            return answer
        raise api_error_of(answer, path=request.path, access=self.access)

    def _connection(self, tls: ssl.SSLContext | None) -> Connection:
        return Connection(self._server, self.access.tls_server_name or self._server.hostname or "", tls, self._proxy)

    def _tls_for(self, identity: Identity) -> ssl.SSLContext | None:
        """The one TLS context, made anew when the client certificate has changed."""
        shown = (identity.certificate, identity.key)
        with self._tls_lock:
            if self._tls is None or self._tls[0] != shown:
                self._tls = (shown, context_for(self.access, identity))
            return self._tls[1]


def _whole(response: http.client.HTTPResponse) -> Answer:
    body = response.read()
    if not response.chunked and response.length is None and response.version == 11:
        # Its headers broke off: HTTP/1.1 says where an answer ends, but for a few old proxies that speak 1.0.
        raise http.client.IncompleteRead(body)
    return Answer(status=response.status, body=body, retry_after=response.headers.get("Retry-After", ""))
