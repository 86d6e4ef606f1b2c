"""What is told of task definitions of ECS."""

import json
from typing import Any

import pytest

from stacks.review.finding import Finding, Weight
from stacks.review.findings import task_definitions
from stacks.review.preview import Op, Step
from stacks.review.values import SECRET, UNKNOWN
from tests.stacks.review.steps import step

TASK = "aws:ecs/taskDefinition:TaskDefinition"
ENVIRONMENT = "penstock:index:DaskCloudProviderEnvironment"
OURS = f"{ENVIRONMENT}${TASK}"
NOTICE, WARNING, DANGER = Weight.NOTICE, Weight.WARNING, Weight.DANGER
SAFE = {"name": "flow", "image": "f:1", "user": "65532", "readonlyRootFilesystem": True}
AT = "containerDefinitions[flow]"


def task(container: dict[str, Any] | None = None, **properties: Any) -> dict[str, Any]:
    return {"containerDefinitions": [{**SAFE, **(container or {})}], "cpu": "512", **properties}


def told(change: Step) -> list[Finding]:
    return [finding for check in task_definitions.STEP_CHECKS for finding in check(change)]


def replaced(old: Any, new: Any, name: str = "prod-task") -> list[Finding]:
    return told(step(OURS, old, new, op=Op.REPLACE, name=name))


def capability(*names: str) -> dict[str, Any]:
    return {"linuxParameters": {"capabilities": {"add": list(names)}}}


LOGS = {"logDriver": "awslogs", "options": {"awslogs-group": "/a"}}
TOKEN = {"name": "TOKEN", "valueFrom": "arn:1"}
HOST_VOLUME = {"name": "docker", "hostPath": "/var/run/docker.sock"}
EFS = {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}
DIFFER = "that start after the change differ in"

