"""Reading JSON from outside: every fault is one sentence that names the place, and nothing else comes out."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner import contract
from runner.contract import MAX_BYTES, MAX_DEPTH, broken_rule, decode, describe, option, parse_json, to_bytes
from runner.errors import ContractError
from runner.outcome import ExitCode
from tests.runner.strategies import ANY_TEXT, HOSTILE, JSON


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, kw_only=True)
class Part:
    weight: float = option(1, above=0, maximum=10)
    colour: Colour = Colour.RED
    serial: str = field(default="", metadata={"key": "class"})


@dataclass(frozen=True, kw_only=True)
class Thing:
    name: str = option(pattern="[a-z]+", meaning="lower-case letters")
    count: int = option(0, minimum=0)
    ready: bool = False
    part: Part | None = None
    parts: tuple[Part, ...] = ()
    marks: Mapping[str, int] = option({}, keys="[a-z]", keys_meaning="one letter")
    anything: object = None

    def __post_init__(self) -> None:
        if self.name == "forbidden":
            raise broken_rule("name", "forbidden", "another")


@dataclass(frozen=True, kw_only=True)
class Crate:
    thing: Thing


def read(value: object, *, warnings: list[str] | None = None) -> Thing:
    warn = pytest.fail if warnings is None else warnings.append
    return decode(Thing, value, subject="thing", next_step="Mend it.", warn=warn)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"\xff", "is text with characters that are not Unicode, expected UTF-8."),
        (b'"\\ud800"', "is text with characters that are not Unicode, expected UTF-8."),
        (b'{"\\udfff": 1}', "is text with characters that are not Unicode, expected UTF-8."),
        ('"\ud800"', "is text with characters that are not Unicode, expected UTF-8."),
        (b" " * (MAX_BYTES + 1), "is 1,048,577 bytes long, expected at most 1,048,576."),
        (b"[" * 100_000, "is nested too deeply, expected at most 64 levels."),
        (b'{"a":' * 100_000, "is nested too deeply, expected at most 64 levels."),
        (b"[" * 65 + b"1" + b"]" * 65, "is nested too deeply, expected at most 64 levels."),
        (b'{"a": 1, "b": {"c": 1, "c": 1}}', "is an object with the key 'c' twice, expected each key once."),
        (b'{"a": 1, "\\u0061": 2}', "is an object with the key 'a' twice, expected each key once."),
        (b"[NaN]", "is NaN, expected a number."),
        (b"-Infinity", "is -Infinity, expected a number."),
        (b"", "is not JSON (Expecting value: line 1 column 1 (char 0)), expected a JSON object."),
        (b"nul", "is not JSON (Expecting value: line 1 column 1 (char 0)), expected a JSON object."),
        (b"{} {}", "is not JSON (Extra data: line 1 column 4 (char 3)), expected a JSON object."),
    ],
    ids=lambda value: str(value)[:24],
)
def test_what_is_not_sound_json_is_refused_in_one_sentence(data: bytes | str, sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        parse_json(data, subject="thing", next_step="Mend it.")

    assert str(caught.value) == f"thing {sentence} Mend it."
    assert caught.value.exit_code is ExitCode.BAD_DOCUMENT


@pytest.mark.parametrize("data", [b"1e999", b"[-1e999]", b"1" * 5000, b"\xef\xbb\xbf{}", b"'a'", b'"\t"'])
def test_what_only_some_readers_take_is_no_json(data: bytes) -> None:
    with pytest.raises(ContractError, match=r"^thing is not JSON \("):
        parse_json(data, subject="thing")


def test_a_key_that_is_there_twice_is_found_quickly_among_very_many() -> None:
    items = ",".join(f'"{number}":1' for number in range(90_000))

    with pytest.raises(ContractError, match="the key '89999' twice"):
        parse_json(f'{{{items},"89999":1}}', subject="thing")


def test_a_key_of_any_length_gives_a_short_message() -> None:
    with pytest.raises(ContractError) as caught:
        parse_json(json.dumps({"k" * 100_000: 1})[:-1] + f', "{"k" * 100_000}": 1}}', subject="thing")

    assert len(str(caught.value)) < 200


def test_the_largest_and_deepest_are_still_read() -> None:
    deepest = b"[" * MAX_DEPTH + b"1" + b"]" * MAX_DEPTH
    padded = deepest.ljust(MAX_BYTES)

    assert to_bytes(parse_json(padded, subject="thing")) == deepest


@pytest.mark.parametrize("value", ["\0", "a\u2028b", {"": []}, [1e-300, -0.0, 2**63]])
def test_every_other_json_is_read_as_it_is(value: object) -> None:
    assert parse_json(json.dumps(value), subject="thing") == value


@given(st.binary(max_size=200) | ANY_TEXT)
def test_no_bytes_and_no_text_raise_anything_but_a_contract_error(data: bytes | str) -> None:
    try:
        parse_json(data, subject="thing")
    except ContractError as error:
        assert str(error).startswith("thing is ")  # noqa: PT017 most inputs are no JSON, some are


@given(JSON)
def test_what_is_written_is_read_back_as_the_same_bytes(value: object) -> None:
    data = to_bytes(value)

    assert to_bytes(parse_json(data, subject="thing")) == data


def test_an_object_is_read_with_all_that_is_in_it() -> None:
    value = {
        "name": "box",
        "count": 2,
        "ready": True,
        "part": {"weight": 2.5, "colour": "blue", "class": "x1"},
        "parts": [{}, {"weight": 3}],
        "marks": {"a": 1},
        "anything": [{"deep": None}],
    }

    assert read(value) == Thing(
        name="box",
        count=2,
        ready=True,
        part=Part(weight=2.5, colour=Colour.BLUE, serial="x1"),
        parts=(Part(), Part(weight=3)),
        marks={"a": 1},
        anything=[{"deep": None}],
    )


def test_absent_keys_have_their_defaults_and_mutable_ones_are_not_shared() -> None:
    first, second = read({"name": "a"}), read({"name": "a"})

    assert first == second == Thing(name="a")
    assert first.marks is not second.marks


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "thing is a list of 0, expected a JSON object."),
        (None, "thing is null, expected a JSON object."),
        ({}, "thing: name is missing, expected a value."),
        ({"name": 5}, "thing: name is 5, expected lower-case letters."),
        ({"name": "box\n"}, 'thing: name is "box\\n", expected lower-case letters.'),
        ({"name": None}, "thing: name is null, expected lower-case letters."),
        ({"name": "forbidden"}, "thing: name is forbidden, expected another."),
        ({"name": "a", "count": -1}, "thing: count is -1, expected a whole number of at least 0."),
        ({"name": "a", "count": True}, "thing: count is true, expected a whole number of at least 0."),
        ({"name": "a", "count": 1.0}, "thing: count is 1.0, expected a whole number of at least 0."),
        ({"name": "a", "ready": 1}, "thing: ready is 1, expected true or false."),
        ({"name": "a", "ready": None}, "thing: ready is null, expected true or false."),
        ({"name": "a", "part": 1}, "thing: part is 1, expected an object."),
        ({"name": "a", "part": {"weight": 0}}, "thing: part.weight is 0, expected a number above 0 and of at most 10."),
        (
            {"name": "a", "part": {"weight": True}},
            "thing: part.weight is true, expected a number above 0 and of at most 10.",
        ),
        ({"name": "a", "part": {"colour": "green"}}, 'thing: part.colour is "green", expected one of red, blue.'),
        ({"name": "a", "part": {"colour": ["red"]}}, "thing: part.colour is a list of 1, expected one of red, blue."),
        ({"name": "a", "part": {"class": 1}}, "thing: part.class is 1, expected text."),
        ({"name": "a", "part": {"class": "\0"}}, 'thing: part.class is "\\u0000", expected text.'),
        ({"name": "a", "parts": {}}, "thing: parts is an object with 0 keys, expected a list."),
        (
            {"name": "a", "parts": [{}, {"weight": "2"}]},
            'thing: parts[1].weight is "2", expected a number above 0 and of at most 10.',
        ),
        ({"name": "a", "marks": []}, "thing: marks is a list of 0, expected a mapping."),
        ({"name": "a", "marks": {"ab": 1}}, 'thing: a key of marks is "ab", expected one letter.'),
        ({"name": "a", "marks": {"b": "1"}}, 'thing: marks.b is "1", expected a whole number.'),
    ],
)
def test_a_value_of_the_wrong_type_is_refused_with_its_path(value: object, sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        read(value)

    assert str(caught.value) == f"{sentence} Mend it."


@pytest.mark.parametrize("number", [10**400, -(10**400), float("inf"), float("nan")])
def test_numbers_that_no_float_can_be_are_refused(number: float) -> None:
    with pytest.raises(ContractError, match=r"^thing: part\.weight is .*, expected a number above 0"):
        read({"name": "a", "part": {"weight": number}})


def test_a_rule_broken_inside_an_object_is_told_with_its_place() -> None:
    with pytest.raises(ContractError) as caught:
        decode(Crate, {"thing": {"name": "forbidden"}}, subject="crate", warn=pytest.fail)

    assert str(caught.value) == "crate: thing.name is forbidden, expected another."


def test_unknown_keys_are_warned_about_by_path_and_passed_by() -> None:
    warnings: list[str] = []

    thing = read({"name": "a", "nmae": 1, "part": {"x": 1}, "parts": [{}, {"y": {"z": 1}}]}, warnings=warnings)

    assert thing == Thing(name="a", part=Part(), parts=(Part(), Part()))
    assert warnings == ["nmae", "part.x", "parts[1].y"]


@given(HOSTILE)
def test_no_json_value_raises_anything_but_a_contract_error(value: object) -> None:
    for candidate in (
        value,
        {"name": "a", "part": value},
        {"name": "a", "parts": [value]},
        {"name": "a", "marks": value},
    ):
        try:
            decode(Thing, candidate, subject="thing", warn=lambda _: None)
        except ContractError as error:
            assert error.subject == "thing"  # noqa: PT017 some values are sound


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"a": 1, "b": 2}, "an object with 2 keys"),
        ((1, 2, 3), "a list of 3"),
        ("ü\n", '"ü\\n"'),
        (None, "null"),
        (object, "\"<class 'object'>\""),
        ("x" * 100, f'"{"x" * 59}…'),
    ],
)
def test_values_are_described_in_a_few_words(value: Any, words: str) -> None:
    assert describe(value) == words


def test_equal_values_are_equal_bytes_whatever_their_order() -> None:
    one = Thing(name="a", marks={"a": 1, "b": 2}, anything={"y": (1, 2), "x": Colour.RED})
    other = Thing(name="a", marks={"b": 2, "a": 1}, anything={"x": "red", "y": [1, 2]})

    assert to_bytes(one) == to_bytes(other)
    assert to_bytes(Part(serial="ü")) == '{"class":"ü","colour":"red","weight":1}'.encode()


def test_what_json_cannot_write_is_not_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_bytes({"a": float("nan")})


def test_a_file_that_cannot_be_read_is_told_with_its_path_and_reason() -> None:
    error = contract.unreadable("thing", "/no/file", FileNotFoundError(2, "No such file or directory"))

    assert str(error) == (
        "thing is not readable at /no/file (No such file or directory), expected a JSON file. "
        "Name a file that exists and that you may read."
    )
