"""Values of previews as one line of text, in their field's own words."""

import json
from collections.abc import Mapping, Sequence

from stacks.review.values import SECRET, UNKNOWN, Value

LONGEST = 300
"""Characters of a value that are shown."""
BLANKS = "\u115f\u1160\u3164\uffa0\u2800"
"""Characters that count as letters or signs, and show nothing."""
SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
EXACT = 2.0**53
"""Largest number up to which a float tells whole numbers exactly."""


def shown(value: Value) -> str:
    """The value in one line of at most 300 characters, and how long it is when it is longer."""
    return shortened(_bare(value), LONGEST)


def visible(text: str) -> str:
    r"""The text in one line, with escapes for whatever would not be seen or would move what is: `\x1b`, `\u202e`."""
    if text.isprintable() and not any(blank in text for blank in BLANKS):
        return text
    return "".join(char if char.isprintable() and char not in BLANKS else _escape(char) for char in text)


def shortened(text: str, longest: int) -> str:
    """The beginning of a text, visible, and how long it is when it is longer."""
    if len(text) <= longest and len(seen := visible(text)) <= longest:
        return seen
    return f"{visible(text[:longest])[:longest]}... ({len(text):,} characters in all)"


def _bare(value: Value) -> str:
    if isinstance(value, str):
        return value
    plain = _plain(value)
    return (
        plain
        if isinstance(plain, str)
        else json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    )


def _plain(value: Value) -> object:
    if value is SECRET:
        return "(secret)"
    if value is UNKNOWN:
        return f"({UNKNOWN.value})"
    if isinstance(value, float) and value.is_integer() and abs(value) <= EXACT:
        return int(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    return value


def _escape(char: str) -> str:
    number = ord(char)
    if char in SHORT:
        return SHORT[char]
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"
