"""Callbacks that write down what they were given, one line each."""

import os
import sys
from pathlib import Path
from typing import Any

from runner.outcome import Outcome

NOTES = Path(os.environ.get("NOTES", os.devnull))


def _note(text: str) -> None:
    with NOTES.open("a") as file:
        file.write(f"{text}\n")


def on_execute(parameters: dict[str, Any], cluster_options: dict[str, Any]) -> dict[str, Any] | None:
    _note(f"on_execute {parameters} {cluster_options}")
    parameters["number"] = 99
    return {"workers": 1} if cluster_options else None


def on_start() -> None:
    _note("on_start")


def on_exit(outcome: Outcome) -> None:
    failure = outcome.failure.failure_class if outcome.failure else None
    _note(f"on_exit {outcome.state} {outcome.exit_code} {failure}")


def raises(*_: object) -> None:
    _note("raises")
    raise RuntimeError("the callback is broken")


def exits(*_: object) -> None:
    _note("exits")
    sys.exit(3)


def crashes(*_: object) -> None:
    _note("crashes")
    os._exit(5)


def wants_three(a: int, b: int, c: int) -> None:
    """Has the signature of no callback."""


def too_many_workers(parameters: dict[str, Any], cluster_options: dict[str, Any]) -> dict[str, Any]:
    return {"workers": -1}


def one_worker(parameters: dict[str, Any], cluster_options: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(cluster_options, 1)


def three_workers(parameters: dict[str, Any], cluster_options: dict[str, Any]) -> dict[str, Any]:
    return dict.fromkeys(cluster_options, 3)


def unknown_option(parameters: dict[str, Any], cluster_options: dict[str, Any]) -> dict[str, Any]:
    return {"threads": 1}


def flow(number: int = 1) -> int:
    _note(f"flow {number}")
    return number


def failing_flow() -> None:
    _note("failing_flow")
    raise ValueError("no")


def crashing_flow() -> None:
    _note("crashing_flow")
    os._exit(9)
