"""What ECS refuses a RunTask for, in its words, where moto takes it."""

import json
from collections.abc import Mapping
from typing import Any

from moto.ec2 import ec2_backends
from moto.ecs.exceptions import ClusterNotFoundException, ECSException
from moto.iam.models import iam_backends

from runner.fargate import SIZES

LONGEST_OVERRIDES = 8192
MOST_COUNT = 10
LONGEST_TOKEN = 64
FARGATE = ("FARGATE", "FARGATE_SPOT")


def refuse(given: Mapping[str, Any], *, cluster: Any, definition: Any, account: str, region: str) -> None:
    """Raise what ECS answers to a RunTask that cannot be.

    Args:
        given: the parameters of RunTask.
        cluster: moto's cluster.
        definition: moto's task definition.
        account: the account's id.
        region: the region.

    Raises:
        ECSException: as ECS answers.
    """
    if cluster.status == "INACTIVE":
        raise ClusterNotFoundException
    if definition.status == "INACTIVE":
        raise ECSException("ClientException", "TaskDefinition is inactive")
    if not 1 <= given.get("count", 1) <= MOST_COUNT:
        raise _invalid("Count must be between 1 and 10.")
    if len(given.get("clientToken", "")) > LONGEST_TOKEN:
        raise _invalid("clientToken can have at most 64 characters.")
    if "capacityProviderStrategy" in given and "launchType" in given:
        raise _invalid("Specify either launch type or capacity provider strategy, not both.")
    overrides = given.get("overrides", {})
    if len(json.dumps(overrides, separators=(",", ":"))) > LONGEST_OVERRIDES:
        raise _invalid("Container Overrides length must be at most 8192")
    names = {item["name"] for item in definition.container_definitions}
    for item in overrides.get("containerOverrides", []):
        if item.get("name") not in names:
            raise _invalid(f"Override for container named {item.get('name')} is not a container in the TaskDefinition.")
    _refuse_place(given, cluster)
    _refuse_size(overrides.get("cpu") or definition.cpu, overrides.get("memory") or definition.memory)
    _refuse_network(given.get("networkConfiguration"), definition, account, region)
    for key, own in (("taskRoleArn", "task_role_arn"), ("executionRoleArn", "execution_role_arn")):
        arn = overrides.get(key) or getattr(definition, own, None)
        if arn and not _can_be_assumed(arn, account):
            raise ECSException(
                "ClientException",
                f"ECS was unable to assume the role '{arn}' that was provided for this task. Please verify that the "
                "role being passed has the proper trust relationship and permissions and that your IAM user has "
                "permissions to pass this role.",
            )


def _invalid(message: str) -> ECSException:
    return ECSException("InvalidParameterException", message)


def _refuse_place(given: Mapping[str, Any], cluster: Any) -> None:
    strategy = given.get("capacityProviderStrategy") or (
        [] if given.get("launchType") else cluster.default_capacity_provider_strategy or []
    )
    known = {*(cluster.capacity_providers or []), *FARGATE}
    for item in strategy:
        if item["capacityProvider"] not in known:
            raise _invalid(
                f"The specified capacity provider '{item['capacityProvider']}' was not found. Specify a valid name or "
                "ARN and try again."
            )
    if strategy and not any(item["capacityProvider"] in FARGATE for item in strategy):
        raise _invalid("No Container Instances were found in your capacity provider.")
    if not strategy and given.get("launchType", "EC2") != "FARGATE":
        raise _invalid("No Container Instances were found in your cluster.")


def _refuse_size(cpu: Any, memory: Any) -> None:
    if not cpu or not memory or int(memory) not in SIZES.get(int(cpu), ()):
        raise ECSException("ClientException", "No Fargate configuration exists for given values.")


def _refuse_network(configuration: Any, definition: Any, account: str, region: str) -> None:
    if definition.network_mode != "awsvpc":
        return
    if not configuration:
        raise _invalid("Network Configuration must be provided when networkMode 'awsvpc' is specified.")
    network, ec2 = configuration["awsvpcConfiguration"], ec2_backends[account][region]
    subnets = {identity for zone in ec2.subnets.values() for identity in zone}
    for identity in network["subnets"]:
        if identity not in subnets:
            raise _invalid(
                f"Error retrieving subnet information for [{identity}]: The subnet ID '{identity}' does not exist "
                "(ErrorCode: InvalidSubnetID.NotFound)"
            )
    groups = {identity for vpc in ec2.groups.values() for identity in vpc}
    for identity in network.get("securityGroups", []):
        if identity not in groups:
            raise _invalid(
                f"Error retrieving security group information for [{identity}]: The security group '{identity}' does "
                "not exist (ErrorCode: InvalidGroup.NotFound)"
            )


def _can_be_assumed(arn: str, account: str) -> bool:
    """Whether the role is there, and trusts ECS' tasks if it says whom it trusts."""
    roles = {role.arn: role for role in iam_backends[account]["aws"].get_roles()}
    if arn not in roles:
        return False
    document = json.loads(roles[arn].assume_role_policy_document)
    return "Statement" not in document or "ecs-tasks.amazonaws.com" in json.dumps(document)
