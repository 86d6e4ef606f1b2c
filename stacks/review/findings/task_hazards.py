"""What makes a task of ECS dangerous, or gives it what it did not have: field by field.

https://docs.aws.amazon.com/AmazonECS/latest/developerguide/security-tasks-containers.html
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from stacks.review.finding import Rule, Sentence, Weight, say
from stacks.review.findings import whose
from stacks.review.preview import Step
from stacks.review.values import UNKNOWN, Hidden, Properties, Value, at, items
from stacks.review.workloads import containers

PRIVILEGED = Rule(
    name="task-privileged",
    tells="a container may do what belongs to its host: privileged, more capabilities, or the host's own network",
    why="Code that breaks out of such a container owns the machine and all other tasks on it.",
)
USER = Rule(
    name="task-user-root",
    tells="a container runs as root, or as whoever its image says",
    why="A flaw in the flow then has the most rights that there are in the container.",
)
WRITABLE = Rule(
    name="task-filesystem-writable",
    tells="a container may write to its own file system",
    why="Code that gets in can change what runs after it in the same container.",
)
SECRETS = Rule(
    name="task-secrets",
    tells="a container gets another secret, or none any more",
    why="The flow, and every library in it, can read the value.",
)
VOLUMES = Rule(
    name="task-volumes",
    tells="a task gets other files: of its host, or of a file system that others use too",
    why="What a flow writes there stays, and others read it.",
)
LOGS = Rule(
    name="task-logs",
    tells="the logs of a task go elsewhere",
    why="`penstock logs`, alarms and searches look where they were before.",
)
ROLE = Rule(
    name="task-role",
    tells="a task has another role",
    why="All that it may do at AWS is decided by that role.",
)
RULES = (PRIVILEGED, USER, WRITABLE, SECRETS, VOLUMES, LOGS, ROLE)
POWERFUL = frozenset({"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "NET_ADMIN", "BPF"})
"""Capabilities with which a container is as good as privileged. https://man7.org/linux/man-pages/man7/capabilities.7.html"""
ROOT = ("root", "0")
HOST_MODES = {"networkMode": "the network", "pidMode": "the processes", "ipcMode": "the memory"}
"""What of its host a task shares, by the property that says `host` then."""
ROLES = {"taskRoleArn": "their own calls", "executionRoleArn": "being started"}
"""What the roles of a task are for."""


class Hazard(NamedTuple):
    """One thing to be told of a task definition."""

    rule: Rule
    weight: Weight
    text: Sentence
    """What follows who it is about."""
    path: str
    before: Value
    after: Value


def of_task(step: Step, old: Properties | None, new: Properties | None) -> Iterator[Hazard]:
    """What is so in a task definition that was not before.

    Args:
        step: the change of the task definition.
        old: what it was; None when there was none.
        new: what it is going to be.
    """
    for key, shared in HOST_MODES.items():
        before, after = at(old, key), at(new, key)
        if after == "host" and before != "host":
            yield Hazard(PRIVILEGED, Weight.DANGER, say(f"share {shared} of their host"), key, before, after)
    for key, purpose in ROLES.items():
        before, after = at(old, key), at(new, key)
        if old is not None and before != after and UNKNOWN not in (before, after):
            text = say(f"have another role for {purpose}") if after else say(f"have no role for {purpose} any more")
            yield Hazard(ROLE, Weight.WARNING, text, key, before, after)
    yield from _volumes(old, new)
    former = dict(containers(step, old))
    for path, container in containers(step, new):
        # A container more in a task that was there already is one that had nothing.
        yield from _of_container(path, former.get(path, None if old is None else {}), container)


def _volumes(old: Properties | None, new: Properties | None) -> Iterator[Hazard]:
    before = _by_name(at(old, "volumes"))
    for name, volume in _by_name(at(new, "volumes")).items():
        former = before.get(name)
        host, path = at(volume, "hostPath") or at(volume, "host", "sourcePath"), f"volumes[{name}]"
        if isinstance(host, str) and host != (at(former, "hostPath") or at(former, "host", "sourcePath")):
            text = say("see the files of their host in {}", host)
            yield Hazard(VOLUMES, Weight.DANGER, text, path, former, volume)
        system = at(volume, "efsVolumeConfiguration", "fileSystemId")
        if old is not None and system and system != at(former, "efsVolumeConfiguration", "fileSystemId"):
            text = say("use the file system {}", whose.listed([system]))
            yield Hazard(VOLUMES, Weight.NOTICE, text, path, former, volume)


def _of_container(path: str, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Iterator[Hazard]:
    if new.get("privileged") is True and at(old, "privileged") is not True:
        text = say("are privileged on their host")
        yield Hazard(PRIVILEGED, Weight.DANGER, text, f"{path}.privileged", at(old, "privileged"), True)
    yield from _capabilities(path, old, new)
    before, after = at(old, "user"), new.get("user")
    if _is_root(after) and not _is_root(before):
        yield Hazard(USER, Weight.WARNING, say("run as root"), f"{path}.user", before, after)
    elif before and not _is_root(before) and after in (None, ""):
        text = say("run as whoever their image says, which is root unless it says another")
        yield Hazard(USER, Weight.WARNING, text, f"{path}.user", before, after)
    if at(old, "readonlyRootFilesystem") is True and new.get("readonlyRootFilesystem") in (None, False):
        text = say("may write to their own file system")
        where = f"{path}.readonlyRootFilesystem"
        yield Hazard(WRITABLE, Weight.WARNING, text, where, True, new.get("readonlyRootFilesystem"))
    if old is None:
        return
    yield from _secrets(path, old, new)
    logs, other = old.get("logConfiguration"), new.get("logConfiguration")
    if old and logs != other and not isinstance(other, Hidden):
        text = say("write their logs elsewhere, or in another way") if other else say("write no logs any more")
        yield Hazard(LOGS, Weight.WARNING, text, f"{path}.logConfiguration", logs, other)


def _capabilities(path: str, old: Mapping[str, Any] | None, new: Mapping[str, Any]) -> Iterator[Hazard]:
    before = at(old, "linuxParameters", "capabilities", "add")
    after = at(new, "linuxParameters", "capabilities", "add")
    more = [one for one in items(after) if one not in items(before) and isinstance(one, str)]
    if more:
        weight = Weight.DANGER if POWERFUL & {one.upper().removeprefix("CAP_") for one in more} else Weight.WARNING
        text = say("get the capabilities {}" if len(more) > 1 else "get the capability {}", whose.listed(more))
        yield Hazard(PRIVILEGED, weight, text, f"{path}.linuxParameters.capabilities.add", before, after)


def _secrets(path: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[Hazard]:
    former, latter = _by_name(old.get("secrets")), _by_name(new.get("secrets"))
    for name in sorted({*former, *latter}):
        before, after = at(former.get(name), "valueFrom"), at(latter.get(name), "valueFrom")
        if before == after or isinstance(new.get("secrets"), Hidden):
            continue
        text = say("get the variable {} from {}", name, whose.listed([after]))
        if after is None:
            text = say("no longer get a secret in the variable {}", name)
        yield Hazard(SECRETS, Weight.NOTICE, text, f"{path}.secrets[{name}].valueFrom", before, after)


def _by_name(entries: object) -> dict[str, Any]:
    return {entry["name"]: entry for entry in items(entries) if isinstance(at(entry, "name"), str)}


def _is_root(user: object) -> bool:
    return str(user).split(":")[0] in ROOT if isinstance(user, str | int) and not isinstance(user, bool) else False
