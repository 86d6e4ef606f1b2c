"""Functions of the SDK that only ask: `getCallerIdentity`, `getVpc` and so on."""

from collections.abc import Callable, Mapping
from typing import Any

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.errors import ProviderError
from tests.testbed.aws.provider.tables.forms import keyed, renamed
from tests.testbed.aws.provider.values import Values

PARTITION = {"id": "aws", "partition": "aws", "dnsSuffix": "amazonaws.com", "reverseDnsPrefix": "com.amazonaws"}


def _filters(it: Item, **own: Any) -> Any:
    named = [{"Name": item["name"], "Values": item["values"]} for item in it["filters"] or ()]
    tags = [{"Name": f"tag:{key}", "Values": [value]} for key, value in (it["tags"] or {}).items()]
    more = [{"Name": name.replace("_", "-"), "Values": [value]} for name, value in own.items() if value is not None]
    return [*named, *tags, *more] or None


def _only(found: list[Any], what: str) -> Any:
    if len(found) != 1:
        raise ProviderError(f"expected exactly one {what}, found {len(found)}; name it more precisely.")
    return found[0]


def _identity(it: Item) -> Values:
    me = it.call("get_caller_identity")
    return {"id": me["Account"], "accountId": me["Account"], "arn": me["Arn"], "userId": me["UserId"]}


def _region(it: Item) -> Values:
    here = it.region
    return {"id": here, "name": here, "region": here, "description": here, "endpoint": f"ec2.{here}.amazonaws.com"}


def _vpc(it: Item) -> Values:
    default = str(it["default"]).lower() if it["default"] is not None else None
    ids = [it["id"]] if it["id"] else None
    filters = _filters(it, is_default=default, cidr=it["cidrBlock"], state=it["state"])
    vpc = _only(it.call("describe_vpcs", VpcIds=ids, Filters=filters)["Vpcs"], "VPC")
    form = {"id": "VpcId", "cidrBlock": "CidrBlock", "default": "IsDefault", "state": "State", "ownerId": "OwnerId"}
    item = Item(service="ec2", caller=it.caller, region=it.region, account=it.account, values={}, id=vpc["VpcId"])

    def attribute(name: str) -> Any:
        answer = item.call("describe_vpc_attribute", VpcId=item.id, Attribute=name)
        return answer[name[0].upper() + name[1:]]["Value"]

    mine = [{"Name": "vpc-id", "Values": [item.id]}, {"Name": "association.main", "Values": ["true"]}]
    return {
        **renamed(vpc, {**form, "instanceTenancy": "InstanceTenancy", "dhcpOptionsId": "DhcpOptionsId"}),
        "arn": it.arn("ec2", f"vpc/{item.id}"),
        "enableDnsSupport": attribute("enableDnsSupport"),
        "enableDnsHostnames": attribute("enableDnsHostnames"),
        "mainRouteTableId": it.call("describe_route_tables", Filters=mine)["RouteTables"][0]["RouteTableId"],
        "cidrBlockAssociations": [],
        "tags": keyed(vpc.get("Tags") or []),
    }


def _subnets(it: Item) -> Values:
    found = it.call("describe_subnets", Filters=_filters(it))["Subnets"]
    return {"id": it.region, "ids": sorted(subnet["SubnetId"] for subnet in found), "tags": it["tags"] or {}}


def _zones(it: Item) -> Values:
    zones = it.call("describe_availability_zones", Filters=_filters(it, state=it["state"]))["AvailabilityZones"]
    zones = [zone for zone in zones if zone["ZoneName"] not in (it["excludeNames"] or ())]
    zones.sort(key=lambda zone: str(zone["ZoneName"]))
    return {
        "id": it.region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone["ZoneId"] for zone in zones],
        "groupNames": sorted({zone.get("GroupName") or it.region for zone in zones}),
    }


def _prefix_list(it: Item) -> Values:
    ids = [it["id"]] if it["id"] else None
    filters = _filters(it, prefix_list_name=it["name"])
    found = _only(
        it.call("describe_managed_prefix_lists", PrefixListIds=ids, Filters=filters)["PrefixLists"], "prefix list"
    )
    form = {"id": "PrefixListId", "name": "PrefixListName", "arn": "PrefixListArn", "ownerId": "OwnerId"}
    more = {"addressFamily": "AddressFamily", "maxEntries": "MaxEntries", "version": "Version"}
    return {**renamed(found, {**form, **more}), "entries": [], "tags": keyed(found.get("Tags") or [])}


def _list_of_service(it: Item) -> Values:
    ids = [it["prefixListId"]] if it["prefixListId"] else None
    filters = _filters(it, prefix_list_name=it["name"])
    found = _only(it.call("describe_prefix_lists", PrefixListIds=ids, Filters=filters)["PrefixLists"], "prefix list")
    return renamed(found, {"id": "PrefixListId", "name": "PrefixListName", "cidrBlocks": "Cidrs"})


def _cluster(it: Item) -> Values:
    found = it.call("describe_clusters", clusters=[it["clusterName"]], include=["SETTINGS", "TAGS"])["clusters"]
    cluster = _only([cluster for cluster in found if cluster["status"] == "ACTIVE"], f"cluster {it['clusterName']}")
    counts = {
        "pendingTasksCount": "pendingTasksCount",
        "runningTasksCount": "runningTasksCount",
        "registeredContainerInstancesCount": "registeredContainerInstancesCount",
    }
    return {
        **renamed(cluster, {"id": "clusterArn", "arn": "clusterArn", "clusterName": "clusterName", "status": "status"}),
        **renamed(cluster, counts),
        "settings": cluster.get("settings") or [],
        "serviceConnectDefaults": [],
        "tags": keyed(cluster.get("tags") or [], "key", "value"),
    }


FUNCTIONS: Mapping[str, tuple[str, Callable[[Item], Values], str]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": ("sts", _identity, ""),
    "aws:index/getRegion:getRegion": ("sts", _region, ""),
    "aws:index/getPartition:getPartition": ("sts", lambda _: dict(PARTITION), ""),
    "aws:index/getAvailabilityZones:getAvailabilityZones": ("ec2", _zones, "filters state excludeNames"),
    "aws:ec2/getVpc:getVpc": ("ec2", _vpc, "id default cidrBlock state filters tags"),
    "aws:ec2/getSubnets:getSubnets": ("ec2", _subnets, "filters tags"),
    "aws:ec2/getManagedPrefixList:getManagedPrefixList": ("ec2", _prefix_list, "id name filters tags"),
    "aws:ec2/getPrefixList:getPrefixList": ("ec2", _list_of_service, "name prefixListId filters"),
    "aws:ecs/getCluster:getCluster": ("ecs", _cluster, "clusterName"),
}
"""By token: service, what answers, and the arguments that it takes besides `region`."""
