"""What is allowed beside the rights of every run on ECS where runs have Dask workers."""

import json
import warnings
from collections.abc import Sequence

import pytest

from components import dask_task_policies, ecs_policies, ecs_roles
from components.aws_place import with_workers
from components.iam import LONGEST_POLICY, Statement, policy
from tests.components.ecs import named, statements

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # it leaves two of its own files open
    from parliament import analyze_policy_string

FILES = {"name": "lake", "efs": {"file_system_id": "fs-12345678", "access_point_id": "fsap-1", "iam": True}}
OWN = with_workers(named(), scheduler_task=False)
WITH_SCHEDULER = with_workers(named(), scheduler_task=True)
WORKERS = "arn:aws:ecs:eu-west-1:123456789012:task-definition/penstock-flights-worker:*"
KEYS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:penstock/flights/*"
ALL: dict[str, Sequence[Statement]] = {
    "submitter": [*ecs_policies.submitter(OWN), *dask_task_policies.submitter(OWN, tls=True)],
    "previewer": ecs_policies.previewer(WITH_SCHEDULER),
    "run": [*ecs_roles.task(OWN), *dask_task_policies.run(WITH_SCHEDULER, tls=True)],
    "worker": dask_task_policies.worker(OWN, tls=True, volumes=[FILES]),
}


@pytest.mark.parametrize("name", ALL)
def test_a_linter_of_policies_finds_nothing(name: str) -> None:
    found = [(item.issue, item.detail) for item in analyze_policy_string(policy(ALL[name])).findings]

    # It takes container instances for a resource of ListTasks, which listing a cluster's tasks has nothing to do with.
    known = [("RESOURCE_STAR", ["ecs:ListTasks"])] if name in ("submitter", "run") else []
    assert found == known


@pytest.mark.parametrize("name", ALL)
def test_each_statement_has_a_name_of_its_own_a_reason_and_no_wildcard(name: str) -> None:
    sids = [item.sid for item in ALL[name]]

    assert len(set(sids)) == len(sids)
    for item in ALL[name]:
        assert (item.resources == ("*",)) == bool(item.unbounded), item.sid
        assert all(action.count("*") == 0 for action in item.actions)
        assert item.reason.endswith(".")


def test_what_has_no_resource_is_this_and_no_more() -> None:
    unbounded = {name: [item.sid for item in found if item.unbounded] for name, found in ALL.items()}

    assert unbounded == {
        "submitter": ["ListRuns", "ListKeys"],
        "previewer": ["ReadTaskDefinition", "ListParametersAndLogGroups", "ReadNetwork"],
        "run": ["ListWorkers"],
        "worker": [],
    }


def test_a_run_starts_and_stops_workers_of_its_environment_only() -> None:
    found = statements(policy(dask_task_policies.run(OWN, tls=True)))
    in_cluster = {"ArnEquals": {"ecs:cluster": OWN.cluster_arn}}

    assert {sid: (item["Action"], item["Resource"], item.get("Condition")) for sid, item in found.items()} == {
        "StartWorkers": (["ecs:RunTask"], [WORKERS], in_cluster),
        "TagWorkers": (["ecs:TagResource"], [OWN.tasks_arn], {"StringEquals": {"ecs:CreateAction": "RunTask"}}),
        "HandRolesToWorkers": (
            ["iam:PassRole"],
            sorted([OWN.place.iam("role/penstock-flights-eu-west-1-worker"), OWN.execution_role_arn]),
            {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}},
        ),
        "WatchAndStopWorkers": (["ecs:DescribeTasks", "ecs:StopTask"], [OWN.tasks_arn], in_cluster),
        "ListWorkers": (["ecs:ListTasks"], ["*"], in_cluster),
        "ReadLogsOfWorkers": (
            ["logs:GetLogEvents"],
            ["arn:aws:logs:eu-west-1:123456789012:log-group:/penstock/flights:log-stream:run/dask-worker/*"],
            None,
        ),
        "KeepKeys": (
            ["secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:TagResource"],
            [KEYS],
            None,
        ),
    }


def test_a_run_cannot_hand_its_own_role_to_a_worker() -> None:
    assert OWN.task_role_arn not in json.dumps(statements(policy(dask_task_policies.run(OWN, tls=True))))


def test_a_scheduler_in_a_task_of_its_own_is_started_and_read_as_workers_are() -> None:
    found = statements(policy(dask_task_policies.run(WITH_SCHEDULER, tls=True)))

    assert found["StartWorkers"]["Resource"] == [WORKERS.replace("worker", "scheduler"), WORKERS]
    assert [arn.rsplit("/", 2)[1] for arn in found["ReadLogsOfWorkers"]["Resource"]] == [
        "dask-scheduler",
        "dask-worker",
    ]


def test_a_worker_reads_its_keys_and_no_more() -> None:
    assert statements(policy(dask_task_policies.worker(OWN, tls=True))) == {
        "ReadKeys": {
            "Sid": "ReadKeys",
            "Effect": "Allow",
            "Action": ["secretsmanager:GetSecretValue"],
            "Resource": [KEYS],
        }
    }
    assert [item.sid for item in ALL["worker"]] == ["ReadKeys", "MountLake"]


def test_without_encryption_there_are_no_keys_to_reach() -> None:
    for made in (
        dask_task_policies.run(OWN, tls=False),
        dask_task_policies.worker(OWN, tls=False),
        dask_task_policies.submitter(OWN, tls=False),
    ):
        assert not any("secretsmanager" in action for item in made for action in item.actions)


def test_a_submitter_removes_keys_and_cannot_read_them() -> None:
    found = statements(policy(dask_task_policies.submitter(OWN, tls=True)))

    assert {sid: (item["Action"], item["Resource"]) for sid, item in found.items()} == {
        "ListKeys": (["secretsmanager:ListSecrets"], ["*"]),
        "DeleteKeys": (["secretsmanager:DeleteSecret"], [KEYS]),
    }


def test_a_previewer_reads_what_there_is_of_workers() -> None:
    for own, families in ((OWN, {"worker"}), (WITH_SCHEDULER, {"worker", "scheduler"}), (named(), set())):
        found = statements(policy(ecs_policies.previewer(own)))
        read = {arn.rpartition("-")[2].partition(":")[0] for arn in found["ReadCluster"]["Resource"]}
        assert read & {"worker", "scheduler"} == families
        assert any(arn.endswith("-worker") for arn in found["ReadRoles"]["Resource"]) == bool(families)


def test_policies_of_the_longest_names_are_no_longer_than_aws_takes() -> None:
    own = with_workers(named("a-name-of-sixty-three-characters-as-long-as-a-label-ever-can-be"), scheduler_task=True)

    submitter = [*ecs_policies.submitter(own), *dask_task_policies.submitter(own, tls=True)]
    assert len(policy(submitter)) <= LONGEST_POLICY
    assert len(policy(ecs_policies.previewer(own))) <= LONGEST_POLICY
    # Those inside a role: 10,240 characters in all, the user's own statements among them.
    assert len(policy([*ecs_roles.task(own, execute_command=True), *dask_task_policies.run(own, tls=True)])) < 6000
