"""Findings about the environment document: who can read it, and what of it changes that no other matter tells."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from runner import environment
from runner.errors import ContractError
from runner.sections import Kind
from stacks.review.comparing import changes
from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings.kubernetes import word
from stacks.review.findings.whose import listed
from stacks.review.hiding.cleaning import UNKNOWN_INSIDE
from stacks.review.hiding.looks_secret import REPLACEMENT
from stacks.review.preview import Step
from stacks.review.values import Hidden, Value, mapping
from stacks.review.workloads import document

VERSION = Rule(
    name="document-version-changed",
    tells="the environment document is of another version",
    why="A penstock in an image or on a user's machine reads one version only, and refuses the run with exit code 65.",
)
REFUSED = Rule(
    name="document-refused",
    tells="no runner can read the environment document",
    why="Every run fails with exit code 65 before its flow starts.",
)
RENAMED = Rule(
    name="environment-renamed",
    tells="an environment has another name or kind",
    why="Schedules, scripts and users name the environment, and its earlier runs are found by its name only.",
)
KEYS = Rule(
    name="document-keys-new",
    tells="the environment document has keys that it did not have",
    why="A runner that does not know a key warns and does without it, so an older image runs flows in another way.",
)
PRODUCER = Rule(
    name="document-producer-changed",
    tells="the environment document is written by another penstock",
    why="Images with an older penstock may not know all of it.",
)
CHANGED = Rule(
    name="document-changed",
    tells="the environment document says something else about runs",
    why="Runs that start after the change go by it; those that run do not.",
)
RULES: tuple[Rule, ...] = (VERSION, REFUSED, RENAMED, KEYS, PRODUCER, CHANGED)

FREE = ("env", "metadata", "tags")
"""Keys whose mappings hold what users call as they like, and texts only."""
FOREIGN = ("job", "worker", "provider_kwargs")
"""Keys whose mappings are not Penstock's."""
SECTIONS = tuple(kind.value.replace("-", "_") for kind in Kind)
TOLD = re.compile(
    r"(schema_version|name|kind|image|producer|resources|timeouts|retention|secrets)\b.*|failure_policy\.retries"
    r"|\w+\.((scheduler_|worker_)?resources|min_workers|max_workers|\w*task_definition_arn)\b.*"
    r"|\w+\.(job\.spec\.template|worker)\.spec\b.*"
    r"|\w+\.(job|worker)\..*(penstock\.dev/|app\.kubernetes\.io/|istio\.io/|linkerd\.io/).*"
)
"""Paths that others tell of: limits, images, pods, their Secrets, task definitions; and labels that follow the name."""
FROM_POLICY = re.compile(r"\w+\.job\.spec\.(backoffLimit|podFailurePolicy)\b.*")
"""What a Job has from `failure_policy`."""
OPTIONS: Mapping[str, str] = {
    "name": "environment_name",
    "job": "job_spec",
    "worker": "worker_spec",
    "subnets": "subnet_ids",
    "security_groups": "security_group_ids",
    "log_group": "log_group_name",
    "bucket": "bucket_name",
}
"""Options of the stack's file that are called otherwise than keys of the document."""


def versions(step: Step) -> Iterator[Finding]:
    """A document that others than before can read."""
    old, new = document(step, step.old), document(step, step.new)
    if new is None:
        return
    name = word(new.get("name"))
    if old is not None and old["schema_version"] != new["schema_version"]:
        after = new["schema_version"]
        yield Finding(
            rule=VERSION,
            weight=Weight.DANGER,
            urn=step.urn,
            what=say("runs of {} fail until their image has a penstock that reads documents {}", name, word(after)),
            field="schema_version",
            before=old["schema_version"],
            after=after,
            options=("image",),
        )
    elif error := _refusal(new):
        before = _refusal(old) if old is not None else None
        if before is None or (before.path, before.found) != (error.path, error.found):
            text = "no runner can read the document of {}: {} is {}, expected {}"
            yield Finding(
                rule=REFUSED,
                weight=Weight.DANGER,
                urn=step.urn,
                what=say(text, name, error.path or "it", error.found, error.expected),
                field=error.path,
                after=error.found,
                options=_options(error.path),
            )


def names(step: Step) -> Iterator[Finding]:
    """An environment that is found by another name, or is of another kind."""
    for old, new in _both(step):
        before, after = old.get("name"), new.get("name")
        if before != after:
            text = "nobody finds the environment {} by that name any more: it becomes {}"
            yield _named(step, "name", before, after, say(text, word(before), word(after)))
        before, after = old.get("kind"), new.get("kind")
        if before != after:
            text = "runs of {} take place as {} instead of {}"
            yield _named(step, "kind", before, after, say(text, word(new.get("name")), word(after), word(before)))


