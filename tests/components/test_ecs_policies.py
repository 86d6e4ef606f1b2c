"""The policies of an environment on ECS: what they allow, that no statement goes further, and that they are legal."""

import json
import warnings
from collections.abc import Sequence
from typing import Any

import pytest

from components import ecs_policies, ecs_roles
from components.iam import LONGEST_POLICY, Statement, policy, trust
from runner.errors import ContractError
from tests.components.ecs import IMAGE, KEY, PARAMETER, PLACE, SECRET, here, named, statements

with warnings.catch_warnings():
    warnings.simplefilter("ignore", ResourceWarning)  # it leaves two of its own files open
    from parliament import analyze_policy_string

FILES = {"name": "lake", "efs": {"file_system_id": "fs-12345678", "access_point_id": "fsap-1", "iam": True}}
SECRETS = [
    {"env": "TOKEN", "arn": SECRET, "key": "token", "kms_key_arn": KEY},
    {"env": "USER_NAME", "arn": SECRET, "key": "user"},
    {"env": "OTHER", "arn": PARAMETER},
]
OWN = named()
ALL: dict[str, Sequence[Statement]] = {
    "submitter": ecs_policies.submitter(OWN),
    "previewer": ecs_policies.previewer(OWN),
    "task": ecs_roles.task(OWN, execute_command=True, volumes=[FILES]),
    "execution": ecs_roles.execution(OWN, images=[IMAGE], secrets=SECRETS),
}


@pytest.mark.parametrize("name", ALL)
def test_a_linter_of_policies_finds_nothing(name: str) -> None:
    found = analyze_policy_string(policy(ALL[name])).findings

    # It takes container instances for a resource of ListTasks, which listing a cluster's tasks has nothing to do with.
    known = [("RESOURCE_STAR", ["ecs:ListTasks"])] if name == "submitter" else []
    assert [(item.issue, item.detail) for item in found] == known


@pytest.mark.parametrize("name", ALL)
def test_everything_is_only_said_where_aws_has_nothing_narrower_and_with_a_reason(name: str) -> None:
    for item in ALL[name]:
        assert (item.resources == ("*",)) == bool(item.unbounded), item.sid
        assert all(action.count("*") == 0 for action in item.actions)
        assert item.reason.endswith(".")


def test_what_has_no_resource_is_this_and_no_more() -> None:
    unbounded = {name: [item.sid for item in found if item.unbounded] for name, found in ALL.items()}

    assert unbounded == {
        "submitter": ["ListRuns"],
        "previewer": ["ReadTaskDefinition", "ListParametersAndLogGroups", "ReadNetwork"],
        "task": ["ExecuteCommand"],
        "execution": ["LogInToRegistry"],
    }


def test_the_previewer_only_reads() -> None:
    actions = {action.partition(":")[2] for item in ALL["previewer"] for action in item.actions}

    assert {action for action in actions if not action.startswith(("Describe", "Get", "List"))} == set()
    assert "GetObject" not in actions


