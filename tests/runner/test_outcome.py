"""The outcome: what is written is what is read, and its schema says the same."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from runner.contract import decode, parse_json, to_bytes
from runner.errors import ContractError
from runner.outcome import Artifact, ExitCode, Failure, FailureClass, LogSummary, Outcome, State
from tests.runner.strategies import ANY_TEXT, HOSTILE, OUTCOMES, mutations

MINIMAL = Outcome(run_id="flights-1", state=State.QUEUED)
FULL = Outcome(
    run_id="flights-1",
    attempt=2,
    environment="analysts",
    kind="local",
    flow="flow.py:main",
    state=State.FAILED,
    exit_code=ExitCode.FLOW_FAILED,
    failure=Failure(
        failure_class=FailureClass.FLOW,
        message="ValueError: no such city",
        detail="Traceback (most recent call last):\n…",
        next_step="Name another city.",
        evidence="exit status 1",
    ),
    waiting=Failure(failure_class=FailureClass.QUOTA, message="exceeded quota: pods=5", next_step="Wait."),
    result={"rows": [1, 2.5, None], "stadt": "Köln"},
    result_repr="<DataFrame>",
    ledger={"started": 0.25, "flow_called": 1, "flow_ended": 3.5, "finished": 3.75},
    log=LogSummary(lines=3, sha256="ab" * 32),
    artifacts=(Artifact(name="plots/a b.png", path="/state/plots/a b.png"),),
    partial=True,
)
DOCUMENTS = {"outcome-minimal.json": MINIMAL, "outcome-full.json": FULL}
SCHEMA_FILE = Path(__file__).parents[2] / "runner" / "outcome.schema.json"
SCHEMA = Draft202012Validator(json.loads(SCHEMA_FILE.read_text()))


def read(data: bytes | str) -> Outcome:
    value = parse_json(data, subject="outcome")
    return decode(Outcome, value, subject="outcome", warn=lambda _: None)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_an_outcome_is_written_as_the_same_bytes_as_ever_and_read_back_from_them(name: str, golden: Any) -> None:
    data = to_bytes(DOCUMENTS[name])

    golden(name, data)
    assert read(data) == DOCUMENTS[name]
    assert list(SCHEMA.iter_errors(json.loads(data))) == []


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"run_id": None}, "outcome: run_id is null, expected text."),
        (
            {"state": "done"},
            'outcome: state is "done", expected one of succeeded, failed, cancelled, queued, running, unknown.',
        ),
        ({"exit_code": "1"}, 'outcome: exit_code is "1", expected a whole number.'),
        ({"failure": {"class": "flow"}}, "outcome: failure.message is missing, expected a value."),
        (
            {"failure": {"class": "typo", "message": ""}},
            (
                'outcome: failure.class is "typo", expected one of flow, crash, oom, deadline, cancelled, image, '
                "registry, quota, unschedulable, config, never-started, preempted, internal."
            ),
        ),
        ({"ledger": {"started": "1"}}, 'outcome: ledger.started is "1", expected a number.'),
        ({"artifacts": [{"name": "a"}]}, "outcome: artifacts[0].path is missing, expected a value."),
        ({"log": None}, "outcome: log is null, expected an object."),
        ({"waiting": {"class": "quota"}}, "outcome: waiting.message is missing, expected a value."),
        ({"partial": None}, "outcome: partial is null, expected true or false."),
    ],
    ids=json.dumps,
)
def test_the_reader_refuses_in_one_sentence_and_the_schema_refuses_too(change: dict[str, Any], sentence: str) -> None:
    document = {**json.loads(to_bytes(MINIMAL)), **change}

    with pytest.raises(ContractError) as caught:
        read(json.dumps(document))

    assert str(caught.value) == sentence
    assert not SCHEMA.is_valid(document)


def test_the_hash_of_no_output_is_that_of_no_bytes() -> None:
    assert LogSummary().sha256 == hashlib.sha256(b"").hexdigest()


def test_a_run_has_ended_in_exactly_these_states() -> None:
    assert {state for state in State if state.ended} == {State.SUCCEEDED, State.FAILED, State.CANCELLED}


def test_an_outcome_is_whole_and_waits_for_nothing_unless_it_says_so() -> None:
    old = {key: value for key, value in json.loads(to_bytes(MINIMAL)).items() if key not in {"waiting", "partial"}}

    assert (read(json.dumps(old)).waiting, read(json.dumps(old)).partial) == (None, False)


@given(OUTCOMES)
def test_every_outcome_is_read_back_from_its_bytes(outcome: Outcome) -> None:
    data = to_bytes(outcome)

    again = read(data)

    assert again == outcome
    assert to_bytes(again) == data
    assert SCHEMA.is_valid(json.loads(data))


@given(st.binary(max_size=200) | ANY_TEXT | HOSTILE.map(json.dumps) | mutations(to_bytes(FULL)))
def test_nothing_that_is_read_raises_anything_but_a_contract_error(data: bytes | str) -> None:
    try:
        outcome = read(data)
    except ContractError:
        return
    assert read(to_bytes(outcome)) == outcome
