"""A network for runs that has no way to the internet: a building block for environments.

Creates a VPC with a private subnet in each of two zones, a gateway endpoint to S3, and interface endpoints to those of
AWS' services that a task needs. There is neither an internet gateway nor a NAT gateway. The default security group that
AWS makes in every VPC is left as it is, and nothing is in it.
"""

from typing import Any, NotRequired, TypedDict

import pulumi
import pulumi_aws as aws

from components import network_plan
from components.document import PACKAGE
from components.given import Given
from components.lookups import lookup

HTTPS = 443


class NetworkArgs(TypedDict):
    """Arguments of a Network."""

    network_cidr: NotRequired[pulumi.Input[str]]
    """Range of its addresses, from /16 to /27. Default: 10.111.0.0/24."""
    availability_zones: NotRequired[pulumi.Input[list[pulumi.Input[str]]]]
    """The two zones that it is in. Default: the first two of the region."""
    services: NotRequired[list[str]]
    """AWS' services that it has interface endpoints to, such as `logs`; each costs by the hour and zone. S3 has one
    in any case, which costs nothing. Default: none."""
    tags: NotRequired[pulumi.Input[dict[str, pulumi.Input[str]]]]
    """Tags of everything in it. Default: none."""


class Network(pulumi.ComponentResource):
    """A VPC whose only ways out lead to services of AWS."""

    vpc_id: pulumi.Output[str]
    """Id of the VPC."""
    subnet_ids: pulumi.Output[list[str]]
    """Ids of its subnets, one in each zone."""
    cidr: pulumi.Output[str]
    """Range of its addresses."""
    s3_prefix_list_id: pulumi.Output[str]
    """Id of the list of S3's addresses."""

    def __init__(self, name: str, args: NetworkArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        given = Given(name, args, NetworkArgs)
        ranges = given.derive(network_plan.subnets, "network_cidr")
        super().__init__(f"{PACKAGE}:index:Network", name, given.inputs, opts)

        child = pulumi.ResourceOptions(parent=self)
        own_tags = pulumi.Output.from_input(given.inputs.get("tags", {}))

        def tags(part: str) -> Any:
            # The console shows networks by this tag only.
            return own_tags.apply(lambda known: {**known, "Name": part})

        region = lookup("index/getRegion", self)["region"]
        zones = given.inputs.get("availability_zones")
        if zones is None:
            zones = lookup("index/getAvailabilityZones", self, state="available")["names"]
        zones, ranges = pulumi.Output.from_input(zones), pulumi.Output.from_input(ranges)

        vpc = aws.ec2.Vpc(
            name,
            cidr_block=given.inputs.get("network_cidr", network_plan.CIDR),
            enable_dns_support=True,
            enable_dns_hostnames=True,  # endpoints answer by the services' usual names
            tags=tags(name),
            opts=child,
        )
        table = aws.ec2.RouteTable(f"{name}-private", vpc_id=vpc.id, tags=tags(f"{name}-private"), opts=child)
        subnets = []
        for i in range(network_plan.ZONES):
            part = f"{name}-{'ab'[i]}"
            subnet = aws.ec2.Subnet(
                part,
                vpc_id=vpc.id,
                cidr_block=ranges[i],
                availability_zone=zones[i],
                map_public_ip_on_launch=False,
                tags=tags(part),
                opts=child,
            )
            aws.ec2.RouteTableAssociation(part, route_table_id=table.id, subnet_id=subnet.id, opts=child)
            subnets.append(subnet.id)

        s3 = aws.ec2.VpcEndpoint(
            f"{name}-s3",
            vpc_id=vpc.id,
            service_name=pulumi.Output.format("com.amazonaws.{0}.s3", region),
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id],
            tags=tags(f"{name}-s3"),
            opts=child,
        )
        services = given.plain("services", [])
        if services:
            doors = aws.ec2.SecurityGroup(
                f"{name}-endpoints",
                name=f"{name}-endpoints",
                description="Endpoints of services of AWS",
                vpc_id=vpc.id,
                tags=tags(f"{name}-endpoints"),
                opts=child,
            )
            aws.vpc.SecurityGroupIngressRule(
                f"{name}-endpoints",
                security_group_id=doors.id,
                ip_protocol="tcp",
                from_port=HTTPS,
                to_port=HTTPS,
                cidr_ipv4=vpc.cidr_block,
                description="from this network",
                tags=tags(f"{name}-endpoints"),
                opts=child,
            )
        for service in services:
            part = f"{name}-{service.replace('.', '-')}"
            aws.ec2.VpcEndpoint(
                part,
                vpc_id=vpc.id,
                service_name=pulumi.Output.format("com.amazonaws.{0}.{1}", region, service),
                vpc_endpoint_type="Interface",
                subnet_ids=subnets,
                security_group_ids=[doors.id],
                private_dns_enabled=True,
                tags=tags(part),
                opts=child,
            )
        self.vpc_id = vpc.id
        self.subnet_ids = pulumi.Output.all(*subnets)
        self.cidr = vpc.cidr_block
        self.s3_prefix_list_id = s3.prefix_list_id
        self.register_outputs({"vpcId": self.vpc_id, "subnetIds": self.subnet_ids, "cidr": self.cidr})
