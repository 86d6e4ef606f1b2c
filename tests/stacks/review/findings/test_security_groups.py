"""What is told of rules of security groups."""

from typing import Any

import pytest

from stacks.review.finding import Finding, Weight
from stacks.review.findings import security_groups
from stacks.review.preview import Op, Step
from stacks.review.values import SECRET, UNKNOWN
from tests.stacks.review.steps import step

INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
GROUP, ACL_RULE = "aws:ec2/securityGroup:SecurityGroup", "aws:ec2/networkAclRule:NetworkAclRule"
RULE = "aws:ec2/securityGroupRule:SecurityGroupRule"
OURS = "penstock:index:DaskCloudProviderEnvironment$"
NOTICE, WARNING, DANGER = Weight.NOTICE, Weight.WARNING, Weight.DANGER


def tcp(first: Any, last: Any = None, **target: Any) -> dict[str, Any]:
    ports = {"fromPort": first, "toPort": first if last is None else last}
    return {"ipProtocol": "tcp", "securityGroupId": "sg-1", **ports, **target}


def everything(**target: Any) -> dict[str, Any]:
    return {"ipProtocol": "-1", "securityGroupId": "sg-1", **target}


def told(change: Step) -> list[Finding]:
    return list(security_groups.check_rules(change))


def lines(change: Step) -> list[tuple[str, Weight, str]]:
    return [(one.rule.name, one.weight, str(one.what)) for one in told(change)]


ANYWHERE, PRIVATE = {"cidrIpv4": "0.0.0.0/0"}, {"cidrIpv4": "10.20.0.0/16"}
SG = "members of the security group sg-1"
ANYONE = "anyone on the internet could"
LIST = "the addresses of the list pl-1"

INCOMING: list[Any] = [
    (tcp(8786, **PRIVATE), tcp(8786, **ANYWHERE), DANGER, "anyone on the internet could reach the scheduler of prod"),
    (
        None,
        tcp(8787, cidrIpv6="::/0"),
        DANGER,
        f"anyone on the internet could reach the dashboard of Dask (8787) of {SG}",
    ),
    (None, tcp(8786, 8787, **ANYWHERE), DANGER, f"{ANYONE} reach the scheduler of prod and its dashboard"),
    (None, tcp(8788, **ANYWHERE), DANGER, "anyone on the internet could reach the workers of prod"),
    (None, tcp(22, **ANYWHERE), DANGER, f"anyone on the internet could reach SSH (22) of {SG}"),
    (None, tcp(8080, **ANYWHERE), DANGER, f"anyone on the internet could reach port 8080 of {SG}"),
    (None, tcp(9000, 9009, **ANYWHERE), DANGER, f"anyone on the internet could reach ports 9000-9009 of {SG}"),
    (
        None,
        tcp(8000, 9000, **ANYWHERE),
        DANGER,
        "anyone on the internet could reach the scheduler of prod and all else on ports 8000-9000",
    ),
    (None, everything(**ANYWHERE), DANGER, f"anyone on the internet could reach every port of {SG}"),
    (
        None,
        tcp(443, cidrIpv4="128.0.0.0/1"),
        DANGER,
        f"a large part of the internet (128.0.0.0/1) could reach port 443 of {SG}",
    ),
    (None, tcp(443, cidrIpv4="1.2.3.0/24"), WARNING, f"1.2.3.0/24 on the internet could reach port 443 of {SG}"),
    (None, tcp(443, **PRIVATE), NOTICE, f"10.20.0.0/16 could reach port 443 of {SG}"),
    (tcp(443, **PRIVATE), tcp(443, cidrIpv4="10.0.0.0/8"), WARNING, f"10.0.0.0/8 could now reach port 443 of {SG}"),
    (tcp(443, **PRIVATE), tcp(443, 444, **PRIVATE), WARNING, f"10.20.0.0/16 could now reach ports 443-444 of {SG}"),
    (tcp(443, **PRIVATE), everything(**PRIVATE), WARNING, f"10.20.0.0/16 could now reach every port of {SG}"),
    (
        None,
        tcp(443, prefixListId="pl-1"),
        NOTICE,
        f"the addresses of the list pl-1 could reach port 443 of {SG}",
    ),
    (
        None,
        tcp(443, referencedSecurityGroupId="sg-2"),
        NOTICE,
        f"members of the security group sg-2 could reach port 443 of {SG}",
    ),
    (
        tcp(443, **PRIVATE),
        tcp(443, cidrIpv4=UNKNOWN),
        NOTICE,
        f"what is known after the change only could now reach port 443 of {SG}",
    ),
    (
        None,
        tcp(UNKNOWN, **ANYWHERE),
        DANGER,
        f"anyone on the internet could reach ports known after the change only, of {SG}",
    ),
]


