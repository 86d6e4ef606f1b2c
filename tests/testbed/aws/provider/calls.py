"""Calls to AWS at one endpoint, or the same calls checked only."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from botocore.config import Config
from botocore.exceptions import ClientError

from tests.testbed.aws.provider.errors import ProviderError
from tests.testbed.aws.provider.shaping import parameters, session
from tests.testbed.aws.provider.values import UNKNOWN, Values

SECONDS = 20
"""How long one call may take."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `Configure` has set."""

    endpoint: str
    region: str
    access_key: str
    secret_key: str
    account: str = ""
    default_tags: Mapping[str, str] = field(default_factory=dict)
    """Tags of every resource that has tags."""


class Caller(Protocol):
    """Does one operation, or says what is wrong with it."""

    def __call__(self, service: str, method: str, region: str, given: dict[str, Any]) -> Any:
        """The answer."""


class Endpoint:
    """AWS at an endpoint."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}

    def __call__(self, service: str, method: str, region: str, given: dict[str, Any]) -> Any:
        """The answer.

        Raises:
            BadValueError: the operation does not take that.
            ClientError: AWS has refused it.
        """
        return getattr(self._client(service, region), method)(**parameters(service, method, given))

    def _client(self, service: str, region: str) -> Any:
        with self._lock:
            if (service, region) not in self._clients:
                self._clients[service, region] = session().create_client(
                    service,
                    region_name=region,
                    endpoint_url=self.settings.endpoint,
                    aws_access_key_id=self.settings.access_key,
                    aws_secret_access_key=self.settings.secret_key,
                    config=Config(
                        connect_timeout=SECONDS,
                        read_timeout=SECONDS,
                        retries={"total_max_attempts": 2},
                        proxies={},
                        s3={"addressing_style": "path"},
                    ),
                )
            return self._clients[service, region]


def check_only(service: str, method: str, region: str, given: dict[str, Any]) -> Any:
    """Nothing is sent, and the answer is unknown.

    Raises:
        BadValueError: the operation does not take that.
    """
    parameters(service, method, given)
    return UNKNOWN


@dataclass(kw_only=True)
class Item:
    """One resource, as the functions of the tables see it."""

    service: str
    caller: Caller
    region: str
    account: str
    values: Values
    """Its inputs, defaults included, and the outputs of its earlier life."""
    before: Values = field(default_factory=dict)
    """Its inputs before an update."""
    id: str = ""

    def __getitem__(self, name: str) -> Any:
        return self.values.get(name)

    def call(self, method: str, **given: Any) -> Any:
        """One operation of its service; parameters that are None are left out."""
        return self.caller(self.service, method, self.region, given)

    def found(self, method: str, *absent: str, **given: Any) -> Any:
        """The same; None when AWS answers with one of these codes."""
        try:
            return self.call(method, **given)
        except ClientError as error:
            if code(error) in absent:
                return None
            raise

    def part(self, separator: str, count: int = 2) -> list[str]:
        """Parts of its id.

        Raises:
            ProviderError: the id, of an import, has another form.
        """
        parts = self.id.split(separator, count - 1)
        if len(parts) != count or not all(parts):
            raise ProviderError(f"expected an id of {count} parts with {separator!r} between, got {self.id!r}.")
        return parts

    def arn(self, service: str, resource: str) -> str:
        """Name of something in its account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def code(error: ClientError) -> str:
    """AWS' word for what is wrong."""
    return str(error.response["Error"]["Code"])
