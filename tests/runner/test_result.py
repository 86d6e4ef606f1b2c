"""What a flow returned, in its outcome: whole when that can carry it, else in words. A flow that succeeded stays so."""

import json
from collections import namedtuple
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from runner.contract import MAX_DEPTH, decode, parse_json, to_bytes
from runner.outcome import MAX_RESULT_BYTES, Outcome, State
from runner.result import fit
from tests.runner.strategies import HOSTILE

Point = namedtuple("Point", "x y")


class Colour(StrEnum):
    RED = "red"


class Mute:
    def __repr__(self) -> str:
        raise RuntimeError("no words")


class Odd:
    def __repr__(self) -> str:
        return "odd\0\ud800"


class Refusing(dict[str, int]):
    def items(self) -> Any:
        raise RuntimeError("not now")


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def as_read_back(value: object) -> Outcome:
    """The outcome with this return value, after it has been written and read."""
    result, described = fit(value, artifacts=None)
    data = to_bytes(Outcome(run_id="r", state=State.SUCCEEDED, result=result, result_repr=described))
    return decode(Outcome, parse_json(data, subject="outcome"), subject="outcome", warn=pytest.fail)


@pytest.mark.parametrize(
    ("value", "result"),
    [
        ({"rows": [1, 2.5, None, True], "stadt": "Köln\0"}, {"rows": [1, 2.5, None, True], "stadt": "Köln\0"}),
        (0, 0),
        (False, False),
        ("", ""),
        ([], []),
        ((1, (2,)), [1, [2]]),
        (Point(1, 2), [1, 2]),
        (Colour.RED, "red"),
        ({1: "a", None: "b", 2.5: "c"}, {"1": "a", "null": "b", "2.5": "c"}),
        (2**70, 2**70),
        (nested(MAX_DEPTH - 1), nested(MAX_DEPTH - 1)),
    ],
)
def test_json_is_the_result(value: object, result: object) -> None:
    assert as_read_back(value).result == result
    assert as_read_back(value).result_repr is None


def test_a_flow_that_returns_nothing_has_no_result() -> None:
    assert fit(None, artifacts=None) == (None, None)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({1}, "{1}: not JSON (Object of type set is not JSON serializable)"),
        (
            date(2026, 1, 31),
            "datetime.date(2026, 1, 31): not JSON (Object of type date is not JSON serializable)",
        ),
        (b"ab", "b'ab': not JSON (Object of type bytes is not JSON serializable)"),
        (
            {(1, 2): 3},
            "{(1, 2): 3}: not JSON (keys must be str, int, float, bool or None, not tuple)",
        ),
        (
            {1: "a", "1": "b"},
            (
                "{1: 'a', '1': 'b'}: not JSON that an outcome carries "
                "(an object with the key '1' twice, expected each key once)"
            ),
        ),
        (Mute(), "<Mute whose repr raises RuntimeError>: not JSON (Object of type Mute is not JSON serializable)"),
        (Odd(), "odd\\0\\ud800: not JSON (Object of type Odd is not JSON serializable)"),
        (Refusing(a=1), "{'a': 1}: not JSON (not now)"),
    ],
)
def test_what_is_not_json_is_told_in_words(value: object, words: str) -> None:
    assert as_read_back(value).result is None
    assert as_read_back(value).result_repr == words


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (float("nan"), "not JSON (Out of range float values"),
        ([float("inf")], "not JSON (Out of range float values"),
        ("\ud800", "surrogates not allowed"),
        (10**5000, "<int whose repr raises ValueError>"),
        (nested(5000), "not JSON"),  # how deep Python itself goes differs between its versions
        (nested(MAX_DEPTH), "not JSON that an outcome carries (nested too deeply, expected at most 64 levels)"),
        (nested(500), "not JSON that an outcome carries (nested too deeply, expected at most 64 levels)"),
    ],
    ids=["nan", "infinity", "surrogate", "long integer", "very deep", "one level too deep", "deep"],
)
def test_what_only_looks_like_json_is_told_in_words_too(value: object, reason: str) -> None:
    assert as_read_back(value).result is None
    assert reason in str(as_read_back(value).result_repr)


def test_a_value_that_contains_itself_is_told_in_words() -> None:
    value: list[object] = []
    value.append(value)

    assert as_read_back(value).result_repr == "[[...]]: not JSON (Circular reference detected)"


def test_a_long_value_is_told_in_its_first_words() -> None:
    words = str(as_read_back({*range(10_000)}).result_repr)

    assert words.startswith("{0, 1, 2")
    assert len(words) < 300


def test_the_largest_result_is_carried_and_a_larger_one_is_kept_as_an_artifact(tmp_path: Path) -> None:
    largest = "x" * (MAX_RESULT_BYTES - 2)

    assert fit(largest, artifacts=str(tmp_path)) == (largest, None)
    assert list(tmp_path.iterdir()) == []
    result, words = fit(largest + "ü", artifacts=str(tmp_path))
    assert result is None
    assert str(words).endswith(": 262,146 bytes of JSON, more than the 262,144 that an outcome carries; "
                               "kept as the artifact result.json")  # fmt: skip
    assert json.loads((tmp_path / "result.json").read_bytes()) == largest + "ü"


def test_a_large_result_that_cannot_be_kept_is_told_with_the_reason(tmp_path: Path) -> None:
    value = ["x" * MAX_RESULT_BYTES]

    assert str(fit(value, artifacts=str(tmp_path / "gone"))[1]).endswith(
        "and it could not be kept (No such file or directory)"
    )
    assert str(fit(value, artifacts=None)[1]).endswith("that an outcome carries")


@given(HOSTILE)
def test_whatever_a_flow_returns_its_outcome_can_be_read(value: object) -> None:
    outcome = as_read_back(value)

    assert outcome.result is None or outcome.result_repr is None
