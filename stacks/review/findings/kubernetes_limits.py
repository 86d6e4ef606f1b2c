"""Findings about quotas of namespaces and limits of their containers. That a quota goes, losses tell."""

import re
from collections.abc import Iterator

from stacks.review.comparing import Change, changes
from stacks.review.finding import Finding, PreviewCheck, Rule, StepCheck, Weight, say
from stacks.review.findings.kubernetes import is_object, namespace, object_name, word
from stacks.review.findings.quantity import number
from stacks.review.findings.whose import listed
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import Hidden, at

QUOTA = Rule(
    name="kubernetes-quota-changed",
    tells="pods of a namespace may ask for more or less in all",
    why="A run whose pods do not fit waits; without a limit one run can take what all others need.",
)
LIMITS = Rule(
    name="kubernetes-limits-changed",
    tells="containers of a namespace may be larger or smaller, or get other sizes by default",
    why="A container that is larger is refused, and one that says nothing gets the default.",
)
RULES = (QUOTA, LIMITS)
TEXTS = {
    "more": "pods of the namespace {} may ask together for more: {}",
    "less": "runs wait when pods of the namespace {} would ask together for more than {}",
    "gone": "nothing limits any more how much pods of the namespace {} ask for of {}",
}
"""What it means when numbers of a quota grow, shrink and go."""


def quotas(step: Step) -> Iterator[Finding]:
    """What a namespace may use in all, more or less than before."""
    if not is_object(step, "core", "ResourceQuota") or step.old is None or step.new is None:
        return
    before, after = (at(side, "spec", "hard") for side in (step.old, step.new))
    if isinstance(before, Hidden) or isinstance(after, Hidden):
        return
    kinds: dict[str, list[Change]] = {}
    for change in changes(before, after):
        old, new = number(change.before), number(change.after)
        if old != new and not isinstance(change.before, Hidden) and not isinstance(change.after, Hidden):
            kind = "gone" if new is None else "less" if old is None or new < old else "more"
            kinds.setdefault(kind, []).append(change)
    for kind, some in kinds.items():
        shown = listed(change.path if kind == "gone" else f"{change.path} {word(change.after)}" for change in some)
        doubled = any((number(one.after) or 0) > 2 * (number(one.before) or 0) for one in some)
        yield Finding(
            rule=QUOTA,
            weight=Weight.NOTICE if kind == "more" and not doubled else Weight.WARNING,
            urn=step.urn,
            what=say(TEXTS[kind], namespace(step), shown),
            field=f"spec.hard.{some[0].path}" if len(some) == 1 else "spec.hard",
            before=some[0].before if len(some) == 1 else {one.path: one.before for one in some},
            after=some[0].after if len(some) == 1 else {one.path: one.after for one in some},
            options=("quota", "concurrent_runs"),
        )


def limits(step: Step) -> Iterator[Finding]:
    """Sizes of a namespace's containers that change."""
    if not is_object(step, "core", "LimitRange") or step.old is None or step.new is None:
        return
    for change in changes(at(step.old, "spec", "limits"), at(step.new, "spec", "limits")):
        if isinstance(change.before, Hidden) or isinstance(change.after, Hidden):
            continue
        numbers = number(change.before), number(change.after)
        if numbers[0] == numbers[1] and numbers[0] is not None:
            continue
        largest = re.search(r"\bmax\.([\w./-]+)$", change.path)
        stricter = numbers[1] is not None and (numbers[0] is None or numbers[1] < numbers[0])
        if largest and stricter:
            what = say(
                "containers of the namespace {} with more of {} than {} are refused",
                namespace(step),
                largest[1],
                word(change.after),
            )
        else:
            what = say("containers of the namespace {} have other limits or defaults", namespace(step))
        yield Finding(
            rule=LIMITS,
            weight=Weight.WARNING if largest and stricter else Weight.NOTICE,
            urn=step.urn,
            what=what,
            field=f"spec.limits{change.path}" if change.path.startswith("[") else "spec.limits",
            before=change.before,
            after=change.after,
            options=("container_limits",),
        )


def removed(preview: Preview) -> Iterator[Finding]:
    """Limits that go while the namespace stays."""
    gone = [step for step in preview.steps if step.op is Op.DELETE]
    spaces = {object_name(step) for step in gone if is_object(step, "core", "Namespace")}
    for step in gone:
        if is_object(step, "core", "LimitRange") and namespace(step) not in spaces:
            yield Finding(
                rule=LIMITS,
                weight=Weight.NOTICE,
                urn=step.urn,
                what=say("containers of the namespace {} have no limits or defaults any more", namespace(step)),
                options=("container_limits",),
            )


STEP_CHECKS: tuple[StepCheck, ...] = (quotas, limits)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = (removed,)
