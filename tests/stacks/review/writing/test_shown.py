"""Values in one line."""

from typing import Any

import pytest

from stacks.review.values import SECRET, UNKNOWN
from stacks.review.writing.shown import shown, visible


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("0.0.0.0/0", "0.0.0.0/0"),
        ("", ""),
        (True, "true"),
        (False, "false"),
        (None, "null"),
        (256, "256"),
        (256.0, "256"),
        (0.5, "0.5"),
        (1e300, "1e+300"),
        (float("inf"), "Infinity"),
        (UNKNOWN, "(known after the change)"),
        (SECRET, "(secret)"),
        (["b", 1.0, True, SECRET], '["b",1,true,"(secret)"]'),
        ({"b": {"y": UNKNOWN}, "a": [None]}, '{"a":[null],"b":{"y":"(known after the change)"}}'),
        ("é 日本", "é 日本"),
        ("x" * 300, "x" * 300),
        ("x" * 301, "x" * 300 + "... (301 characters in all)"),
        ("\x1b" * 200, "\\x1b" * 75 + "... (200 characters in all)"),
        (["y" * 2000], '["' + "y" * 298 + "... (2,004 characters in all)"),
    ],
)
def test_values_in_the_words_of_their_field(value: Any, expected: str) -> None:
    assert shown(value) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a\nb\r\n\tc", "a\\nb\\r\\n\\tc"),
        ("\x1b[31mred\x1b[0m\x07\x00", "\\x1b[31mred\\x1b[0m\\x07\\x00"),
        ("a\u202eb\u2066c\u200bd\ufeff", "a\\u202eb\\u2066c\\u200bd\\ufeff"),
        ("\u3164\u2800\u00ad\u00a0\u2028", "\\u3164\\u2800\\xad\\xa0\\u2028"),
        ("\ud800x\udfff", "\\ud800x\\udfff"),
        ("\U000e0041", "\\U000e0041"),
        ("🔴 |`*<>", "🔴 |`*<>"),
    ],
)
def test_what_is_not_seen_is_made_visible(text: str, expected: str) -> None:
    assert visible(text) == expected
    assert shown(text) == expected


def test_nesting_of_two_hundred_levels() -> None:
    value: Any = "x"
    for _ in range(200):
        value = [value]
    assert shown(value).startswith("[" * 200 + '"x"')
