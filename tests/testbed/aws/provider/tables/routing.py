"""Route tables, and endpoints of AWS' services in a VPC."""

from collections.abc import Iterator
from typing import Any

from tests.testbed.aws.provider import policies
from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.errors import Problem
from tests.testbed.aws.provider.resource import ResourceType, Update
from tests.testbed.aws.provider.tables.forms import as_set, ec2_tagging, renamed
from tests.testbed.aws.provider.values import Unknown, Values

GATEWAY = "Gateway"
INTERFACE = "Interface"
ONLY = {"routeTableIds": GATEWAY, "subnetIds": INTERFACE, "securityGroupIds": INTERFACE}
"""Inputs that one type of endpoint has."""
MEMBERS = {"routeTableIds": "RouteTableIds", "subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds"}


def _create_table(it: Item) -> str:
    return str(it.call("create_route_table", VpcId=it["vpcId"])["RouteTable"]["RouteTableId"])


def _table(it: Item) -> Any:
    return it.call("describe_route_tables", RouteTableIds=[it.id])["RouteTables"][0]


def _read_table(it: Item) -> Values:
    arn = it.arn("ec2", f"route-table/{it.id}")
    return {**renamed(_table(it), {"vpcId": "VpcId", "ownerId": "OwnerId"}), "arn": arn}


def _associate(it: Item) -> str:
    answer = it.call("associate_route_table", RouteTableId=it["routeTableId"], SubnetId=it["subnetId"])
    return str(answer["AssociationId"])


def _read_association(it: Item) -> Values | None:
    """By its own id, or as `subnet/table` in an import."""
    if "/" in it.id:
        subnet, table = it.part("/")
        filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    else:
        subnet, table = None, None
        filters = [{"Name": "association.route-table-association-id", "Values": [it.id]}]
    for found in it.call("describe_route_tables", Filters=filters)["RouteTables"]:
        for one in found["Associations"]:
            if one["RouteTableAssociationId"] == it.id or (one.get("SubnetId"), found["RouteTableId"]) == (
                subnet,
                table,
            ):
                form = {"id": "RouteTableAssociationId", "routeTableId": "RouteTableId", "subnetId": "SubnetId"}
                return renamed(one, form)
    return None


def _create_endpoint(it: Item) -> str:
    answer = it.call(
        "create_vpc_endpoint",
        VpcId=it["vpcId"],
        ServiceName=it["serviceName"],
        VpcEndpointType=it["vpcEndpointType"],
        PolicyDocument=it["policy"],
        PrivateDnsEnabled=it["privateDnsEnabled"],
        **{key: it[name] for name, key in MEMBERS.items()},
    )
    return str(answer["VpcEndpoint"]["VpcEndpointId"])


def _endpoint(it: Item) -> Any:
    found = it.call("describe_vpc_endpoints", VpcEndpointIds=[it.id])["VpcEndpoints"]
    return next((endpoint for endpoint in found if endpoint["State"].lower() not in {"deleting", "deleted"}), None)


def _read_endpoint(it: Item) -> Values | None:
    endpoint = _endpoint(it)
    if endpoint is None:
        return None
    form = {"vpcId": "VpcId", "serviceName": "ServiceName", "vpcEndpointType": "VpcEndpointType", "state": "State"}
    lists = {"routeTableIds": "RouteTableIds", "subnetIds": "SubnetIds", "networkInterfaceIds": "NetworkInterfaceIds"}
    more = {"policy": "PolicyDocument", "ownerId": "OwnerId"}
    return {
        **renamed(endpoint, {**form, **lists, **more, "privateDnsEnabled": "PrivateDnsEnabled"}),
        "securityGroupIds": [group["GroupId"] for group in endpoint.get("Groups") or ()],
        "dnsEntries": [
            {"dnsName": entry.get("DnsName"), "hostedZoneId": entry.get("HostedZoneId")}
            for entry in endpoint.get("DnsEntries") or ()
        ],
        "cidrBlocks": [],
        "requesterManaged": endpoint.get("RequesterManaged", False),
        "prefixListId": _prefix_list(it, endpoint),
        "arn": it.arn("ec2", f"vpc-endpoint/{it.id}"),
    }


def _prefix_list(it: Item, endpoint: Any) -> str | None:
    if endpoint["VpcEndpointType"] != GATEWAY:
        return None
    named = [{"Name": "prefix-list-name", "Values": [endpoint["ServiceName"]]}]
    found = it.call("describe_managed_prefix_lists", Filters=named)["PrefixLists"]
    return str(found[0]["PrefixListId"]) if found else None


def _members(name: str) -> Update:
    def apply(it: Item) -> None:
        old, new = set(it.before.get(name) or ()), set(it[name] or ())
        key = MEMBERS[name]
        changed = {f"Add{key}": sorted(new - old) or None, f"Remove{key}": sorted(old - new) or None}
        it.call("modify_vpc_endpoint", VpcEndpointId=it.id, **changed)

    return Update(inputs=name, apply=apply)


def _set_policy(it: Item) -> None:
    reset = None if it["policy"] else True
    it.call("modify_vpc_endpoint", VpcEndpointId=it.id, PolicyDocument=it["policy"], ResetPolicy=reset)


def _set_dns(it: Item) -> None:
    it.call("modify_vpc_endpoint", VpcEndpointId=it.id, PrivateDnsEnabled=bool(it["privateDnsEnabled"]))


def _check_endpoint(values: Values) -> Iterator[Problem]:
    kind = values.get("vpcEndpointType", GATEWAY)
    if not isinstance(kind, Unknown):
        for name, only in ONLY.items():
            if values.get(name) and kind != only:
                yield Problem(name, f"only an endpoint of type {only} has it, got the type {kind!r}")
    yield from policies.refused("policy", values.get("policy"), principal=True)


TYPES = {
    "aws:ec2/routeTable:RouteTable": ResourceType(
        service="ec2",
        create=_create_table,
        read=_read_table,
        delete=lambda it: it.call("delete_route_table", RouteTableId=it.id),
        fixed="vpcId",
        tagging=ec2_tagging(_table),
        gone=frozenset({"InvalidRouteTableID.NotFound"}),
    ),
    "aws:ec2/routeTableAssociation:RouteTableAssociation": ResourceType(
        service="ec2",
        create=_associate,
        read=_read_association,
        delete=lambda it: it.call("disassociate_route_table", AssociationId=it.id),
        fixed="routeTableId subnetId",
        gone=frozenset({"InvalidAssociationID.NotFound"}),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": ResourceType(
        service="ec2",
        create=_create_endpoint,
        read=_read_endpoint,
        delete=lambda it: it.call("delete_vpc_endpoints", VpcEndpointIds=[it.id]),
        fixed="vpcId serviceName vpcEndpointType",
        updates=(
            *map(_members, MEMBERS),
            Update(inputs="policy", apply=_set_policy),
            Update(inputs="privateDnsEnabled", apply=_set_dns),
        ),
        computed=f"policy privateDnsEnabled {' '.join(MEMBERS)}",
        defaults={"vpcEndpointType": GATEWAY},
        tagging=ec2_tagging(_endpoint),
        compared={"policy": policies.canonical, **dict.fromkeys(MEMBERS, as_set)},
        check=_check_endpoint,
        gone=frozenset({"InvalidVpcEndpointId.NotFound"}),
    ),
}
