"""The part of GitHub's and of GitLab's API that is about comments, on this machine, as the real ones behave."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOT = {"login": "github-actions[bot]", "id": 41898282, "type": "Bot"}
SOMEBODY = {"login": "somebody", "id": 7, "type": "User"}
TOKEN = "the-token-of-the-test"  # noqa: S105 opens nothing
REPOSITORY = "acme/flows"
PROJECT = "42"
NUMBER = 7
MARKER = "<!-- penstock-review -->"
TEXT = f"{MARKER}\n**Danger**: anyone could reach the scheduler of `dask-prod`.\n"
COMMENTS = f"/repos/{REPOSITORY}/issues/{NUMBER}/comments"
NOTES = f"/api/v4/projects/{PROJECT}/merge_requests/{NUMBER}/notes"

Fault = Callable[[BaseHTTPRequestHandler], None]
"""Answers a request in the place of the API, or closes the connection."""


@dataclass
class ApiServer:
    """A pull request with its comments, which is a merge request with its notes, too."""

    url: str
    comments: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str, Any]] = field(default_factory=list)
    """Method, path with query, and body of each request in order."""
    faults: dict[int, Fault] = field(default_factory=dict)
    """What happens to requests, by their number from 0."""
    after: dict[int, Fault] = field(default_factory=dict)
    """What happens to the answers of requests that have been carried out."""

    @property
    def github(self) -> dict[str, str]:
        """Variables that a workflow has."""
        return {"GITHUB_API_URL": self.url, "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_TOKEN": TOKEN}

    @property
    def gitlab(self) -> dict[str, str]:
        """Variables that a pipeline has."""
        return {
            "CI_API_V4_URL": f"{self.url}/api/v4",
            "CI_PROJECT_ID": PROJECT,
            "CI_MERGE_REQUEST_IID": str(NUMBER),
            "GITLAB_TOKEN": TOKEN,
        }

    def add(self, body: str, author: dict[str, Any], **more: Any) -> int:
        """A comment that is there; its id."""
        id_ = 1000 + len(self.comments)
        self.comments.append({"id": id_, "body": body, "user": author, "author": author, **more})
        return id_

    @property
    def asked(self) -> list[str]:
        """The requests in short."""
        return [f"{method} {path}" for method, path, _ in self.requests]

    def answer(self, method: str, path: str, query: dict[str, list[str]], body: Any) -> tuple[int, Any]:
        """Status and content for a request."""
        one = next((item for item in self.comments if path.endswith(f"/{item['id']}")), None)
        match method, path:
            case "POST", "/graphql":
                return 200, {"data": {"viewer": {"login": BOT["login"]}}}
            case "GET", "/api/v4/user":
                return 200, {"id": BOT["id"], "username": "project_42_bot"}
            case "GET", path if path in {COMMENTS, NOTES}:
                page, size = int(query["page"][0]), min(int(query["per_page"][0]), 100)
                return 200, self.comments[(page - 1) * size : page * size]
            case "POST", path if path in {COMMENTS, NOTES}:
                self.add(body["body"], BOT)
                return 201, self.comments[-1]
            case (("PATCH" | "PUT"), _) if one and path in {
                f"/repos/{REPOSITORY}/issues/comments/{one['id']}",
                f"{NOTES}/{one['id']}",
            }:
                one["body"] = body["body"]
                return 200, one
        return 404, {"message": "Not Found"}


def status(code: int, content: Any, **headers: str) -> Fault:
    """An answer."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        handler.send_response(code)
        for name, value in {"Content-Length": str(len(data)), **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(data)

    return answer


def silent(handler: BaseHTTPRequestHandler) -> None:
    """No answer until the client gives up."""
    handler.connection.settimeout(10)
    handler.rfile.read(1)


def closed(handler: BaseHTTPRequestHandler) -> None:
    """No answer: the connection ends."""
    handler.close_connection = True


@contextmanager
def api_server() -> Iterator[ApiServer]:
    """A server with a pull request without comments."""
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            with lock:
                self._do()

        do_POST = do_PATCH = do_PUT = do_GET  # noqa: N815

        def _do(self) -> None:
            parts = urlsplit(self.path)
            length = int(self.headers.get("Content-Length", 0))
            body = json.loads(self.rfile.read(length)) if length else None
            number = len(server.requests)
            server.requests.append((self.command, self.path, body))
            if fault := server.faults.get(number):
                return fault(self)
            token = self.headers.get("PRIVATE-TOKEN") or self.headers.get("Authorization", "").removeprefix("Bearer ")
            if token != TOKEN:
                return status(401, {"message": "Bad credentials"})(self)
            answer = status(*server.answer(self.command, parts.path, parse_qs(parts.query), body))
            return server.after.get(number, answer)(self)

    http_server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server = ApiServer(url=f"http://127.0.0.1:{http_server.server_port}")
    thread = threading.Thread(target=http_server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        http_server.shutdown()
        thread.join()
        http_server.server_close()