def test_the_submitter_starts_runs_of_this_environment_only() -> None:
    found = statements(policy(ecs_policies.submitter(OWN)))

    assert found["StartRuns"] == {
        "Sid": "StartRuns",
        "Effect": "Allow",
        "Action": ["ecs:RunTask"],
        "Resource": ["arn:aws:ecs:eu-west-1:123456789012:task-definition/penstock-flights:*"],
        "Condition": {"ArnEquals": {"ecs:cluster": OWN.cluster_arn}},
    }
    assert found["HandRolesToRuns"]["Resource"] == sorted([OWN.task_role_arn, OWN.execution_role_arn])
    assert found["HandRolesToRuns"]["Condition"] == {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    assert found["TagRuns"]["Condition"] == {"StringEquals": {"ecs:CreateAction": "RunTask"}}
    for sid in ("FollowAndStopRuns", "ListRuns"):
        assert found[sid]["Condition"] == {"ArnEquals": {"ecs:cluster": OWN.cluster_arn}}
    assert found["SendCode"]["Resource"] == [
        f"arn:aws:s3:::{OWN.bucket}/bundles/*",
        f"arn:aws:s3:::{OWN.bucket}/inputs/*",
    ]
    assert (found["ReadFiles"]["Action"], found["ReadFiles"]["Resource"]) == (
        ["s3:GetObject"],
        [f"arn:aws:s3:::{OWN.bucket}/artifacts/*"],
    )


def test_a_run_reads_its_own_code_keeps_files_and_no_more() -> None:
    found = statements(policy(ecs_roles.task(OWN)))

    assert {sid: item["Action"] for sid, item in found.items()} == {
        "ReadOwnCode": ["s3:GetObject"],
        "KeepFiles": ["s3:PutObject"],
    }
    assert found["KeepFiles"]["Resource"] == [f"arn:aws:s3:::{OWN.bucket}/artifacts/*"]


def test_a_file_system_is_mounted_through_its_access_point_only() -> None:
    found = statements(policy(ecs_roles.task(OWN, volumes=[FILES])))["MountLake"]

    assert found["Resource"] == ["arn:aws:elasticfilesystem:eu-west-1:123456789012:file-system/fs-12345678"]
    point = "arn:aws:elasticfilesystem:eu-west-1:123456789012:access-point/fsap-1"
    assert found["Condition"] == {"ArnEquals": {"elasticfilesystem:AccessPointArn": point}}


def test_ecs_gets_the_image_the_secrets_and_the_log_of_this_environment() -> None:
    found = statements(policy(ALL["execution"]))

    assert found["WriteLog"]["Resource"] == [OWN.streams_arn]
    assert found["PullImage"]["Resource"] == ["arn:aws:ecr:eu-west-1:123456789012:repository/team/flows"]
    assert found["ReadSecrets"]["Resource"] == [SECRET]
    assert found["ReadParameters"]["Resource"] == [PARAMETER]
    assert found["DecryptSecrets"] == {
        "Sid": "DecryptSecrets",
        "Effect": "Allow",
        "Action": ["kms:Decrypt"],
        "Resource": [KEY],
    }


@pytest.mark.parametrize("image", ["registry.example/team/flows:1", "public.ecr.aws/team/flows:1", "python"])
def test_an_image_of_another_registry_needs_no_right(image: str) -> None:
    assert [item.sid for item in ecs_roles.execution(OWN, images=[image])] == ["WriteLog"]


def test_policies_of_the_longest_names_are_no_longer_than_aws_takes() -> None:
    own = named("a-name-of-sixty-three-characters-as-long-as-a-label-ever-can-be")

    for made in (ecs_policies.submitter(own), ecs_policies.previewer(own)):
        assert len(policy(made)) <= LONGEST_POLICY


def test_the_users_statements_are_a_policy_of_their_own() -> None:
    written = ecs_roles.users_policy(
        [
            {"actions": ["s3:PutObject", "s3:GetObject"], "resources": ["arn:aws:s3:::lake/*"]},
            {
                "sid": "NotThat",
                "effect": "Deny",
                "actions": ["s3:DeleteObject"],
                "resources": ["arn:aws:s3:::lake/*"],
                "conditions": {"Bool": {"aws:SecureTransport": "true"}},
            },
        ]
    )

    assert json.loads(written or "")["Statement"] == [
        {
            "Sid": "Own1",
            "Effect": "Allow",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": ["arn:aws:s3:::lake/*"],
        },
        {
            "Sid": "NotThat",
            "Effect": "Deny",
            "Action": ["s3:DeleteObject"],
            "Resource": ["arn:aws:s3:::lake/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "true"}},
        },
    ]
    assert ecs_roles.users_policy([]) is None


@pytest.mark.parametrize(
    ("statement", "path"),
    [
        ({"actions": [], "resources": ["x"]}, "task_role_statements[1].actions"),
        ({"actions": ["x"], "resources": []}, "task_role_statements[1].resources"),
        ({"actions": ["x"], "resources": ["x"], "sid": "a b"}, "task_role_statements[1].sid"),
        ({"actions": ["x"], "resources": ["x"], "sid": "First"}, "task_role_statements[1].sid"),
    ],
)
def test_a_statement_that_is_none_is_refused(statement: Any, path: str) -> None:
    with pytest.raises(ContractError) as refusal:
        ecs_roles.users_policy([{"actions": ["x"], "resources": ["x"], "sid": "First"}, statement])
    assert refusal.value.path == path


def test_roles_are_taken_by_tasks_of_this_account_and_region_only() -> None:
    (found,) = statements(trust(place=PLACE)).values()

    assert found["Principal"] == {"Service": "ecs-tasks.amazonaws.com"}
    assert found["Condition"] == {
        "ArnLike": {"aws:SourceArn": here().arn("ecs", "*")},
        "StringEquals": {"aws:SourceAccount": "123456789012"},
    }
