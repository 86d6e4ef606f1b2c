"""Where runs on ECS have their network interfaces, and what they reach from there."""

from functools import partial
from typing import Any

import pulumi
import pulumi_aws as aws

from components import egress_rules
from components.given import ArgumentError, Given
from components.lookups import lookup
from components.network import Network
from components.task_plan import TaskPlan


class TaskNetwork:
    """Subnets and security groups of runs.

    Args:
        plan: how the task of every run is to be.
        parent: the environment's component.
        name: its name.
    """

    vpc_id: Any
    """Id of the network."""
    subnet_ids: Any
    """Ids of the subnets."""
    security_group_ids: Any
    """Ids of the security groups."""

    def __init__(self, plan: TaskPlan, parent: pulumi.ComponentResource, name: str) -> None:
        draft = plan.draft
        child = pulumi.ResourceOptions(parent=parent)
        if draft.has("vpc_id"):
            self.vpc_id = draft.inputs["vpc_id"]
            self.subnet_ids = draft.inputs["subnet_ids"]
        else:
            own = Network(
                f"{name}-network",
                {"services": plan.services(), "tags": plan.tags, **draft.part("network_cidr", "availability_zones")},  # type: ignore[typeddict-item]
                child,
            )
            self.vpc_id, self.subnet_ids = own.vpc_id, own.subnet_ids
            cidr, s3_prefix_list = own.cidr, own.s3_prefix_list_id
        if draft.has("security_group_ids"):
            self.security_group_ids = draft.inputs["security_group_ids"]
            return
        if draft.has("vpc_id"):
            cidr = lookup("ec2/getVpc", parent, missing=partial(_no_network, draft), id=self.vpc_id)["cidrBlock"]
            listed = pulumi.Output.format("com.amazonaws.{0}.s3", lookup("index/getRegion", parent)["region"])
            s3_prefix_list = lookup("ec2/getPrefixList", parent, name=listed)["id"]
        group = aws.ec2.SecurityGroup(
            f"{name}-run",
            name=f"penstock-{plan.environment}-run",
            description=f"Runs of Penstock: nothing comes in{' from elsewhere' if plan.ports else ''}",
            vpc_id=self.vpc_id,
            tags=plan.tags,
            opts=child,
        )
        self.security_group_ids = [group.id]
        # Which rules there are is known from the start; what they say, where the network is created, later only.
        render = partial(egress_rules.rules, files=any("efs" in item for item in draft.plain("volumes", [])))
        names = draft.derive(partial(render, vpc_cidr="", s3_prefix_list=""), "egress", "egress_anywhere")
        rules = pulumi.Output.from_input(
            draft.derive(render, "egress", "egress_anywhere", vpc_cidr=cidr, s3_prefix_list=s3_prefix_list)
        )
        for rule, fields in names.items():
            aws.vpc.SecurityGroupEgressRule(
                f"{name}-run-{rule}",
                security_group_id=group.id,
                tags=plan.tags,
                opts=child,
                **{field: rules[rule][field] for field in fields},
            )
        for port, number in plan.ports.items():
            # The only rules that let something in: from the group to itself.
            fields = {
                "security_group_id": group.id,
                "referenced_security_group_id": group.id,
                "ip_protocol": "tcp",
                "from_port": number,
                "to_port": number,
                "tags": plan.tags,
                "opts": child,
            }
            aws.vpc.SecurityGroupIngressRule(f"{name}-run-{port}", description=f"{port} of a run", **fields)
            aws.vpc.SecurityGroupEgressRule(f"{name}-run-{port}", description=f"{port} of a run", **fields)


def _no_network(given: Given, said: str) -> ArgumentError:
    found, expected = f"none that AWS knows ({said})", "the id of a VPC in the account and region"
    return ArgumentError(component=given.component, path="vpc_id", found=found, expected=expected)
