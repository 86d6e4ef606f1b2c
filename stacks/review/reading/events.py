"""Previews that are a stream of engine events: https://github.com/pulumi/pulumi/blob/master/sdk/go/common/apitype/events.go."""

from collections.abc import Mapping, Sequence
from typing import Any

from stacks.review.preview import Op, Preview
from stacks.review.reading.digest import by_severity, counted, stack_name
from stacks.review.reading.resource_changes import OPS, Resource, state, steps_of, words


def from_events(events: Sequence[Mapping[str, Any]], name: str, *, complete: bool) -> Preview:
    """The preview that events tell of.

    Args:
        events: in their order.
        name: of the file.
        complete: whether the last one is whole.
    """
    resources: dict[tuple[str, str], Resource] = {}
    messages: list[tuple[str, str]] = []
    summary: Mapping[str, Any] | None = None
    for event in events:
        if before := state(state(event.get("resourcePreEvent")).get("metadata")):
            one = _resource(before)
            resources[one.urn, str(before.get("op"))] = one
        if after := state(state(event.get("resOutputsEvent")).get("metadata")):
            one = _resource(after)
            resources[one.urn, str(after.get("op"))] = one
        if diagnostic := state(event.get("diagnosticEvent")):
            messages.append((str(diagnostic.get("severity", "")), str(diagnostic.get("message", ""))))
        if error := state(event.get("errorEvent")):
            messages.append(("error", str(error.get("error", ""))))
        if violation := state(event.get("policyEvent")):
            level = "error" if violation.get("enforcementLevel") == "mandatory" else "warning"
            messages.append((level, f"{violation.get('policyName', '')}: {violation.get('message', '')}"))
        if ended := state(event.get("summaryEvent")):
            summary = ended
    steps, texts = steps_of(resources.values(), [text for _, text in messages])
    sorted_out = by_severity(zip((severity for severity, _ in messages), texts, strict=True))
    failed = summary is not None and summary.get("result") not in ("succeeded", None)
    return Preview(
        stack=stack_name(steps, name),
        steps=steps,
        counts=counted((summary or {}).get("resourceChanges"), steps),
        errors=sorted_out["error"] or (("Pulumi reports that the preview has failed",) if failed else ()),
        warnings=sorted_out["warning"],
        complete=complete and summary is not None,
    )


def _resource(metadata: Mapping[str, Any]) -> Resource:
    op = OPS.get(str(metadata.get("op")), Op.UPDATE)
    return Resource(
        urn=str(metadata.get("urn", "")),
        op=op,
        old=state(metadata.get("old")),
        new=state(metadata.get("new")),
        replace_reasons=words(metadata.get("keys")) if op == Op.REPLACE else (),
    )
