"""Converting one value to the type of its annotation."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum, IntEnum, StrEnum
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, NamedTuple, NewType, Optional, TypedDict, TypeVar, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.convert import Mismatch, convert
from runner.hints import CLIENT, is_client
from tests.runner.annotated_flows import Window
from tests.runner.strategies import ANY_TEXT, HOSTILE


class Colour(StrEnum):
    RED = "red"
    BLUE = "blau"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Plain(Enum):
    A = 1.5
    B = "b"


@dataclass
class Inner:
    day: date
    kind: Colour = Colour.RED


@dataclass
class Outer:
    inner: Inner
    counts: list[int] = field(default_factory=list)
    hidden: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if len(self.counts) > 2:
            raise KeyError("more than two counts")


@dataclass
class Tree:
    value: int = 0
    next: "Tree | None" = None


@dataclass
class Seeded:
    seed: InitVar[int]
    value: int = 0


class Point(NamedTuple):
    x: int
    y: int


class Row(TypedDict):
    a: int


UserId = NewType("UserId", int)
AdminId = NewType("AdminId", UserId)
Days = Annotated[int, "in days"]
OldOptional = Optional[int]  # noqa: UP045 as people write it
OldUnion = Union[int, str]  # noqa: UP007 as people write it
T = TypeVar("T")


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (int, "7", 7),
        (int, " -7 ", -7),
        (int, 7, 7),
        (int, "9" * 4000, int("9" * 4000)),
        (float, "2.5", 2.5),
        (float, 2, 2.0),
        (float, "1e3", 1000.0),
        (bool, "yes", True),
        (bool, "OFF", False),
        (bool, "1", True),
        (bool, False, False),
        (str, "7", "7"),
        (str, "", ""),
        (date, "2026-01-31", date(2026, 1, 31)),
        (datetime, "2026-01-31T08:30:00+00:00", datetime(2026, 1, 31, 8, 30, tzinfo=UTC)),
        (datetime, "2026-01-31", datetime(2026, 1, 31)),
        (timedelta, "90", timedelta(seconds=90)),
        (timedelta, "-1.5", timedelta(seconds=-1.5)),
        (timedelta, "1h30m", timedelta(minutes=90)),
        (timedelta, "1w 2d 250ms", timedelta(days=9, milliseconds=250)),
        (timedelta, 0.00001, timedelta(microseconds=10)),
        (timedelta, 10**10, timedelta(seconds=10**10)),
        (Path, "a/b", Path("a/b")),
        (PurePosixPath, "/a", PurePosixPath("/a")),
        (Colour, "blau", Colour.BLUE),
        (Colour, "BLUE", Colour.BLUE),
        (Level, "2", Level.HIGH),
        (Level, 2, Level.HIGH),
        (Level, "LOW", Level.LOW),
        (Plain, "1.5", Plain.A),
        (list[int], "1,2, 3", [1, 2, 3]),
        (list[int], "[1, 2]", [1, 2]),
        (list[int], [1, "2"], [1, 2]),
        (list[int], "5", [5]),
        (list[int], "", []),
        (list, "a,b", ["a", "b"]),
        (list[list[int]], "[[1], [2, 3]]", [[1], [2, 3]]),
        (tuple[int, str], '[1, "x"]', (1, "x")),
        (tuple[int, ...], "1,2", (1, 2)),
        (tuple, [1, "x"], (1, "x")),
        (set[str], "a,b,a", {"a", "b"}),
        (frozenset[int], [1, 1], frozenset({1})),
        (Sequence[float], "1,2", [1.0, 2.0]),
        (Iterable[int], "1,2", [1, 2]),
        (dict[str, int], '{"a": "1"}', {"a": 1}),
        (dict[int, list[int]], {"1": "2,3"}, {1: [2, 3]}),
        (Mapping[Colour, int], {"red": 1}, {Colour.RED: 1}),
        (dict, {"a": [1]}, {"a": [1]}),
        (Row, {"a": 1}, {"a": 1}),
        (int | None, None, None),
        (int | None, "none", None),
        (int | None, "NULL", None),
        (str | None, "none", "none"),
        (OldOptional, "3", 3),
        (OldUnion, "3", 3),
        (OldUnion, "x", "x"),
        (int | list[int], "1,2", [1, 2]),
        (date | Colour, "red", Colour.RED),
        (Literal["a", 1], "a", "a"),
        (Literal["a", 1], "1", 1),
        (Literal["a", 1], 1, 1),
        (Literal[True], True, True),
        (Days, "3", 3),
        (Annotated[list[Days], 1], "3", [3]),
        (UserId, "3", 3),
        (AdminId, "3", 3),
        (Inner, '{"day": "2026-01-31"}', Inner(date(2026, 1, 31))),
        (
            Outer,
            {"inner": {"day": "2026-01-31", "kind": "blau"}, "counts": "1,2"},
            Outer(Inner(date(2026, 1, 31), Colour.BLUE), [1, 2]),
        ),
        (Tree, {"next": {"value": "1"}}, Tree(next=Tree(value=1))),
        (Window, {"days": "3", "price": "as it is"}, Window(days="3", price="as it is")),  # type: ignore[arg-type]
    ],
)
def test_a_value_becomes_what_the_annotation_asks_for(hint: object, value: object, expected: object) -> None:
    converted = convert(hint, value, "p")

    assert converted == expected
    assert type(converted) is type(expected)


@pytest.mark.parametrize("hint", [None, object, Any, T, Decimal, bytes, Point, type, "int", CLIENT, type[int]])
@pytest.mark.parametrize("value", ["7", None, [1], {"a": 1}])
def test_an_annotation_that_is_not_known_takes_every_value_as_it_is(hint: object, value: object) -> None:
    assert convert(hint, value, "p") is value


DURATION = "a duration such as 90s, 1h30m or 2d, or a number of seconds"
LIST = "a list, as JSON or as items with commas between"


@pytest.mark.parametrize(
    ("hint", "value", "sentence"),
    [
        (int, "7.5", 'p is "7.5", expected a whole number'),
        (int, 7.0, "p is 7.0, expected a whole number"),
        (int, True, "p is true, expected a whole number"),
        (int, None, "p is null, expected a whole number"),
        (int, "9" * 5000, f'p is "{"9" * 59}…, expected a whole number'),
        (float, "much", 'p is "much", expected a number'),
        (float, False, "p is false, expected a number"),
        (float, [1], "p is a list of 1, expected a number"),
        (bool, "maybe", 'p is "maybe", expected true or false'),
        (bool, 1, "p is 1, expected true or false"),
        (str, 7, "p is 7, expected text"),
        (str, {"a": 1}, "p is an object with 1 keys, expected text"),
        (date, "31.1.2026", 'p is "31.1.2026", expected a date such as 2026-01-31'),
        (date, 20260131, "p is 20260131, expected a date such as 2026-01-31"),
        (datetime, "noon", 'p is "noon", expected a time such as 2026-01-31T08:30:00+01:00'),
        (timedelta, "1y", f'p is "1y", expected {DURATION}'),
        (timedelta, "", f'p is "", expected {DURATION}'),
        (timedelta, True, f"p is true, expected {DURATION}"),
        (timedelta, 1e300, f"p is 1e+300, expected {DURATION}"),
        (timedelta, "9" * 400, f'p is "{"9" * 59}…, expected {DURATION}'),
        (Path, "", 'p is "", expected a path'),
        (Path, "a\0b", 'p is "a\\u0000b", expected a path'),
        (Path, 1, "p is 1, expected a path"),
        (Colour, "green", 'p is "green", expected one of red, blau'),
        (Level, "3", 'p is "3", expected one of 1, 2'),
        (Level, True, "p is true, expected one of 1, 2"),
        (Literal["a", 1], True, "p is true, expected one of a, 1"),
        (Literal["a", 1], "b", 'p is "b", expected one of a, 1'),
        (list[int], "1,x", 'p[1] is "x", expected a whole number'),
        (list[int], {"a": 1}, f"p is an object with 1 keys, expected {LIST}"),
        (list[int], 5, f"p is 5, expected {LIST}"),
        (list[float], "[NaN]", 'p[0] is "[NaN]", expected a number'),
        (tuple[int, str], "[1]", "p is a list of 1, expected a list of 2"),
        (set, [[1]], "p is a list of 1, expected items that can be in a set: no lists and no mappings"),
        (set[list[int]], "[[1]]", "p is a list of 1, expected items that can be in a set: no lists and no mappings"),
        (dict[str, int], '{"a": "x"}', 'p.a is "x", expected a whole number'),
        (dict[str, int], "a=1", 'p is "a=1", expected a JSON object'),
        (dict[str, int], '{"a": 1, "a": 2}', 'p is "{\\"a\\": 1, \\"a\\": 2}", expected a JSON object'),
        (dict[int, int], {"x": 1}, 'a key of p is "x", expected a whole number'),
        (dict[list[int], int], {"1,2": 1}, "a key of p is a list or mapping, expected a key that can be hashed"),
        (int | None, "x", 'p is "x", expected a whole number'),
        (int | bool, "x", 'p is "x", expected a whole number or true or false'),
        (Inner, "x", 'p is "x", expected a JSON object with day, kind'),
        (Inner, {}, "p.day is missing, expected a value"),
        (Inner, {"day": "x"}, 'p.day is "x", expected a date such as 2026-01-31'),
        (
            Inner,
            {"day": "2026-01-31", "kin": "red"},
            "p.kin is not known (Did you mean 'kind'?), expected one of day, kind",
        ),
        (Inner, {"day": "2026-01-31", "zzz": 1}, "p.zzz is not known (no near match), expected one of day, kind"),
        (Outer, {"inner": {"day": "2026"}}, 'p.inner.day is "2026", expected a date such as 2026-01-31'),
        (
            Outer,
            {"inner": {"day": "2026-01-31"}, "counts": [1, 2, 3]},
            "p is refused by Outer ('more than two counts'), expected values that it takes",
        ),
        (
            Outer,
            {"inner": {"day": "2026-01-31"}, "hidden": 1},
            "p.hidden is not known (no near match), expected one of inner, counts",
        ),
    ],
)
def test_a_value_of_another_type_is_told_with_its_place(hint: object, value: object, sentence: str) -> None:
    with pytest.raises(Mismatch) as caught:
        convert(hint, value, "p")

    assert f"{caught.value.path} is {caught.value.found}, expected {caught.value.expected}" == sentence


def test_json_in_a_text_may_be_no_deeper_than_that_of_a_request() -> None:
    nested = '{"next":' * 300 + "{}" + "}" * 300

    with pytest.raises(Mismatch, match="p"):
        convert(Tree, nested, "p")


def test_a_dataclass_that_wants_what_json_cannot_give_is_refused() -> None:
    with pytest.raises(Mismatch) as caught:
        convert(Seeded, {}, "p")

    assert caught.value.found.startswith("refused by Seeded (")


# Types that are made while the tests run, which mypy knows nothing of.
LIST_OF: Any = list
SET_OF: Any = set
TUPLE_OF: Any = tuple
DICT_OF: Any = dict
ONE_OF: Any = Union
SUPPORTED: list[Any] = [
    int,
    float,
    bool,
    str,
    date,
    datetime,
    timedelta,
    Path,
    Colour,
    Level,
    Plain,
    Inner,
    Outer,
    Tree,
    Seeded,
]
SUPPORTED += [Window, list, tuple, set, frozenset, dict, Row, Point, UserId, Days, None, Any, "int"]
HINTS: st.SearchStrategy[Any] = st.recursive(
    st.sampled_from([*SUPPORTED, Literal["a", 1, True, None]]),
    lambda inner: (
        inner.map(lambda hint: LIST_OF[hint])
        | inner.map(lambda hint: SET_OF[hint])
        | inner.map(lambda hint: TUPLE_OF[hint, ...])
        | inner.map(lambda hint: ONE_OF[hint, None])
        | st.tuples(inner, inner).map(lambda pair: DICT_OF[pair])
        | st.tuples(inner, inner).map(lambda pair: ONE_OF[pair])
        | st.tuples(inner, inner).map(lambda pair: TUPLE_OF[pair])
    ),
    max_leaves=4,
)
NEAR = st.sampled_from(
    ['{"day": "2026-01-31"}', '{"inner": {"day": "x"}}', "[[1]]", '{"a": []}', "1h", "[1, 2]", "none", '{"next": {}}']
)


@given(HINTS, HOSTILE | ANY_TEXT | NEAR | st.text(alphabet="0123456789.-+eE_dhms{}[],: \"'", max_size=12))
def test_whatever_the_annotation_and_the_value_there_is_a_result_or_a_mismatch(hint: object, value: object) -> None:
    try:
        convert(hint, value, "p")
    except Mismatch as error:
        assert error.found  # noqa: PT017 some values fit
        assert error.expected  # noqa: PT017


@pytest.mark.dask
def test_the_client_of_distributed_is_recognised() -> None:
    from distributed import Client

    for hint in (Client, Client | None, Optional[Client], Annotated[Client, "the cluster's"]):  # noqa: UP045
        assert is_client(hint)


@pytest.mark.parametrize(
    "hint",
    [
        "Client",
        "distributed.Client",
        "dask.distributed.Client",
        "Client | None",
        "None | distributed.Client",
        "Optional[Client]",
        "typing.Optional[distributed.Client]",
        Optional["Client"],
        CLIENT,
    ],
)
def test_the_name_of_a_client_is_recognised(hint: object) -> None:
    assert is_client(hint)


class Client:
    """Somebody else's client."""


@pytest.mark.parametrize("hint", [Client, "HttpClient", "boto3.Client", "list[Client]", None, int, "", Client | None])
def test_other_clients_are_not_taken_for_dasks(hint: object) -> None:
    assert not is_client(hint)
