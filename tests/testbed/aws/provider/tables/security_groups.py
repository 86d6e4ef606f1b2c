"""Security groups and their rules."""

from collections.abc import Iterator
from typing import Any

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.errors import Problem
from tests.testbed.aws.provider.resource import Autoname, ResourceType, Update
from tests.testbed.aws.provider.tables.forms import ec2_tagging, refused_block, renamed
from tests.testbed.aws.provider.values import Values

SOURCES = ("cidrIpv4", "cidrIpv6", "prefixListId", "referencedSecurityGroupId")
EVERYWHERE = [{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
HIGHEST_PORT = 65535


def _create_group(it: Item) -> str:
    """Without the rule that lets everything out, which AWS adds and the real provider drops."""
    made = it.call("create_security_group", GroupName=it["name"], Description=it["description"], VpcId=it["vpcId"])
    it.call("revoke_security_group_egress", GroupId=made["GroupId"], IpPermissions=EVERYWHERE)
    return str(made["GroupId"])


def _group(it: Item) -> Any:
    return it.call("describe_security_groups", GroupIds=[it.id])["SecurityGroups"][0]


def _read_group(it: Item) -> Values:
    form = {"name": "GroupName", "description": "Description", "vpcId": "VpcId", "ownerId": "OwnerId"}
    return {**renamed(_group(it), form), "arn": it.arn("ec2", f"security-group/{it.id}")}


def _permissions(it: Item, rules: Any) -> list[dict[str, Any]]:
    return [
        {
            "IpProtocol": rule["protocol"],
            "FromPort": rule["fromPort"],
            "ToPort": rule["toPort"],
            "IpRanges": [{"CidrIp": block} for block in rule.get("cidrBlocks") or ()],
            "Ipv6Ranges": [{"CidrIpv6": block} for block in rule.get("ipv6CidrBlocks") or ()],
            "UserIdGroupPairs": [
                {"GroupId": group}
                for group in (*(rule.get("securityGroups") or ()), *([it.id] if rule.get("self") else ()))
            ],
        }
        for rule in rules or ()
    ]


def _rules(direction: str) -> Update:
    def apply(it: Item) -> None:
        old, new = _permissions(it, it.before.get(direction)), _permissions(it, it[direction])
        for verb, change in (
            ("revoke", [rule for rule in old if rule not in new]),
            ("authorize", [rule for rule in new if rule not in old]),
        ):
            if change:
                it.call(f"{verb}_security_group_{direction}", GroupId=it.id, IpPermissions=change)

    return Update(inputs=direction, apply=apply, on_create=True)


def _traffic(it: Item) -> dict[str, Any]:
    return {"IpProtocol": it["ipProtocol"], "FromPort": it["fromPort"], "ToPort": it["toPort"]}


def _other_side(it: Item) -> dict[str, Any]:
    about = {"Description": it["description"]} if it["description"] is not None else {}
    keys = {
        "cidrIpv4": ("IpRanges", "CidrIp"),
        "cidrIpv6": ("Ipv6Ranges", "CidrIpv6"),
        "prefixListId": ("PrefixListIds", "PrefixListId"),
        "referencedSecurityGroupId": ("UserIdGroupPairs", "GroupId"),
    }
    return {group: [{key: it[name], **about}] for name, (group, key) in keys.items() if it[name] is not None}


def _rule(it: Item) -> Any:
    return it.call("describe_security_group_rules", SecurityGroupRuleIds=[it.id])["SecurityGroupRules"][0]


def _read_rule(it: Item) -> Values:
    rule = _rule(it)
    form = {"securityGroupId": "GroupId", "ipProtocol": "IpProtocol", "cidrIpv4": "CidrIpv4", "cidrIpv6": "CidrIpv6"}
    ports = {} if rule["IpProtocol"] == "-1" else {"fromPort": "FromPort", "toPort": "ToPort"}
    return {
        **renamed(rule, {**form, **ports, "prefixListId": "PrefixListId", "description": "Description"}),
        "referencedSecurityGroupId": rule.get("ReferencedGroupInfo", {}).get("GroupId"),
        "securityGroupRuleId": rule["SecurityGroupRuleId"],
        "arn": it.arn("ec2", f"security-group-rule/{it.id}"),
    }


def _modify_rule(it: Item) -> None:
    every_port = {"FromPort": -1, "ToPort": -1} if it["ipProtocol"] == "-1" else {}
    rule = {
        **_traffic(it),
        **every_port,
        "CidrIpv4": it["cidrIpv4"],
        "CidrIpv6": it["cidrIpv6"],
        "PrefixListId": it["prefixListId"],
        "ReferencedGroupId": it["referencedSecurityGroupId"],
        "Description": it["description"],
    }
    change = [{"SecurityGroupRuleId": it.id, "SecurityGroupRule": {k: v for k, v in rule.items() if v is not None}}]
    it.call("modify_security_group_rules", GroupId=it["securityGroupId"], SecurityGroupRules=change)


def _other_kind(old: Values, new: Values) -> set[str]:
    """A rule cannot become one for another kind of source."""
    return {name for name in SOURCES if (name in old) != (name in new)}


def _check_rule(values: Values) -> Iterator[Problem]:
    given = [name for name in SOURCES if name in values]
    if len(given) != 1:
        what = f"got {' and '.join(given)}" if given else "got none"
        yield Problem("", f"expected exactly one of {', '.join(SOURCES)}, {what}")
    for name in ("cidrIpv4", "cidrIpv6"):
        yield from refused_block(name, values.get(name))
    for name in ("fromPort", "toPort"):
        port = values.get(name)
        if values.get("ipProtocol") in {"tcp", "udp"} and port is None:
            yield Problem(name, f"a rule for {values['ipProtocol']} needs it")
        if isinstance(port, int) and not -1 <= port <= HIGHEST_PORT:
            yield Problem(name, f"expected at most {HIGHEST_PORT}, got {port}")
        if values.get("ipProtocol") == "-1" and port is not None:
            yield Problem(name, "a rule for all protocols has no ports")


def _rule_type(direction: str) -> ResourceType:
    def create(it: Item) -> str:
        permission = {k: v for k, v in {**_traffic(it), **_other_side(it)}.items() if v is not None}
        answer = it.call(
            f"authorize_security_group_{direction}", GroupId=it["securityGroupId"], IpPermissions=[permission]
        )
        return str(answer["SecurityGroupRules"][0]["SecurityGroupRuleId"])

    def delete(it: Item) -> None:
        group = it["securityGroupId"]
        it.call(f"revoke_security_group_{direction}", GroupId=group, SecurityGroupRuleIds=[it.id])

    return ResourceType(
        service="ec2",
        create=create,
        read=_read_rule,
        delete=delete,
        fixed="securityGroupId",
        updates=(Update(inputs=f"ipProtocol fromPort toPort description {' '.join(SOURCES)}", apply=_modify_rule),),
        tagging=ec2_tagging(_rule),
        replace_also=_other_kind,
        check=_check_rule,
        gone=frozenset({"InvalidSecurityGroupRuleId.NotFound", "InvalidGroup.NotFound", "InvalidPermission.NotFound"}),
    )


TYPES = {
    "aws:ec2/securityGroup:SecurityGroup": ResourceType(
        service="ec2",
        create=_create_group,
        read=_read_group,
        delete=lambda it: it.call("delete_security_group", GroupId=it.id),
        fixed="name description vpcId",
        updates=(_rules("ingress"), _rules("egress")),
        local="revokeRulesOnDelete",
        defaults={"description": "Managed by Pulumi", "revokeRulesOnDelete": False},
        autoname=Autoname(input="name", longest=255),
        tagging=ec2_tagging(_group),
        gone=frozenset({"InvalidGroup.NotFound", "InvalidPermission.NotFound"}),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _rule_type("ingress"),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _rule_type("egress"),
}
