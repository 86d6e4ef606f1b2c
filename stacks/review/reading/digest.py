"""Previews that are one object: that of `--json`, and the summary of `--output json`."""

from collections import Counter
from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from stacks.review.hiding.cleaning import cleaned_text
from stacks.review.preview import Op, Preview, Step
from stacks.review.reading.resource_changes import OPS, Resource, state, steps_of, words


def from_digest(whole: Mapping[str, Any], name: str) -> Preview:
    """The preview in the object of `--json`."""
    told = [item for item in whole.get("steps", ()) if isinstance(item, dict)]
    resources = [
        Resource(
            urn=str(item.get("urn", "")),
            op=OPS.get(str(item.get("op")), Op.UPDATE),
            old=state(item.get("oldState")),
            new=state(item.get("newState")),
            replace_reasons=words(item.get("replaceReasons")),
        )
        for item in told
    ]
    diagnostics = whole.get("diagnostics")
    messages = [item for item in diagnostics if isinstance(item, dict)] if isinstance(diagnostics, list) else []
    texts = [str(item.get("message", "")) for item in messages]
    severities = [str(item.get("severity", "")) for item in messages]
    steps, clean = steps_of(resources, texts)
    sorted_out = by_severity(zip(severities, clean, strict=True))
    return Preview(
        stack=stack_name(steps, name),
        steps=steps,
        counts=counted(whole.get("changeSummary"), steps),
        errors=sorted_out["error"],
        warnings=sorted_out["warning"],
        complete="steps" in whole or not sorted_out["error"],
    )


def from_summary(whole: Mapping[str, Any], name: str) -> Preview:
    """The preview in the object of `--output json`, which has no properties."""
    told = [item for item in whole["resources"] if isinstance(item, dict)]
    resources = [Resource(urn=str(item.get("urn", "")), op=OPS.get(str(item.get("op")), Op.UPDATE)) for item in told]
    steps, _ = steps_of(resources)
    failed = whole.get("result") not in ("succeeded", None)
    return Preview(
        stack=stack_name(steps, name),
        steps=steps,
        counts=counted(whole.get("summary"), steps),
        errors=("Pulumi reports that the preview has failed",) if failed else (),
        has_values=False,
    )


def stack_name(steps: tuple[Step, ...], name: str) -> str:
    """The stack that the steps are of; the file's name without its ending when there is none."""
    return next((step.stack for step in steps if step.stack), cleaned_text(PurePath(name).stem, frozenset()))


def counted(summary: object, steps: tuple[Step, ...]) -> Mapping[str, int]:
    """Pulumi's numbers of resources; our own when it has told none."""
    told = summary if isinstance(summary, dict) else {}
    numbers = {
        str(OPS[op]): number
        for op, number in told.items()
        if op in OPS and isinstance(number, int) and not isinstance(number, bool)
    }
    return numbers or dict(sorted(Counter(str(step.op) for step in steps).items()))


def by_severity(messages: Any) -> Mapping[str, tuple[str, ...]]:
    """Errors and warnings, each once, without the engine's prefix and line ends."""
    found: dict[str, dict[str, None]] = {"error": {}, "warning": {}}
    for kind, message in messages:
        if kind in found and (text := message.strip().removeprefix(f"{kind}: ")):
            found[kind].setdefault(text)
    return {kind: tuple(texts) for kind, texts in found.items()}
