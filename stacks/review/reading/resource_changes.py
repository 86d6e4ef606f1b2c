"""From what a preview tells of resources to steps, the parts of a replacement made one."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from stacks.review.hiding.cleaning import cleaned, cleaned_text, secrets_in
from stacks.review.preview import Op, Step
from stacks.review.values import Properties, mapping

OPS: Mapping[str, Op] = {
    "same": Op.SAME,
    "create": Op.CREATE,
    "update": Op.UPDATE,
    "delete": Op.DELETE,
    "replace": Op.REPLACE,
    "create-replacement": Op.REPLACE,
    "delete-replaced": Op.REPLACE,
    "read": Op.READ,
    "read-replacement": Op.REPLACE,
    "refresh": Op.REFRESH,
    "discard": Op.FORGET,
    "discard-replaced": Op.REPLACE,
    "remove-pending-replace": Op.SAME,
    "import": Op.IMPORT,
    "import-replacement": Op.REPLACE,
}
"""Words of the engine: https://github.com/pulumi/pulumi/blob/master/pkg/resource/deploy/step.go."""
MARK = "[secret]"


@dataclass(kw_only=True)
class Resource:
    """A resource as the preview tells of it, before anything is hidden."""

    urn: str
    op: Op
    old: Mapping[str, Any] = field(default_factory=dict)
    """Its state before: inputs, outputs, protect and so on."""
    new: Mapping[str, Any] = field(default_factory=dict)
    """Its state after."""
    replace_reasons: tuple[str, ...] = ()

    @property
    def type(self) -> str:
        """Without the types of its parents."""
        parts = self.urn.split("::", 3)
        return parts[2].rpartition("$")[2] if len(parts) == 4 else ""


def steps_of(resources: Iterable[Resource], texts: Iterable[str] = ()) -> tuple[tuple[Step, ...], list[str]]:
    """The steps, and texts about them, without a secret of any of them."""
    merged = list(_merged(resources))
    known = secrets_in((one.type, *pair) for one in merged for pair in _pairs(one.old, one.new))
    return tuple(_step(one, known) for one in merged), [cleaned_text(text, known) for text in texts]


def state(value: object) -> Mapping[str, Any]:
    """A state of a resource; empty when there is none."""
    return value if isinstance(value, dict) else {}


def words(value: object) -> tuple[str, ...]:
    """A list of texts; empty when it is anything else."""
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()


def _merged(resources: Iterable[Resource]) -> Iterable[Resource]:
    found: dict[str, Resource] = {}
    for one in resources:
        before = found.setdefault(one.urn, one)
        if before is one:
            continue
        before.op = Op.REPLACE if Op.REPLACE in (before.op, one.op) else one.op
        before.old = before.old or one.old
        before.new = {**before.new, **one.new}
        before.replace_reasons = before.replace_reasons or one.replace_reasons
    return found.values()


def _pairs(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[tuple[Any, Any]]:
    """What has to be secret on both sides once it is on one."""
    yield old.get("inputs"), new.get("inputs")
    yield _outputs(old), _outputs(new)
    yield old.get("inputs"), _outputs(old)
    yield new.get("inputs"), _outputs(new)
    for side in (old, new):
        if secret := words(side.get("additionalSecretOutputs")):
            yield side.get("outputs"), dict.fromkeys(secret, MARK)


def _outputs(side: Mapping[str, Any]) -> Any:
    outputs = side.get("outputs")
    secret = words(side.get("additionalSecretOutputs"))
    if not isinstance(outputs, dict) or not secret:
        return outputs
    return {key: MARK if key in secret else value for key, value in outputs.items()}


def _step(one: Resource, known: frozenset[str]) -> Step:
    old, new = one.old, one.new
    old_inputs, new_inputs = old.get("inputs"), new.get("inputs")
    old_outputs, new_outputs = _outputs(old), _outputs(new)
    gone = one.op in (Op.DELETE, Op.FORGET)
    return Step(
        urn=cleaned_text(one.urn, known),
        op=one.op,
        old=_inputs(one.type, old, old_inputs, new_inputs, known),
        new=None if gone else _inputs(one.type, new, new_inputs, old_inputs, known),
        old_outputs=_properties(one.type, old_outputs, new_outputs or old_inputs, known),
        new_outputs={} if gone else _properties(one.type, new_outputs, old_outputs or new_inputs, known),
        replace_reasons=tuple(cleaned_text(reason, known) for reason in one.replace_reasons),
        protected_before=old.get("protect") is True,
        protected_after=new.get("protect") is True,
        retained=old.get("retainOnDelete") is True,
    )


def _inputs(type_: str, side: Mapping[str, Any], inputs: Any, other: Any, known: frozenset[str]) -> Properties | None:
    return _properties(type_, inputs, other, known) if side else None


def _properties(type_: str, value: Any, other: Any, known: frozenset[str]) -> Properties:
    return mapping(cleaned(type_, value if isinstance(value, dict) else {}, other, known))
