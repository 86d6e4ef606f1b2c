"""Networks: VPCs and subnets."""

from typing import Any

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.resource import ResourceType, Update
from tests.testbed.aws.provider.tables.forms import ec2_tagging, refused_block, renamed
from tests.testbed.aws.provider.values import Values


def _create_vpc(it: Item) -> str:
    answer = it.call("create_vpc", CidrBlock=it["cidrBlock"], InstanceTenancy=it["instanceTenancy"])
    return str(answer["Vpc"]["VpcId"])


def _vpc(it: Item) -> Any:
    return it.call("describe_vpcs", VpcIds=[it.id])["Vpcs"][0]


def _attribute(it: Item, name: str) -> bool:
    answer = it.call("describe_vpc_attribute", VpcId=it.id, Attribute=name)
    return bool(answer[name[0].upper() + name[1:]]["Value"])


def _read_vpc(it: Item) -> Values:
    vpc = _vpc(it)
    mine = [{"Name": "vpc-id", "Values": [it.id]}]
    default = [*mine, {"Name": "group-name", "Values": ["default"]}]
    tables = it.call("describe_route_tables", Filters=[*mine, {"Name": "association.main", "Values": ["true"]}])
    main = tables["RouteTables"][0]["RouteTableId"]
    form = {"cidrBlock": "CidrBlock", "instanceTenancy": "InstanceTenancy", "ownerId": "OwnerId"}
    return {
        **renamed(vpc, {**form, "dhcpOptionsId": "DhcpOptionsId"}),
        "arn": it.arn("ec2", f"vpc/{it.id}"),
        "enableDnsSupport": _attribute(it, "enableDnsSupport"),
        "enableDnsHostnames": _attribute(it, "enableDnsHostnames"),
        "defaultSecurityGroupId": it.call("describe_security_groups", Filters=default)["SecurityGroups"][0]["GroupId"],
        "mainRouteTableId": main,
        "defaultRouteTableId": main,
        "defaultNetworkAclId": it.call("describe_network_acls", Filters=mine)["NetworkAcls"][0]["NetworkAclId"],
        "ipv6AssociationId": "",
    }


def _set_attribute(name: str) -> Update:
    def apply(it: Item) -> None:
        key = name[0].upper() + name[1:]
        it.call("modify_vpc_attribute", VpcId=it.id, **{key: {"Value": it[name]}})

    return Update(inputs=name, apply=apply, on_create=True)


def _create_subnet(it: Item) -> str:
    answer = it.call(
        "create_subnet",
        VpcId=it["vpcId"],
        CidrBlock=it["cidrBlock"],
        AvailabilityZone=it["availabilityZone"],
        AvailabilityZoneId=it["availabilityZoneId"],
    )
    return str(answer["Subnet"]["SubnetId"])


def _subnet(it: Item) -> Any:
    return it.call("describe_subnets", SubnetIds=[it.id])["Subnets"][0]


def _read_subnet(it: Item) -> Values:
    form = {"vpcId": "VpcId", "cidrBlock": "CidrBlock", "ownerId": "OwnerId"}
    zone = {"availabilityZone": "AvailabilityZone", "availabilityZoneId": "AvailabilityZoneId"}
    return {
        **renamed(_subnet(it), {**form, **zone, "mapPublicIpOnLaunch": "MapPublicIpOnLaunch"}),
        "arn": it.arn("ec2", f"subnet/{it.id}"),
        "ipv6CidrBlockAssociationId": "",
    }


def _set_public(it: Item) -> None:
    public = {"Value": it["mapPublicIpOnLaunch"]}
    it.call("modify_subnet_attribute", SubnetId=it.id, MapPublicIpOnLaunch=public)


TYPES = {
    "aws:ec2/vpc:Vpc": ResourceType(
        service="ec2",
        create=_create_vpc,
        read=_read_vpc,
        delete=lambda it: it.call("delete_vpc", VpcId=it.id),
        fixed="cidrBlock instanceTenancy",
        updates=(_set_attribute("enableDnsSupport"), _set_attribute("enableDnsHostnames")),
        computed="enableDnsHostnames",
        defaults={"instanceTenancy": "default", "enableDnsSupport": True},
        tagging=ec2_tagging(_vpc),
        check=lambda values: refused_block("cidrBlock", values.get("cidrBlock")),
        cloudformation=("AWS::EC2::VPC", {}),
        gone=frozenset({"InvalidVpcID.NotFound"}),
    ),
    "aws:ec2/subnet:Subnet": ResourceType(
        service="ec2",
        create=_create_subnet,
        read=_read_subnet,
        delete=lambda it: it.call("delete_subnet", SubnetId=it.id),
        fixed="vpcId cidrBlock availabilityZone availabilityZoneId",
        updates=(Update(inputs="mapPublicIpOnLaunch", apply=_set_public, on_create=True),),
        defaults={"mapPublicIpOnLaunch": False},
        tagging=ec2_tagging(_subnet),
        check=lambda values: refused_block("cidrBlock", values.get("cidrBlock")),
        cloudformation=("AWS::EC2::Subnet", {}),
        gone=frozenset({"InvalidSubnetID.NotFound"}),
    ),
}