@pytest.mark.parametrize(("before", "after", "weight", "what"), INCOMING, ids=range(len(INCOMING)))
def test_who_could_reach_what(before: Any, after: Any, weight: Weight, what: str) -> None:
    public = what.startswith(("anyone", "a large"))
    assert lines(step(INGRESS, before, after)) == [
        ("ingress-from-internet" if public else "ingress-wider", weight, what)
    ]


OUTGOING: list[Any] = [
    (None, everything(**ANYWHERE), "egress-anywhere", WARNING, f"{SG} could send data anywhere"),
    (None, tcp(443, cidrIpv6="::/0"), "egress-anywhere", WARNING, f"{SG} could send data anywhere on port 443"),
    (
        tcp(443, cidrIpv4="1.2.3.0/24"),
        tcp(443, **ANYWHERE),
        "egress-anywhere",
        WARNING,
        f"{SG} could send data anywhere on port 443",
    ),
    (None, tcp(443, **PRIVATE), "egress-wider", NOTICE, f"{SG} could reach 10.20.0.0/16 on port 443"),
    (
        None,
        tcp(443, prefixListId="pl-1"),
        "egress-wider",
        NOTICE,
        f"{SG} could reach {LIST} on port 443",
    ),
]


@pytest.mark.parametrize(("before", "after", "rule", "weight", "what"), OUTGOING, ids=range(len(OUTGOING)))
def test_what_could_be_sent_where(before: Any, after: Any, rule: str, weight: Weight, what: str) -> None:
    assert lines(step(EGRESS, before, after)) == [(rule, weight, what)]


QUIET: list[Any] = [
    (tcp(443, **ANYWHERE), tcp(443, **ANYWHERE)),
    (tcp(443, **ANYWHERE), {**tcp(443, **ANYWHERE), "description": "as before"}),
    (tcp(443, **ANYWHERE), tcp(443, **PRIVATE)),
    (tcp(443, **PRIVATE), tcp(443, cidrIpv4="10.20.1.0/24")),
    (everything(**PRIVATE), tcp(443, **PRIVATE)),
    (tcp(1, 9, **PRIVATE), tcp("3", 4.0, **PRIVATE)),
    (tcp(443, cidrIpv4=UNKNOWN), tcp(443, cidrIpv4=UNKNOWN)),
    (tcp(443, **ANYWHERE), None),
]


@pytest.mark.parametrize(("before", "after"), QUIET, ids=range(len(QUIET)))
def test_what_is_no_wider_is_not_told(before: Any, after: Any) -> None:
    op = Op.UPDATE if after else Op.DELETE
    assert lines(step(INGRESS, before, after, op=op)) == lines(step(EGRESS, before, after, op=op)) == []


def test_the_range_alone_is_shown_when_only_that_differs() -> None:
    found = told(step(INGRESS, tcp(8786, **PRIVATE), tcp(8786, **ANYWHERE)))
    assert [(one.field, one.before, one.after) for one in found] == [("cidrIpv4", "10.20.0.0/16", "0.0.0.0/0")]
    found = told(step(INGRESS, tcp(443, **PRIVATE), everything(**ANYWHERE)))
    assert [(one.before, one.after) for one in found] == [
        (
            {"cidrIpv4": "10.20.0.0/16", "protocol": "tcp", "fromPort": 443, "toPort": 443},
            {"cidrIpv4": "0.0.0.0/0", "protocol": "-1"},
        )
    ]


