"""The part of a run request that says what the run asks for, and how repeated requests are known."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from runner.contract import to_bytes
from runner.environment import Callbacks, Executor, ExecutorType, Log, LogLevel
from runner.errors import ContractError
from runner.request import Bundle, RunRequest, Size, WorkerCount, fingerprint, read
from tests.runner.strategies import REQUESTS

SMALLEST: dict[str, Any] = {"schema_version": 1, "run_id": "flights-1", "accepted_at": 1.5, "flow": "flow.py:main"}
MINIMAL = RunRequest(run_id="flights-1", accepted_at=1.5, flow="flow.py:main")
OTHER: dict[str, Any] = {
    "run_id": "flights-2",
    "flow": "flow.py:other",
    "parameters": {"a": 1},
    "arguments": ("--month",),
    "bundle": Bundle(sha256="ab" * 32, size=1),
    "image": "registry.example/reports:7",
    "callbacks": Callbacks(on_exit="hooks:tell"),
    "executor": Executor(type=ExecutorType.DASK),
    "size": Size(memory_mib=1),
    "workers": WorkerCount(min_workers=0, max_workers=1),
    "run_seconds": 90,
    "log": Log(level=LogLevel.DEBUG),
}
"""Another value for each field that makes another request."""
SCHEMA_FILE = Path(__file__).parents[2] / "runner" / "request.schema.json"
SCHEMA = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, None),
        ({}, Size()),
        ({"cpu_millicores": 250}, Size(cpu_millicores=250)),
        ({"cpu_millicores": None, "memory_mib": 512}, Size(memory_mib=512)),
    ],
)
def test_a_size_is_read_and_written(value: object, size: Size | None) -> None:
    document = {**SMALLEST, "size": value}

    found = read(json.dumps(document), warn=pytest.fail)

    assert found == replace(MINIMAL, size=size)
    assert read(to_bytes(found), warn=pytest.fail) == found
    assert SCHEMA.is_valid(document)


@pytest.mark.parametrize("name", ["cpu_millicores", "memory_mib"])
@pytest.mark.parametrize("value", [0, -1, 1.5, "512", True])
def test_a_size_that_is_none_is_refused_by_the_reader_and_the_schema(name: str, value: object) -> None:
    document = {**SMALLEST, "size": {name: value}}

    with pytest.raises(ContractError) as caught:
        read(json.dumps(document), warn=pytest.fail)

    assert str(caught.value) == (
        f"run request: size.{name} is {json.dumps(value)}, expected a whole number of at least 1. "
        "Start the run with `penstock run` of the same version as the runner."
    )
    assert not SCHEMA.is_valid(document)


@given(REQUESTS)
def test_a_request_that_is_repeated_or_is_another_attempt_has_the_same_fingerprint(asked: RunRequest) -> None:
    again = replace(asked, accepted_at=asked.accepted_at / 2 + 1, attempt=asked.attempt + 1)

    assert fingerprint(again) == fingerprint(asked)
    assert len(fingerprint(asked)) == 64
    assert fingerprint(read(to_bytes(asked), warn=pytest.fail)) == fingerprint(asked)


def test_whatever_else_is_asked_for_makes_another_fingerprint() -> None:
    assert {field.name for field in fields(RunRequest)} == OTHER.keys() | {"schema_version", "accepted_at", "attempt"}

    prints = {fingerprint(replace(MINIMAL, **{name: value})) for name, value in OTHER.items()}

    assert len(prints | {fingerprint(MINIMAL)}) == len(OTHER) + 1
