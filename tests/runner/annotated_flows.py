"""Flows whose annotations are text, some with names that only type checkers import."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Optional

if TYPE_CHECKING:
    from datetime import date
    from decimal import Decimal

    import distributed
    from dask.distributed import Client


@dataclass
class Window:
    days: int
    price: Decimal | None = None


def typed(days: int, ratio: float | None = None, names: list[str] = []) -> None:  # noqa: B006 as people write it
    """Annotations that can be evaluated."""


def for_checkers_only(day: date, price: Decimal) -> None:
    """Annotations that cannot."""


def with_client(client: Client, n: int) -> tuple[object, int]:
    return client, n


def with_optional_client(n: int = 1, client: Client | None = None) -> tuple[object, int]:
    return client, n


def with_old_optional(client: Optional[Client] = None) -> object:  # noqa: UP045 as people write it
    return client


def with_dotted_client(client: distributed.Client) -> object:
    return client


def with_window(window: Window) -> Window:
    return window


class Callable:
    """A flow that is an object."""

    def __call__(self, days: int) -> int:
        return days


class Made:
    """A flow that is a class."""

    def __init__(self, days: int) -> None:
        self.days = days


AN_OBJECT = Callable()
A_PARTIAL = partial(typed, ratio=0.5)
