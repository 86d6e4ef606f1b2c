"""The run request: its reader, its schema, and that both say the same."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.contract import MAX_BYTES, to_bytes
from runner.environment import Callbacks, Environment, Executor, ExecutorType, Log, LogLevel
from runner.errors import ContractError
from runner.request import Bundle, RunRequest, WorkerCount, check_workers, read
from tests.runner.attempts import LOCAL, dask_pods
from tests.runner.strategies import ANY_TEXT, HOSTILE, REQUESTS, mutations

NEXT_STEP = " Start the run with `penstock run` of the same version as the runner."
RUN_ID_MEANING = "at most 40 lower-case letters, digits and inner hyphens"
SMALLEST: dict[str, Any] = {"schema_version": 1, "run_id": "flights-1", "accepted_at": 1.5, "flow": "flow.py:main"}
MINIMAL = RunRequest(run_id="flights-1", accepted_at=1.5, flow="flow.py:main")
FULL = RunRequest(
    run_id="flights-20260131-083000-ab12",
    attempt=3,
    accepted_at=1769848200.25,
    flow="reports/täglich.py",
    parameters={"city": "Zürich", "days": 7, "deep": {"list": [1, 2.5, None, True, "\0"]}},
    arguments=("--month", "3", ""),
    bundle=Bundle(sha256="ab" * 32, size=12_345),
    image="registry.example/reports:7",
    callbacks=Callbacks(on_execute="hooks:sizes", on_start="hooks:start", on_exit="hooks:tell"),
    executor=Executor(type=ExecutorType.DASK, workers=2, threads_per_worker=1, memory_limit_mib=512, dashboard=True),
    workers=WorkerCount(min_workers=0, max_workers=8),
    run_seconds=90,
    log=Log(level=LogLevel.DEBUG, extra_loggers=("flow",)),
)
DOCUMENTS = {"request-minimal.json": MINIMAL, "request-full.json": FULL}
SCHEMA_FILE = Path(__file__).parents[2] / "runner" / "request.schema.json"
SCHEMA = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_request_is_written_as_the_same_bytes_as_ever_and_read_back_from_them(name: str, golden: Any) -> None:
    data = to_bytes(DOCUMENTS[name])

    golden(name, data)
    assert read(data, warn=pytest.fail) == DOCUMENTS[name]
    assert list(SCHEMA.iter_errors(json.loads(data))) == []


def test_only_version_run_id_time_and_flow_are_needed() -> None:
    assert read(json.dumps(SMALLEST), warn=pytest.fail) == MINIMAL
    for key in SMALLEST:
        document = {name: value for name, value in SMALLEST.items() if name != key}
        with pytest.raises(ContractError, match=f"^run request: {key} is missing"):
            read(json.dumps(document), warn=pytest.fail)
        assert not SCHEMA.is_valid(document)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"run_id": "Flights"}, f'run_id is "Flights", expected {RUN_ID_MEANING}.'),
        ({"run_id": "../x"}, f'run_id is "../x", expected {RUN_ID_MEANING}.'),
        ({"run_id": "a" * 41}, f'run_id is "{"a" * 41}", expected {RUN_ID_MEANING}.'),
        ({"attempt": 0}, "attempt is 0, expected a whole number of at least 1."),
        ({"attempt": "1"}, 'attempt is "1", expected a whole number of at least 1.'),
        ({"accepted_at": -1}, "accepted_at is -1, expected a number of at least 0."),
        ({"accepted_at": None}, "accepted_at is null, expected a number of at least 0."),
        ({"flow": ""}, 'flow is "", expected module:function, file.py:function or file.py.'),
        ({"flow": " x"}, 'flow is " x", expected module:function, file.py:function or file.py.'),
        ({"flow": "a\nb"}, 'flow is "a\\nb", expected module:function, file.py:function or file.py.'),
        ({"parameters": ["a"]}, "parameters is a list of 1, expected a mapping."),
        ({"parameters": None}, "parameters is null, expected a mapping."),
        ({"arguments": [1]}, "arguments[0] is 1, expected text."),
        ({"bundle": {"sha256": "ab" * 32}}, "bundle.size is missing, expected a value."),
        (
            {"bundle": {"sha256": "AB" * 32, "size": 1}},
            f'bundle.sha256 is "{"AB" * 29}A…, expected 64 lower-case hexadecimal digits.',
        ),
        (
            {"bundle": {"sha256": "ab", "size": 1}},
            'bundle.sha256 is "ab", expected 64 lower-case hexadecimal digits.',
        ),
        (
            {"bundle": {"sha256": "ab" * 32, "size": 0}},
            "bundle.size is 0, expected a whole number of at least 1.",
        ),
        ({"image": 7}, "image is 7, expected an image reference such as registry.example/team/image@sha256:...."),
        ({"callbacks": None}, "callbacks is null, expected an object."),
        ({"callbacks": {"on_start": "a:b:c"}}, 'callbacks.on_start is "a:b:c", expected module:function.'),
        ({"executor": {"type": None}}, "executor.type is null, expected one of inline, dask."),
        ({"workers": 2}, "workers is 2, expected an object."),
        ({"workers": {"min_workers": 1}}, "workers.max_workers is missing, expected a value."),
        (
            {"workers": {"min_workers": -1, "max_workers": 2}},
            "workers.min_workers is -1, expected a whole number of at least 0.",
        ),
        (
            {"workers": {"min_workers": 0, "max_workers": 0}},
            "workers.max_workers is 0, expected a whole number of at least 1.",
        ),
        ({"run_seconds": 0}, "run_seconds is 0, expected seconds, more than 0 and at most ten years."),
        ({"run_seconds": False}, "run_seconds is false, expected seconds, more than 0 and at most ten years."),
        ({"log": {"extra_loggers": "flow"}}, 'log.extra_loggers is "flow", expected a list.'),
    ],
    ids=json.dumps,
)
def test_the_reader_refuses_in_one_sentence_and_the_schema_refuses_too(change: dict[str, Any], sentence: str) -> None:
    document = {**SMALLEST, **change}

    with pytest.raises(ContractError) as caught:
        read(json.dumps(document), warn=pytest.fail)

    assert str(caught.value) == f"run request: {sentence}{NEXT_STEP}"
    assert not SCHEMA.is_valid(document)


def test_a_contradiction_inside_the_executor_is_refused_with_its_place() -> None:
    with pytest.raises(ContractError) as caught:
        read(json.dumps({**SMALLEST, "executor": {"workers": 2}}), warn=pytest.fail)

    assert str(caught.value) == (
        f"run request: executor.workers is given for an inline executor, expected the type dask with it.{NEXT_STEP}"
    )


def test_a_range_of_workers_that_is_none_is_refused_with_its_place() -> None:
    with pytest.raises(ContractError) as caught:
        read(json.dumps({**SMALLEST, "workers": {"min_workers": 3, "max_workers": 2}}), warn=pytest.fail)

    assert str(caught.value) == (
        f"run request: workers.min_workers is 3, expected at most the 2 of max_workers.{NEXT_STEP}"
    )


@pytest.mark.parametrize("count", [(0, 1), (2, 4), (4, 4), (1, 1)])
def test_as_many_workers_as_the_environment_may_have_are_allowed(count: tuple[int, int]) -> None:
    check_workers(dask_pods(), WorkerCount(min_workers=count[0], max_workers=count[1]), subject="x")


@pytest.mark.parametrize(
    ("environment", "sentence"),
    [
        (dask_pods(), "max_workers is 5, expected at most the 4 that the stack allows."),
        (LOCAL, "workers is given, expected none: the environment provisions no workers."),
    ],
)
def test_more_workers_than_the_environment_may_have_are_refused(environment: Environment, sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        check_workers(environment, WorkerCount(min_workers=0, max_workers=5), subject="run request")

    step = "Ask for fewer, or raise max_workers of the stack and `pulumi up`."
    assert str(caught.value) == f"run request: {sentence} {step}"


@pytest.mark.parametrize("version", [2, 0, "1", True, 1.5])
def test_another_version_is_refused_by_its_number(version: object) -> None:
    with pytest.raises(ContractError) as caught:
        read(json.dumps({**SMALLEST, "schema_version": version}), warn=pytest.fail)

    assert str(caught.value).startswith(
        f"run request: schema_version is {json.dumps(version)}, expected 1, the version that this penstock reads."
    )


def test_unknown_keys_warn_by_path() -> None:
    warnings: list[str] = []

    assert (
        read(json.dumps({**SMALLEST, "deadline": 7, "callbacks": {"on_fail": "a:b"}}), warn=warnings.append) == MINIMAL
    )
    assert warnings == [
        f"The run request has the key {path}, which this version of penstock does not know."
        for path in ("deadline", "callbacks.on_fail")
    ]


def test_a_request_that_is_too_large_is_refused_with_its_size() -> None:
    data = to_bytes({**SMALLEST, "parameters": {"text": "x" * MAX_BYTES}})

    with pytest.raises(ContractError, match=rf"^run request is {len(data):,} bytes long, expected at most 1,048,576\."):
        read(data, warn=pytest.fail)


@given(REQUESTS)
def test_every_request_is_read_back_from_its_bytes(request_: RunRequest) -> None:
    data = to_bytes(request_)

    again = read(data, warn=pytest.fail)

    assert again == request_
    assert to_bytes(again) == data
    assert SCHEMA.is_valid(json.loads(data))


@given(st.binary(max_size=200) | ANY_TEXT | HOSTILE.map(json.dumps) | mutations(to_bytes(FULL)))
def test_nothing_that_is_read_raises_anything_but_a_contract_error(data: bytes | str) -> None:
    try:
        request_ = read(data, warn=lambda _: None)
    except ContractError:
        return
    assert read(to_bytes(request_), warn=pytest.fail) == request_
