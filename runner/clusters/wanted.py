"""What is known of a worker on ECS that is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(kw_only=True)
class Wanted:
    """A worker that is asked for."""

    parameters: dict[str, Any]
    """Of RunTask, without the number of tasks."""
    due_at: float
    """When it is to be started."""
    refused: int = 0
    """How often there was no room for it."""
    unsure: tuple[str, list[int]] | None = None
    """Token and workers of a RunTask of which nobody knows whether it was done."""
    starting: bool = False
    """Whether it is being asked for just now."""
    task: Mapping[str, Any] | None = None
    """Its task, as ECS told of it last."""
    asked_at: float = 0.0
    """When ECS took it, by the monotonic clock."""
    joined: bool = False
    """Whether Dask knows it."""