def contents(step: Step) -> Iterator[Finding]:
    """What else a document says that it did not."""
    for old, new in _both(step):
        name = word(new.get("name"))
        made = [_producer(one) for one in (old, new)]
        if made[0] != made[1]:
            what = say("the document of {} is written by penstock {} instead of {}", name, made[1], made[0])
            yield Finding(
                rule=PRODUCER,
                weight=Weight.NOTICE,
                urn=step.urn,
                what=what,
                field="producer.version",
                before=made[0],
                after=made[1],
            )
        if old.get("kind") != new.get("kind"):
            continue
        if old.get("schema_version") == new.get("schema_version") and (added := list(_new_keys(old, new))):
            text = "runners that do not know {} warn in runs of {} and do without"
            yield Finding(
                rule=KEYS,
                weight=Weight.NOTICE,
                urn=step.urn,
                what=say(text, listed(added), name),
                field=added[0],
                after=added,
                options=("image",),
            )
        yield from _changed(step, name, old, new)


def _changed(step: Step, name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Finding]:
    every = changes(old, new)
    policy = any(change.path.startswith("failure_policy.") for change in every)
    found = [
        change
        for change in every
        if not TOLD.fullmatch(change.path) and not (policy and FROM_POLICY.fullmatch(change.path))
    ]
    if found:
        one = found[0] if len(found) == 1 else None
        yield Finding(
            rule=CHANGED,
            weight=Weight.NOTICE,
            urn=step.urn,
            what=say("runs of {} start with other settings: {}", name, listed(change.path for change in found)),
            field=one.path if one else "",
            before=one.before if one else {change.path: change.before for change in found},
            after=one.after if one else {change.path: change.after for change in found},
            options=tuple(dict.fromkeys(option for change in found for option in _options(change.path))),
        )


def _both(step: Step) -> Iterator[tuple[Mapping[str, Any], Mapping[str, Any]]]:
    old, new = document(step, step.old), document(step, step.new)
    if old is not None and new is not None:
        yield old, new


def _named(step: Step, key: str, before: Value, after: Value, what: Sentence) -> Finding:
    return Finding(
        rule=RENAMED,
        weight=Weight.WARNING,
        urn=step.urn,
        what=what,
        field=key,
        before=before,
        after=after,
        options=_options(key),
    )


def _options(path: str) -> tuple[str, ...]:
    parts = re.findall(r"\w+", path)
    inner = parts[1:] if parts[:1] and parts[0] in (*SECTIONS, "callbacks") else parts
    return (OPTIONS.get(inner[0], inner[0]),) if inner else ()


def _producer(found: Mapping[str, Any]) -> str:
    return word(mapping(found.get("producer")).get("version"))


def _new_keys(old: Mapping[str, Any], new: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """The paths of Penstock's own keys that a document has more than another."""
    for key, value in sorted(new.items()):
        if key not in old:
            yield f"{path}{key}"
        elif key not in FREE + FOREIGN and isinstance(value, Mapping) and isinstance(old[key], Mapping):
            yield from _new_keys(old[key], value, f"{path}{key}.")


class _NotKnownError(Exception):
    """Too much of a document is hidden to say what its readers do."""


def _refusal(found: Mapping[str, Any]) -> ContractError | None:
    """Why a runner refuses a document; None when it reads it, or when too little of it is known."""
    try:
        environment.read(json.dumps(_as_written(found)), warn=lambda _: None)
    except ContractError as error:
        return error
    except _NotKnownError:
        return None
    return None


def _as_written(found: object, *, text: bool = False, free: bool = False) -> object:
    """A document as its readers get it: texts that hold JSON are texts again, and what is hidden is some text."""
    if isinstance(found, Hidden):
        if not text and not free:
            raise _NotKnownError
        return found.value
    if isinstance(found, str):
        if not text and not free and any(mark in found for mark in (REPLACEMENT, UNKNOWN_INSIDE)):
            raise _NotKnownError
        return found
    if isinstance(found, Mapping):
        return {
            key: json.dumps(item, default=repr)
            if text and isinstance(item, Mapping | list)
            else _as_written(item, text=text or (key in FREE and not free), free=free or key in FOREIGN)
            for key, item in found.items()
        }
    return [_as_written(item, free=free) for item in found] if isinstance(found, list | tuple) else found


STEP_CHECKS: tuple[StepCheck, ...] = (versions, names, contents)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
