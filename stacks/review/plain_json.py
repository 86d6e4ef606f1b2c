"""JSON as everybody has it: without numbers that only Python reads."""

import json
import math
from typing import Any

LONGEST_NUMBER = 300
"""Digits; a number with more than 308 is no float, and Python refuses one with more than 4,300."""


def parsed(text: str) -> Any:
    """What a text of JSON holds; numbers that are too large to be numbers are texts.

    Raises:
        ValueError: it is no JSON; a JSONDecodeError when that has a place.
        RecursionError: it is nested too deep to be read.
    """
    return json.loads(text, parse_int=_whole, parse_float=_number, parse_constant=_refuse)


def _whole(text: str) -> int | str:
    return int(text) if len(text) < LONGEST_NUMBER else text


def _number(text: str) -> float | str:
    value = float(text)
    return value if math.isfinite(value) else text


def _refuse(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")
