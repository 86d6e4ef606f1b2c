"""Reports as JSON, so that those of several jobs become one; `review.schema.json` describes it."""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

from runner.contract import decode, describe, encode
from runner.errors import ContractError
from stacks.review.hiding.cleaning import cleaned_text
from stacks.review.report import Report
from stacks.review.writing.headline import WORDS, headline
from stacks.review.writing.sentence_parts import fits
from stacks.review.writing.shown import shortened

SCHEMA_VERSION = 1
KIND = "penstock-review"
LONGEST = 10_000
"""Characters of a text in a report that is read."""
MOST = 1_000_000
"""Resources that a report may count, and lines of a stack's file."""
LONGEST_MESSAGE = 200
WEIGHTS = {word: weight for weight, word in WORDS.items()}
ENVELOPE = ("schema_version", "kind", "headline")
SUBJECT = "report"

T = TypeVar("T")


def to_json(report: Report) -> str:
    """The report as JSON: every field of it, and its sentences in plain text."""
    value = cast("dict[str, Any]", encode(report))
    for told, finding in zip(value["findings"], report.findings, strict=True):
        told |= {"weight": WORDS[finding.weight], "summary": str(finding.what)}
    word, said = headline(report)
    value |= {"schema_version": SCHEMA_VERSION, "kind": KIND, "headline": {"word": word, "text": str(said)}}
    return json.dumps(value, indent=2, sort_keys=True) + "\n"


def from_json(data: Mapping[str, Any]) -> Report:
    """The report that `to_json` has written, or somebody else: what in it looks like a secret is hidden again.

    Raises:
        ValueError: it is none; a sentence that names the field.
    """
    for key, expected in (("kind", KIND), ("schema_version", SCHEMA_VERSION)):
        if data.get(key) != expected or isinstance(data.get(key), bool):
            raise _refused(key, data.get(key), describe(expected))
    value = {key: item for key, item in data.items() if key not in ENVELOPE}
    if isinstance(value.get("findings"), list):
        value["findings"] = [_finding(told, f"findings[{i}]") for i, told in enumerate(value["findings"])]
    try:
        report = decode(Report, value, subject=SUBJECT, warn=_unknown)
    except ContractError as error:
        raise ValueError(_safe(str(error).removesuffix("."))) from None
    _check_numbers(report)
    report = _cleaned(report)
    for i, told in enumerate(report.findings):
        if not fits(told.what):
            raise _refused(f"findings[{i}].what.text", told.what.text, f"{len(told.what.names)} places for names")
    return report


def _finding(told: object, path: str) -> object:
    if not isinstance(told, Mapping):
        return told
    weight = told.get("weight")
    if not isinstance(weight, str) or weight not in WEIGHTS:
        raise _refused(f"{path}.weight", weight, f"one of {', '.join(WEIGHTS)}")
    return {key: item for key, item in told.items() if key != "summary"} | {"weight": int(WEIGHTS[weight])}


def _check_numbers(report: Report) -> None:
    numbers = {f"findings[{i}].pointer.line": told.pointer.line or 0 for i, told in enumerate(report.findings)}
    for i, stack in enumerate(report.stacks):
        numbers |= {f"stacks[{i}].counts.{op}": count for op, count in stack.counts.items()}
        numbers[f"stacks[{i}].noise"] = stack.noise
    for path, number in numbers.items():
        if not 0 <= number <= MOST:
            raise _refused(path, number, f"a number from 0 to {MOST:,}")


def _cleaned(value: T) -> T:
    """The same with every text in it bounded, and without what looks like a secret."""
    if isinstance(value, str):
        text = cleaned_text(value, frozenset())
        return cast("T", text if len(text) <= LONGEST else text[:LONGEST])
    if isinstance(value, Mapping):
        return cast("T", {_cleaned(key): item for key, item in value.items()})
    if isinstance(value, tuple):
        return cast("T", tuple(map(_cleaned, value)))
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{item.name: _cleaned(getattr(value, item.name)) for item in fields(value)})
    return value


def _unknown(path: str) -> None:
    raise ValueError(_safe(f"report: {path} is no field of a report"))


def _refused(path: str, found: object, expected: str) -> ValueError:
    what = "missing" if found is None else describe(found)
    return ValueError(f"{_safe(f'report: {path} is {what}')}, expected {expected}")


def _safe(message: str) -> str:
    return shortened(cleaned_text(message, frozenset()), LONGEST_MESSAGE)
