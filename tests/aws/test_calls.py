"""RunTask and its neighbours as ECS answers them: once for a token, refused in ECS' words, listed by ECS' rules."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.aws.conftest import Bed

pytestmark = pytest.mark.aws

SLEEPS = "import signal, sys, time; signal.signal(15, lambda *_: sys.exit(0)); time.sleep(60)"


def refusal(bed: Bed, definition: str, **options: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as caught:
        bed.ask(definition, **options)
    return caught.value.response["Error"]["Code"], caught.value.response["Error"]["Message"]


@pytest.fixture
def definition(bed: Bed) -> str:
    return bed.register(bed.container(SLEEPS))


def test_one_token_starts_one_task_and_other_parameters_conflict(bed: Bed, definition: str) -> None:
    (first,) = bed.ask(definition, clientToken="t", startedBy="a")["tasks"]
    (again,) = bed.ask(definition, clientToken="t", startedBy="a")["tasks"]

    assert again["taskArn"] == first["taskArn"]
    assert refusal(bed, definition, clientToken="t", startedBy="b")[0] == "ConflictException"
    assert bed.ecs.list_tasks(cluster=bed.cluster)["taskArns"] == [first["taskArn"]]


def overrides(length: int) -> dict[str, Any]:
    return {"containerOverrides": [{"name": "flow", "environment": [{"name": "A", "value": "x" * length}]}]}


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        ({"overrides": overrides(8200)}, "InvalidParameterException", "at most 8192"),
        (
            {"overrides": {"containerOverrides": [{"name": "other"}]}},
            "InvalidParameterException",
            "Override for container named other is not a container in the TaskDefinition.",
        ),
        ({"overrides": {"cpu": "256", "memory": "4096"}}, "ClientException", "No Fargate configuration exists"),
        ({"clientToken": "x" * 65}, "InvalidParameterException", "clientToken"),
        ({"cluster": "no-such-cluster"}, "ClusterNotFoundException", "Cluster not found."),
        ({"taskDefinition": "no-such-family"}, "ClientException", "TaskDefinition not found."),
        ({"launchType": "EC2"}, "InvalidParameterException", "No Container Instances were found in your cluster."),
        (
            {"capacityProviderStrategy": [{"capacityProvider": "mine", "weight": 1}]},
            "InvalidParameterException",
            "The specified capacity provider 'mine' was not found.",
        ),
        (
            {"networkConfiguration": {"awsvpcConfiguration": {"subnets": ["subnet-1"]}}},
            "InvalidParameterException",
            "The subnet ID 'subnet-1' does not exist",
        ),
        (
            {"overrides": {"taskRoleArn": "arn:aws:iam::123456789012:role/none"}},
            "ClientException",
            "ECS was unable to assume the role 'arn:aws:iam::123456789012:role/none'",
        ),
    ],
)
def test_what_cannot_be_is_refused(bed: Bed, definition: str, options: dict[str, Any], code: str, text: str) -> None:
    found = refusal(bed, definition, **options)

    assert found[0] == code
    assert text in found[1]
    assert bed.ecs.list_tasks(cluster=bed.cluster)["taskArns"] == []


def test_overrides_have_room_for_8192_characters(bed: Bed, definition: str) -> None:
    empty = len('{"containerOverrides":[{"name":"flow","environment":[{"name":"A","value":""}]}]}')

    assert len(bed.ask(definition, overrides=overrides(8192 - empty))["tasks"]) == 1
    assert refusal(bed, definition, overrides=overrides(8193 - empty))[0] == "InvalidParameterException"


def test_a_definition_that_was_deregistered_starts_nothing(bed: Bed, definition: str) -> None:
    bed.ecs.deregister_task_definition(taskDefinition=definition)

    assert refusal(bed, definition) == ("ClientException", "TaskDefinition is inactive")


def test_a_role_that_does_not_trust_ecs_cannot_be_assumed(bed: Bed, definition: str) -> None:
    bed.aws.client("iam").update_assume_role_policy(
        RoleName=f"{bed.name}-task",
        PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole",'
        '"Principal":{"Service":"ec2.amazonaws.com"}}]}',
    )

    assert "ECS was unable to assume the role" in refusal(bed, definition)[1]


def test_tags_are_those_of_the_call_and_of_the_definition_when_asked_for(bed: Bed) -> None:
    definition = bed.register(
        bed.container(SLEEPS), tags=[{"key": "team", "value": "data"}, {"key": "run", "value": "none"}]
    )
    tags = [{"key": "run", "value": "r-1"}]
    (plain,) = bed.ask(definition, tags=tags)["tasks"]
    (both,) = bed.ask(definition, tags=tags, propagateTags="TASK_DEFINITION", group="mine")["tasks"]

    def of(task: dict[str, Any]) -> dict[str, str]:
        return {item["key"]: item["value"] for item in bed.task(task["taskArn"], include=["TAGS"])["tags"]}

    assert of(plain) == {"run": "r-1"}
    assert of(both) == {"run": "r-1", "team": "data"}
    assert "tags" not in bed.task(both["taskArn"]) or bed.task(both["taskArn"])["tags"] == []
    assert (plain["group"], both["group"]) == (f"family:{bed.name}", "mine")


def listed(bed: Bed, **options: Any) -> list[str]:
    found: list[str] = bed.ecs.list_tasks(**{"cluster": bed.cluster, **options})["taskArns"]
    return found


def test_listing_follows_ecs_rules(bed: Bed, definition: str) -> None:
    other = bed.register(bed.container("print(1)"), family=f"{bed.name}-other")
    (up,) = (task["taskArn"] for task in bed.ask(definition, startedBy="a")["tasks"])
    (over,) = (task["taskArn"] for task in bed.ask(other, startedBy="b")["tasks"])
    bed.until(over)

    assert listed(bed) == listed(bed, desiredStatus="RUNNING") == listed(bed, family=bed.name) == [up]
    assert listed(bed, desiredStatus="STOPPED") == listed(bed, startedBy="b", desiredStatus="STOPPED") == [over]
    assert listed(bed, family=f"{bed.name}-other", desiredStatus="STOPPED") == [over]
    assert listed(bed, startedBy="b") == listed(bed, desiredStatus="PENDING") == []
    with pytest.raises(ClientError, match="cannot specify startedBy with other arguments"):
        listed(bed, startedBy="a", family=bed.name)
    with pytest.raises(ClientError, match="Cluster not found"):
        listed(bed, cluster=f"{bed.name}x")


def test_lists_have_pages_and_descriptions_a_limit(bed: Bed, definition: str) -> None:
    started = {task["taskArn"] for task in bed.ask(definition, count=3)["tasks"]}

    first = bed.ecs.list_tasks(cluster=bed.cluster, maxResults=2)
    second = bed.ecs.list_tasks(cluster=bed.cluster, maxResults=2, nextToken=first["nextToken"])

    assert {*first["taskArns"], *second["taskArns"]} == started
    assert "nextToken" not in second
    with pytest.raises(ClientError, match="at most 100 items"):
        bed.ecs.describe_tasks(cluster=bed.cluster, tasks=["x"] * 101)


def test_a_task_is_known_in_its_cluster_only(bed: Bed, definition: str) -> None:
    (task,) = bed.ask(definition)["tasks"]
    bed.ecs.create_cluster(clusterName=f"{bed.name}-2")

    answer = bed.ecs.describe_tasks(cluster=f"{bed.name}-2", tasks=[task["taskArn"]])

    assert [item["reason"] for item in answer["failures"]] == ["MISSING"]
    assert listed(bed, cluster=f"{bed.name}-2") == []
    bed.ecs.delete_cluster(cluster=f"{bed.name}-2")


def test_a_cluster_counts_its_tasks_and_stays_while_they_are_up(bed: Bed, definition: str) -> None:
    (task,) = bed.ask(definition)["tasks"]
    bed.until(task["taskArn"], "RUNNING")

    (cluster,) = bed.ecs.describe_clusters(clusters=[bed.name])["clusters"]

    assert (cluster["runningTasksCount"], cluster["pendingTasksCount"]) == (1, 0)
    with pytest.raises(ClientError, match="cannot be deleted while Tasks are active"):
        bed.ecs.delete_cluster(cluster=bed.name)


def test_settings_of_the_account_have_their_defaults(bed: Bed) -> None:
    found = bed.ecs.list_account_settings(name="taskLongArnFormat", effectiveSettings=True)["settings"]

    assert [(item["name"], item["value"]) for item in found] == [("taskLongArnFormat", "enabled")]
