"""What differs between two values, and what is only written in another way."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stacks.review.comparing import changes
from stacks.review.values import SECRET, UNKNOWN

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from([SECRET, UNKNOWN]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=10,
)
FLOW = {"name": "flow", "image": "a", "environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]}
SIDE = {"name": "side", "image": "b"}


def differing(before: Any, after: Any) -> list[tuple[str, Any, Any]]:
    return [(change.path, change.before, change.after) for change in changes(before, after)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"cpu": "256", "on": "true", "size": 4.0}, {"cpu": 256, "on": True, "size": "4"}),
        ({"a": None, "b": [], "c": {}, "d": ""}, {}),
        ({"__defaults": ["a"]}, {"__defaults": []}),
        ({"subnets": ["a", "b"]}, {"subnets": ["b", "a"]}),
        ({"definitions": json.dumps([FLOW, SIDE])}, {"definitions": json.dumps([SIDE, FLOW], indent=4)}),
        ({"policy": '{"a": [1], "b": 2}'}, {"policy": {"b": 2, "a": [1]}}),
        ({"containers": [FLOW]}, {"containers": [{**FLOW, "environment": FLOW["environment"][::-1], "mounts": []}]}),
        (UNKNOWN, UNKNOWN),
    ],
    ids=range(9),
)
def test_what_means_the_same_is_no_change(before: Any, after: Any) -> None:
    assert differing(before, after) == []


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": {"b": 1}}, {}, [("a.b", 1, None)]),
        (None, {"a": {"b": [1]}}, [("a.b", None, [1])]),
        ({"a": UNKNOWN}, {"a": SECRET}, [("a", UNKNOWN, SECRET)]),
        ({"a": "x"}, {"a": SECRET}, [("a", "x", SECRET)]),
        ({"a": ["x"]}, {"a": ["x", "y"]}, [("a", ["x"], ["x", "y"])]),
        ({"a": "1"}, {"a": "01"}, [("a", "1", "01")]),
        (
            {"containers": json.dumps([FLOW])},
            {"containers": json.dumps([SIDE, {**FLOW, "environment": [{"name": "A", "value": "9"}]}])},
            [
                ("containers[flow].environment[A].value", "1", "9"),
                ("containers[flow].environment[B].name", "B", None),
                ("containers[flow].environment[B].value", "2", None),
                ("containers[side].image", None, "b"),
                ("containers[side].name", None, "side"),
            ],
        ),
        ({"rules": [{"port": 1}]}, {"rules": [{"port": 2}]}, [("rules[0].port", 1, 2)]),
        (
            {"rules": [{"port": 1}, {"port": 2}]},
            {"rules": [{"port": 2}]},
            [("rules", [{"port": 1}, {"port": 2}], [{"port": 2}])],
        ),
        ({"a": [[1], [2]]}, {"a": [[2], [1]]}, [("a", [[1], [2]], [[2], [1]])]),
    ],
    ids=range(11),
)
def test_each_field_that_differs_is_told_once_by_its_path(before: Any, after: Any, found: Any) -> None:
    assert differing(before, after) == found


@given(before=VALUES, after=VALUES)
def test_a_value_differs_from_another_but_never_from_itself(before: Any, after: Any) -> None:
    assert differing(before, before) == []
    assert bool(differing(before, after)) == bool(differing(after, before))
    assert [path for path, _, _ in differing(before, after)] == sorted(path for path, _, _ in differing(after, before))