DANGEROUS: list[Any] = [
    (
        {},
        {"privileged": True},
        {},
        ("task-privileged", DANGER, "are privileged on their host"),
        (f"{AT}.privileged", None, True),
    ),
    (
        capability("CHOWN"),
        capability("CHOWN", "SYS_ADMIN"),
        {},
        ("task-privileged", DANGER, "get the capability SYS_ADMIN"),
        (f"{AT}.linuxParameters.capabilities.add", ["CHOWN"], ["CHOWN", "SYS_ADMIN"]),
    ),
    (
        {},
        capability("NET_RAW", "CHOWN"),
        {},
        ("task-privileged", WARNING, "get the capabilities NET_RAW and CHOWN"),
        (f"{AT}.linuxParameters.capabilities.add", None, ["NET_RAW", "CHOWN"]),
    ),
    ({}, {"user": "0:0"}, {}, ("task-user-root", WARNING, "run as root"), (f"{AT}.user", "65532", "0:0")),
    (
        {},
        {},
        {"networkMode": "host"},
        ("task-privileged", DANGER, "share the network of their host"),
        ("networkMode", None, "host"),
    ),
    (
        {},
        {},
        {"pidMode": "host"},
        ("task-privileged", DANGER, "share the processes of their host"),
        ("pidMode", None, "host"),
    ),
    (
        {},
        {},
        {"volumes": [HOST_VOLUME]},
        ("task-volumes", DANGER, "see the files of their host in /var/run/docker.sock"),
        ("volumes[docker]", None, HOST_VOLUME),
    ),
]
CHANGED: list[Any] = [
    (
        {},
        {"user": None},
        {},
        ("task-user-root", WARNING, "run as whoever their image says, which is root unless it says another"),
        (f"{AT}.user", "65532", None),
    ),
    (
        {},
        {"readonlyRootFilesystem": False},
        {},
        ("task-filesystem-writable", WARNING, "may write to their own file system"),
        (f"{AT}.readonlyRootFilesystem", True, False),
    ),
    (
        {},
        {"secrets": [TOKEN]},
        {},
        ("task-secrets", NOTICE, "get the variable TOKEN from arn:1"),
        (f"{AT}.secrets[TOKEN].valueFrom", None, "arn:1"),
    ),
    (
        {"secrets": [TOKEN]},
        {},
        {},
        ("task-secrets", NOTICE, "no longer get a secret in the variable TOKEN"),
        (f"{AT}.secrets[TOKEN].valueFrom", "arn:1", None),
    ),
    (
        {},
        {},
        {"volumes": [EFS]},
        ("task-volumes", NOTICE, "use the file system fs-1"),
        ("volumes[data]", None, EFS),
    ),
    (
        {"logConfiguration": LOGS},
        {},
        {},
        ("task-logs", WARNING, "write no logs any more"),
        (f"{AT}.logConfiguration", LOGS, None),
    ),
    (
        {},
        {},
        {"taskRoleArn": "arn:2"},
        ("task-role", WARNING, "have another role for their own calls"),
        ("taskRoleArn", None, "arn:2"),
    ),
    (
        {"environment": [{"name": "B", "value": "1"}, {"name": "A", "value": "1"}]},
        {"environment": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        {},
        ("task-definition-changed", NOTICE, f"{DIFFER} environment[B]"),
        (f"{AT}.environment[B].value", "1", "2"),
    ),
    (
        {},
        {"command": ["sh"], "stopTimeout": 9},
        {},
        ("task-definition-changed", NOTICE, f"{DIFFER} command and stopTimeout"),
        ("", None, {f"{AT}.command": ["sh"], f"{AT}.stopTimeout": 9}),
    ),
]


@pytest.mark.parametrize(
    ("before", "after", "more", "expected", "shown"), [*DANGEROUS, *CHANGED], ids=range(len(DANGEROUS) + len(CHANGED))
)
def test_what_another_task_definition_means(before: Any, after: Any, more: Any, expected: Any, shown: Any) -> None:
    found = replaced(task(before), task(after, **more))
    rule, weight, text = expected
    assert [(one.rule.name, one.weight, str(one.what)) for one in found] == [(rule, weight, f"runs of prod {text}")]
    assert [(one.field, one.before, one.after) for one in found] == [shown]


@pytest.mark.parametrize(("before", "after", "more", "expected", "shown"), DANGEROUS, ids=range(len(DANGEROUS)))
def test_a_hazard_of_a_new_one_weighs_the_same(before: Any, after: Any, more: Any, expected: Any, shown: Any) -> None:
    found = told(step(TASK, None, task(after, **more)))
    assert [(one.rule.name, one.weight) for one in found] == [expected[:2]]
    assert str(found[0].what).startswith("tasks of thing ")
    assert found[0].options == ()
    assert replaced(task(after, **more), task(after, **more)) == []
    back = replaced(task(after, **more), task(before))
    assert all(one.weight is NOTICE for one in back)


QUIET: list[Any] = [
    (task(), task()),
    (task(), {**task(), "containerDefinitions": json.dumps(task()["containerDefinitions"])}),
    (task(), task({"image": "f:2", "memory": 1024, "cpu": 1}, cpu="1024", tags={"a": "b"})),
    (task(), task({"environment": [], "secrets": None, "privileged": False})),
    (None, task({"secrets": [TOKEN], "logConfiguration": LOGS, "environment": [{"name": "A", "value": "1"}]})),
    (task(taskRoleArn="arn:1"), task(taskRoleArn=UNKNOWN)),
]


@pytest.mark.parametrize(("before", "after"), QUIET, ids=range(len(QUIET)))
def test_what_others_tell_or_is_nothing_is_not_told(before: Any, after: Any) -> None:
    assert replaced(before, after) == []


def test_the_same_of_two_containers_is_told_once() -> None:
    def two(**container: Any) -> dict[str, Any]:
        return {"containerDefinitions": [{**SAFE, **container}, {**SAFE, "name": "cleanup", **container}]}

    found = replaced(two(), two(privileged=True), name="prod-worker")
    assert [str(one.what) for one in found] == ["workers of prod are privileged on their host"]


def test_a_container_more_has_secrets_that_the_task_had_not() -> None:
    old = task()
    new = {"containerDefinitions": [*old["containerDefinitions"], {**SAFE, "name": "b", "secrets": [TOKEN]}]}
    assert [str(one.what) for one in replaced({**new, **old}, {**old, **new}) if one.rule.name == "task-secrets"] == [
        "runs of prod get the variable TOKEN from arn:1"
    ]


def test_containers_that_are_not_known_are_told_as_such() -> None:
    found = replaced(task(), {**task(), "containerDefinitions": UNKNOWN})
    assert [(one.rule.name, str(one.what), one.field, one.before, one.after) for one in found] == [
        (
            "task-definition-changed",
            "runs of prod that start after the change have containers that are known only then",
            "containerDefinitions",
            None,
            UNKNOWN,
        )
    ]


@pytest.mark.parametrize(
    ("type_", "key", "who", "options"),
    [
        (ENVIRONMENT, "enable_execute_command", "runs of thing", ("enable_execute_command",)),
        ("aws:ecs/service:Service", "enableExecuteCommand", "tasks of thing", ()),
    ],
)
def test_a_shell_in_running_tasks(type_: str, key: str, who: str, options: Any) -> None:
    found = told(step(type_, {}, {key: True}))
    assert [(one.rule.name, one.weight, str(one.what), one.field, one.options) for one in found] == [
        (
            "task-execute-command",
            WARNING,
            f"whoever may call ecs:ExecuteCommand could open a shell in {who}",
            key,
            options,
        )
    ]
    assert told(step(type_, {key: True}, {key: False})) == told(step(type_, {key: True}, {key: True, "x": 1})) == []


ODD: tuple[Any, ...] = (
    None,
    UNKNOWN,
    SECRET,
    1,
    True,
    "x",
    [],
    {},
    [1],
    [{"name": 1}],
    [{"name": UNKNOWN}],
    {"x": [1]},
)


@pytest.mark.parametrize("key", ["containerDefinitions", "volumes", "taskRoleArn", "networkMode", "tags"])
def test_no_shape_of_a_task_definition_makes_it_fail(key: str) -> None:
    for value in ODD:
        for old in (None, task(), {key: value}):
            assert all(str(one.what) for one in replaced(old, task(**{key: value})))


@pytest.mark.parametrize("key", ["name", "user", "secrets", "environment", "linuxParameters", "logConfiguration"])
def test_no_shape_of_a_container_makes_it_fail(key: str) -> None:
    for value in ODD:
        for old in (None, task(), task({key: value})):
            for new in (value, {"capabilities": value}, {"capabilities": {"add": value}}):
                assert all(str(one.what) for one in replaced(old, task({key: new})))
