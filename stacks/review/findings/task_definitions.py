"""Findings about task definitions of ECS."""

import re
from collections.abc import Iterable

from stacks.review.comparing import TAGS, Change, changes
from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings import task_hazards, whose
from stacks.review.findings.task_hazards import Hazard, of_task
from stacks.review.preview import Step
from stacks.review.values import Hidden, Value, at, tree
from stacks.review.workloads import TASK_DEFINITION

CHANGED = Rule(
    name="task-definition-changed",
    tells="fields of a task definition change that no other finding is about",
    why="Runs that start after the change use the new revision; those that run already keep theirs.",
)
COMMAND = Rule(
    name="task-execute-command",
    tells="a shell can be opened in running tasks (`aws ecs execute-command`)",
    why="Whoever may call it sees what the flow sees, secrets in its environment included.",
)
SERVICE = "aws:ecs/service:Service"
WHO = {"task": "runs of {}", "worker": "workers of {}", "scheduler": "schedulers of {}"}
"""What has the task definitions of an environment of ours."""
KEPT_OUT = re.compile(
    r"(.*\.)?(image|cpu|memory|memoryReservation|privileged|user|readonlyRootFilesystem|logConfiguration(\..*)?"
    r"|secrets(\[.*)?|linuxParameters\.capabilities\.add)"
    r"|taskRoleArn|executionRoleArn|skipDestroy|trackLatest|region|tags(All)?(\..*)?|ephemeralStorage.*"
)
"""Paths of fields that other findings are about, or that change nothing."""
OPTIONS = {
    task_hazards.PRIVILEGED: ("container_definitions", "network_mode", "pid_mode", "ipc_mode"),
    task_hazards.SECRETS: ("secrets",),
    task_hazards.VOLUMES: ("volumes",),
    task_hazards.LOGS: ("log_group_name", "container_definitions"),
    task_hazards.ROLE: ("task_role_arn", "execution_role_arn", "worker_task_role_arn"),
    CHANGED: ("container_definitions", "env", "command"),
}
"""Options that they come from; `container_definitions` where none is said."""


def check_tasks(step: Step) -> Iterable[Finding]:
    """What is another in tasks that start after the change."""
    if step.type != TASK_DEFINITION or step.op not in whose.TOLD:
        return
    told = set[tuple[Rule, Sentence]]()
    hazards = list(of_task(step, step.old, step.new))
    for hazard in hazards:
        # The same of several containers is one finding.
        if (hazard.rule, hazard.text) not in told:
            told.add((hazard.rule, hazard.text))
            yield _finding(step, hazard)
    if step.old is not None and step.new is not None:
        yield from _rest(step, {hazard.path for hazard in hazards})


def check_execute_command(step: Step) -> Iterable[Finding]:
    """Whether a shell can be opened in running tasks, where it could not."""
    key = {SERVICE: "enableExecuteCommand"}.get(step.type)
    if whose.is_environment(step):
        key = "enable_execute_command"
    if key is None or step.op not in whose.TOLD:
        return
    before, after = at(step.old, key), at(step.new, key)
    if after is True and before is not True:
        tasks = "runs of {}" if whose.is_environment(step) else "tasks of {}"
        what = say(f"whoever may call ecs:ExecuteCommand could open a shell in {tasks}", step.name)
        options = ("enable_execute_command",) if whose.is_environment(step) else ()
        yield Finding(
            rule=COMMAND,
            weight=Weight.WARNING,
            urn=step.urn,
            what=what,
            field=key,
            before=before,
            after=after,
            options=options,
        )


def _rest(step: Step, told: set[str]) -> Iterable[Finding]:
    definitions = tree(at(step.new, "containerDefinitions"))
    old = {key: value for key, value in (step.old or {}).items() if key not in TAGS}
    new = {key: value for key, value in (step.new or {}).items() if key not in TAGS}
    if isinstance(definitions, Hidden):
        if tree(at(step.old, "containerDefinitions")) is not definitions:
            text = say("that start after the change have containers that are known only then")
            yield _finding(step, Hazard(CHANGED, Weight.NOTICE, text, "containerDefinitions", None, definitions))
        old.pop("containerDefinitions", None)
        new.pop("containerDefinitions", None)
    found = [change for change in changes(old, new) if not _is_told(change, told)]
    if not found:
        return
    text = say("that start after the change differ in {}", whose.listed(dict.fromkeys(map(_words, found))))
    if len(found) == 1:
        yield _finding(step, Hazard(CHANGED, Weight.NOTICE, text, found[0].path, found[0].before, found[0].after))
        return
    before: Value = {change.path: change.before for change in found if change.before is not None} or None
    after: Value = {change.path: change.after for change in found if change.after is not None} or None
    yield _finding(step, Hazard(CHANGED, Weight.NOTICE, text, "", before, after))


def _is_told(change: Change, told: set[str]) -> bool:
    if KEPT_OUT.fullmatch(change.path):
        return True
    return any(
        change.path == path or change.path.startswith((f"{path}.", f"{path}[")) or path.startswith(f"{change.path}[")
        for path in told
    )


def _words(change: Change) -> str:
    """A field in few words: `environment[TZ]`, `command`."""
    named = re.search(r"\.(environment\[[^\]]*\])", change.path)
    if named:
        return named[1]
    return re.sub(r"^containerDefinitions\[[^\]]*\]\.", "", change.path)


def _who(step: Step) -> Sentence:
    found = whose.place(step, WHO)
    return say(WHO[found[1]], found[0]) if found else say("tasks of {}", step.name)


def _finding(step: Step, hazard: Hazard) -> Finding:
    return Finding(
        rule=hazard.rule,
        weight=hazard.weight,
        urn=step.urn,
        what=whose.joined(_who(step), hazard.text),
        field=hazard.path,
        before=hazard.before,
        after=hazard.after,
        options=OPTIONS.get(hazard.rule, ("container_definitions",)) if whose.is_ours(step) else (),
    )


RULES: tuple[Rule, ...] = (*task_hazards.RULES, COMMAND, CHANGED)
STEP_CHECKS: tuple[StepCheck, ...] = (check_tasks, check_execute_command)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
