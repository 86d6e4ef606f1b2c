"""JSON over HTTPS to the API of GitHub or GitLab: one request at a time, each tried once."""

import http.client
import ipaddress
import json
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlsplit

from runner.outcome import ExitCode
from stacks.review.errors import ReviewError, UsageError

REQUEST_SECONDS = 20.0
"""Longest silence of the server. Both answer within a second, also with a page of a hundred comments."""
LONGEST_ANSWER = 50_000_000
"""Bytes. A page has at most a hundred comments of at most 64 KiB (GitHub) or 1 MB (GitLab, where few are long)."""
LONGEST_ERROR = 100_000
LONGEST_REASON = 300
"""Characters of a server's own words in a message."""


class Refused(ReviewError):  # noqa: N818 it is named after what happened
    """The server does not do it, and will not when it is asked again."""

    exit_code = ExitCode.UNAVAILABLE


class Failed(ReviewError):  # noqa: N818 it is named after what happened
    """No whole answer came, or one that says to come back.

    Args:
        message: two sentences.
        wait_seconds: how long the server asked to wait.
    """

    exit_code = ExitCode.STOPPED_BY_PLATFORM

    def __init__(self, message: str, *, wait_seconds: float = 0.0) -> None:
        super().__init__(message)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True, kw_only=True)
class Api:
    """A server's API, and who asks."""

    url: str
    """Its beginning, as `https://api.github.com`."""
    token: str = field(repr=False)
    """Never part of a message."""
    headers: Mapping[str, str] = field(repr=False)
    """Of every request; the token among them."""
    advice: str
    """What the token must be for, as a sentence; stands after a refusal."""
    timeout_seconds: float = REQUEST_SECONDS

    def __post_init__(self) -> None:
        """Refuse what would show the token to others, before it is sent."""
        _check(self.url)
        if not self.token or not self.token.isascii() or not self.token.isprintable() or " " in self.token:
            raise UsageError(f"The token is empty or has characters that no token has. {self.advice}")

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The answer to one request, from JSON.

        Args:
            method: GET, POST, PATCH or PUT.
            path: what follows the API's beginning, with a slash; or a whole address.
            body: sent as JSON.

        Raises:
            Refused: with a status that stays.
            Failed: with one that may pass, without a whole answer, or with one that is not JSON.
        """
        url = self.url.rstrip("/") + path if path.startswith("/") else path
        _check(url)
        place = urlsplit(url)
        data = None if body is None else json.dumps(body).encode()
        headers = {**self.headers, "User-Agent": "penstock", **({} if data is None else JSON)}
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310 checked above
        try:
            with urllib.request.build_opener(_NoRedirect).open(request, timeout=self.timeout_seconds) as answer:
                text = answer.read(LONGEST_ANSWER)
        except HTTPError as error:
            with error:
                raise self._error(error, f"{method} {place.path}") from None
        except (OSError, http.client.HTTPException) as error:
            raise Failed(
                f"{place.netloc} gave no whole answer to {method} {place.path} "
                f"({self._clean(str(error) or type(error).__name__)}). Run it again."
            ) from None
        try:
            return json.loads(text)
        except ValueError:
            raise Failed(f"{place.netloc} did not answer {method} {place.path} with JSON. Run it again.") from None

    def _error(self, error: HTTPError, what: str) -> ReviewError:
        said = f"{what} with {error.code} ({self._clean(_reason(error))})"
        wait = _wait_seconds(error)
        if error.code >= 500 or error.code in {408, 429} or (error.code == 403 and wait is not None):
            return Failed(f"The server answered {said}. Run it again later.", wait_seconds=wait or 0.0)
        if 300 <= error.code < 400:
            return Refused(f"The server sends elsewhere: {said}. Correct the address of the API or the project's name.")
        advice = "Correct or shorten what is published." if error.code in {400, 413, 422} else self.advice
        return Refused(f"The server answered {said}. {advice}")

    def _clean(self, text: str) -> str:
        """On one line, so that it is no command to whoever reads the log, and without the token."""
        one_line = "".join(sign if sign.isprintable() else " " for sign in text.replace(self.token, "***"))
        return " ".join(one_line.split())[:LONGEST_REASON]


JSON = {"Content-Type": "application/json"}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Redirects are errors: urllib would send the token along, wherever they lead."""

    def redirect_request(self, *_: Any) -> None:
        """See `HTTPRedirectHandler`."""


def _check(url: str) -> None:
    parts = urlsplit(url)
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(parts.hostname or "")):
        raise UsageError(f"The API is at {url!a}, expected an address with https. Correct the variable.")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _reason(error: HTTPError) -> str:
    """The server's own words: `message` of both APIs, which GitHub explains in `errors`; else HTTP's."""
    try:
        told = json.loads(error.read(LONGEST_ERROR))
    except (ValueError, OSError, http.client.HTTPException):
        return error.reason
    if not isinstance(told, dict):
        return error.reason
    words = [told.get("message") or told.get("error") or error.reason]
    details = told.get("errors")
    words += [item["message"] for item in details or () if isinstance(item, dict) and "message" in item]
    return ": ".join(map(str, words))


def _wait_seconds(error: HTTPError) -> float | None:
    """How long to wait, when the server says so.

    https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/
    """
    after = error.headers.get("Retry-After", "")
    if after.isdecimal():
        return float(after)
    reset = error.headers.get("X-RateLimit-Reset", "")
    if error.headers.get("X-RateLimit-Remaining") == "0" and reset.isdecimal():
        return max(0.0, float(reset) - time.time())
    return None