def test_rules_inside_a_group_are_read_too() -> None:
    ssh = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"]}
    found = told(step(GROUP, {"ingress": [{**ssh, "cidrBlocks": ["10.0.0.0/8"]}]}, {"ingress": [ssh]}, name="door"))
    assert [(str(one.what), one.field, one.before, one.after) for one in found] == [
        (
            "anyone on the internet could reach SSH (22) of members of the security group door",
            "ingress[0].cidrBlocks",
            "10.0.0.0/8",
            "0.0.0.0/0",
        )
    ]
    out = {"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}
    assert lines(step(GROUP, None, {"egress": [out]}, name="door")) == [
        ("egress-anywhere", WARNING, "members of the security group door could send data anywhere")
    ]
    single = {"type": "ingress", "protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["0.0.0.0/0"]}
    assert [one.weight for one in told(step(RULE, None, single))] == [DANGER]


def test_a_network_acl_alone_lets_nobody_in() -> None:
    allow = {"ruleAction": "allow", "egress": False, "protocol": "6", "fromPort": 22, "toPort": 22}
    assert lines(step(ACL_RULE, None, {**allow, "cidrBlock": "0.0.0.0/0"}, name="in")) == [
        (
            "ingress-from-internet",
            WARNING,
            "a network ACL lets anyone on the internet reach SSH (22) of the subnets of the network ACL of the rule in",
        )
    ]
    assert lines(step(ACL_RULE, None, {**allow, "ruleAction": "deny", "cidrBlock": "0.0.0.0/0"})) == []


OWN: dict[str, Any] = {
    "flights-run-scheduler": (INGRESS, tcp(8786, referencedSecurityGroupId=UNKNOWN), [], ()),
    "flights-run-s3": (EGRESS, tcp(443, prefixListId=UNKNOWN), [], ()),
    "flights-network-endpoints": (INGRESS, tcp(443, **PRIVATE), [], ()),
    "flights-run-worker": (
        INGRESS,
        tcp(8786, **ANYWHERE),
        ["anyone on the internet could reach the scheduler of flights"],
        ("security_group_ids",),
    ),
    "flights-run-0.0.0.0-0-all": (
        EGRESS,
        everything(**ANYWHERE),
        ["runs of flights could send data anywhere"],
        ("egress",),
    ),
    "flights-run-anywhere-6": (
        EGRESS,
        everything(cidrIpv6="::/0"),
        ["runs of flights could send data anywhere"],
        ("egress_anywhere",),
    ),
    "flights-run-10.9.0.0-16-all": (
        EGRESS,
        everything(cidrIpv4="10.9.0.0/16"),
        ["runs of flights could reach 10.9.0.0/16 on every port"],
        ("egress",),
    ),
}


@pytest.mark.parametrize("name", OWN)
def test_rules_of_our_components_are_told_by_what_runs_do(name: str) -> None:
    type_, new, expected, options = OWN[name]
    found = told(step(OURS + type_, None, new, name=name))
    assert [str(one.what) for one in found] == expected
    assert all(one.options == options for one in found)


def test_rules_of_our_components_may_follow_their_network_but_not_widen() -> None:
    def change(new: dict[str, Any]) -> list[Any]:
        return lines(step(OURS + INGRESS, tcp(443, **PRIVATE), new, name="flights-network-endpoints"))

    assert change(tcp(443, cidrIpv4="10.21.0.0/16")) == change(tcp(443, cidrIpv4=UNKNOWN)) == []
    assert change(tcp(443, cidrIpv4="10.0.0.0/8")) == [
        (
            "ingress-wider",
            WARNING,
            "10.0.0.0/8 could now reach port 443 of the endpoints of AWS' services of flights",
        )
    ]


@pytest.mark.parametrize("type_", [INGRESS, EGRESS, GROUP, ACL_RULE, RULE])
def test_no_shape_makes_it_fail(type_: str) -> None:
    keys = (
        "cidrIpv4",
        "cidrBlocks",
        "fromPort",
        "ipProtocol",
        "self",
        "securityGroups",
        "type",
        "ruleAction",
        "egress",
    )
    odd: list[Any] = [
        None,
        UNKNOWN,
        SECRET,
        -1,
        10**400,
        float("inf"),
        "x",
        "1.2.3.4/99",
        [],
        {},
        [1],
        [UNKNOWN],
        [{"x": 1}],
    ]
    for value in odd:
        for key in keys:
            rule = {**tcp(22, **ANYWHERE), key: value}
            for new in (rule, {"ingress": [rule], "egress": rule}, {"ingress": value}):
                for old in (None, tcp(22, **PRIVATE), new):
                    assert all(str(one.what) for one in told(step(type_, old, new, op=Op.UPDATE)))
