"""Findings about tokens of service accounts in pods."""

from collections.abc import Iterator

from stacks.review.finding import Finding, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings.kubernetes import is_object, object_name, whose_pods
from stacks.review.preview import Step
from stacks.review.values import Hidden, at
from stacks.review.workloads import pod_specs

FIELD = "automountServiceAccountToken"
MOUNTED = Rule(
    name="kubernetes-token-mounted",
    tells="pods get a token of their service account",
    why="Whatever runs in the pod, a dependency of the flow included, can do what the service account may.",
)
RULES = (MOUNTED,)


def accounts(step: Step) -> Iterator[Finding]:
    """A service account whose token pods get unless they say otherwise."""
    if is_object(step, "core", "ServiceAccount") and step.new is not None:
        new = step.old is None
        if _is_news(at(step.old, FIELD), at(step.new, FIELD), new=new):
            what = say("pods of the service account {} get its token unless they say otherwise", object_name(step))
            yield _finding(step, FIELD, what, at(step.new, FIELD), ("service_account_name",), new=new)


def pods(step: Step) -> Iterator[Finding]:
    """Pods that get the token."""
    there = {pod.path: pod for pod in pod_specs(step, step.old)}
    for pod in pod_specs(step, step.new):
        new = pod.path not in there
        before = None if new else there[pod.path].spec.get(FIELD)
        after = pod.spec.get(FIELD)
        if _is_news(before, after, new=new):
            whose, name = whose_pods(step, pod.path)
            what = say(f"{whose} get the token of a service account, for calls to the cluster's API", name)
            yield _finding(step, f"{pod.path}.{FIELD}", what, after, pod.options, new=new)


def _is_news(before: object, after: object, *, new: bool) -> bool:
    if isinstance(before, Hidden) or not isinstance(after, bool | None):
        return False
    # Kubernetes mounts it unless told otherwise, so only one that is asked for is news where nothing was.
    return after is True if new else before is False and after is not False


def _finding(
    step: Step, path: str, what: Sentence, after: bool | None, options: tuple[str, ...], *, new: bool
) -> Finding:
    return Finding(
        rule=MOUNTED,
        weight=Weight.NOTICE if new else Weight.WARNING,
        urn=step.urn,
        what=what,
        field=path,
        before=None if new else False,
        after=after or "true, Kubernetes' default",
        options=options,
    )


STEP_CHECKS: tuple[StepCheck, ...] = (accounts, pods)
