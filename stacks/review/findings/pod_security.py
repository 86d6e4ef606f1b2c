"""Findings about what pods may do to their node."""

from collections.abc import Iterator

from stacks.review.finding import Finding, PreviewCheck, Rule, StepCheck, Weight, say
from stacks.review.findings.kubernetes import is_object, object_name, whose_pods
from stacks.review.findings.pod_hazards import Guard, guards, hazards
from stacks.review.preview import Step
from stacks.review.values import Hidden, at
from stacks.review.workloads import PodSpec, pod_specs

ENFORCE = "pod-security.kubernetes.io/enforce"
LEVELS = {"restricted": 3, "baseline": 2, "privileged": 1}
"""Pod Security Standards, the strictest first; a namespace without a level has the cluster's, often `privileged`."""

LEVEL = Rule(
    name="pod-security-level-lowered",
    tells="a namespace allows its pods more than before, or everything",
    why="The namespace's level is what refuses pods that get at their node, whoever creates them.",
)
HAZARD = Rule(
    name="pod-not-confined",
    tells="pods may do more than their own work: as root, on their node, with its files",
    why="Whoever takes over such a container is a step nearer to the node, and so to all other pods on it.",
)
GUARD = Rule(
    name="pod-guard-removed",
    tells="pods lose something that confined them",
    why="It kept a dependency of a flow that somebody has taken over from going further.",
)
RULES: tuple[Rule, ...] = (LEVEL, HAZARD, GUARD)


def levels(step: Step) -> Iterator[Finding]:
    """A namespace whose level is lowered."""
    if not is_object(step, "core", "Namespace") or step.new is None:
        return
    before, after = (at(side, "metadata", "labels", ENFORCE) for side in (step.old, step.new))
    if isinstance(before, Hidden) or isinstance(after, Hidden):
        return
    old, new = (LEVELS.get(str(level), 0) for level in (before, after))
    # A new namespace without a level is without an opinion, and baseline keeps pods from their node.
    if not (after == "privileged" if step.old is None else new < old):
        return
    if after == "privileged":
        text = "pods of the namespace {} may do everything to their node"
    elif after == "baseline":
        text = "pods of the namespace {} may run as root"
    else:
        text = "nothing in the namespace {} refuses pods that get at their node, unless the cluster does"
    yield Finding(
        rule=LEVEL,
        weight=Weight.WARNING if after == "baseline" else Weight.DANGER,
        urn=step.urn,
        what=say(text, object_name(step)),
        field=f"metadata.labels.{ENFORCE}",
        before=before,
        after=after,
        options=("pod_security",),
    )


def pods(step: Step) -> Iterator[Finding]:
    """Pods that are confined less than before, or not enough."""
    there = {pod.path: pod for pod in pod_specs(step, step.old)}
    for pod in pod_specs(step, step.new):
        old = there.get(pod.path)
        known = {one.key for one in hazards(old.spec)} if old else set()
        whose, name = whose_pods(step, pod.path)
        told = set()
        for one in hazards(pod.spec):
            if one.key in known:
                continue
            told.add(one.field)
            yield Finding(
                rule=HAZARD,
                weight=one.weight,
                urn=step.urn,
                what=say(f"{whose} {one.could}", name, *one.names),
                field=f"{pod.path}.{one.field}",
                before=None,
                after=one.value,
                options=_options(pod),
            )
        for before, after in _lost(old, pod):
            if after.field not in told:
                yield Finding(
                    rule=GUARD,
                    weight=Weight.WARNING,
                    urn=step.urn,
                    what=say(f"{whose} {after.lost}", name),
                    field=f"{pod.path}.{after.field}",
                    before=before.value,
                    after=after.value,
                    options=_options(pod),
                )


def _lost(old: PodSpec | None, new: PodSpec) -> Iterator[tuple[Guard, Guard]]:
    """The guards that were on and are off now; those of containers that are new are no loss."""
    before = {guard.field: guard for guard in guards(old.spec)} if old else {}
    for guard in guards(new.spec):
        one = before.get(guard.field)
        if one is not None and one.on and not guard.on and not isinstance(guard.value, Hidden):
            yield one, guard


def _options(pod: PodSpec) -> tuple[str, ...]:
    return (*pod.options, "pod_security")


STEP_CHECKS: tuple[StepCheck, ...] = (levels, pods)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
