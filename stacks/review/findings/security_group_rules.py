"""Rules of security groups and network ACLs, in one form, wherever they are written."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from stacks.review.preview import Step
from stacks.review.values import Hidden, Properties, at, items

INGRESS, EGRESS = "aws:vpc/securityGroupIngressRule:", "aws:vpc/securityGroupEgressRule:"
RULE, GROUP = "aws:ec2/securityGroupRule:", "aws:ec2/securityGroup:"
DEFAULT_GROUP = "aws:ec2/defaultSecurityGroup:"
ACL_RULE = "aws:ec2/networkAclRule:"
SOURCES = (
    "cidrIpv4",
    "cidrIpv6",
    "cidrBlock",
    "ipv6CidrBlock",
    "cidrBlocks",
    "ipv6CidrBlocks",
    "prefixListId",
    "prefixListIds",
    "referencedSecurityGroupId",
    "sourceSecurityGroupId",
    "securityGroups",
)
"""Properties that say whom a rule is about."""
EVERY_PROTOCOL = ("-1", "all")
PORTS = range(65536)
WIDE = {4: 8, 6: 16}
"""Shorter prefixes of public addresses, by version of IP, are a large part of the internet."""
PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        (
            "10.0.0.0/8",
            "172.16.0.0/12",
            "192.168.0.0/16",
            "100.64.0.0/10",
            "127.0.0.0/8",
            "169.254.0.0/16",
            "fc00::/7",
            "fe80::/10",
            "::1/128",
        ),
    )
)
"""Addresses that are nowhere on the internet: RFC 1918, RFC 6598, RFC 4193, and those of a machine or a link only."""

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Target = str | Hidden


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a rule lets through, from or to one place."""

    path: str
    """Property that names the place."""
    comes_in: bool
    """False for what goes out."""
    target: Target
    """The place: a range of addresses, or the id of a list or of another group; "self" for the group itself."""
    protocol: Target
    """As AWS has it; "-1" for all."""
    first: int
    """First port; 0 with all protocols, and where it is not known."""
    last: int
    """Last port."""
    ports_known: bool
    """Whether the ports are known."""

    @property
    def network(self) -> Network | None:
        """The range of addresses; None when the place is none."""
        return network(self.target)

    @property
    def is_every_port(self) -> bool:
        """Whether it is about all of them."""
        return self.ports_known and (self.first, self.last) == (PORTS[0], PORTS[-1])

    def includes(self, port: int) -> bool:
        """Whether it is about a port."""
        return self.ports_known and self.first <= port <= self.last

    def covers(self, other: "Opening") -> bool:
        """Whether it lets all through that the other one does."""
        if self.comes_in != other.comes_in or not _reaches(self.target, other.target):
            return False
        if self.protocol not in EVERY_PROTOCOL and self.protocol != other.protocol:
            return False
        if not (self.ports_known and other.ports_known):
            return self.ports_known == other.ports_known or self.is_every_port
        return self.first <= other.first and other.last <= self.last


def network(target: object) -> Network | None:
    """A range of addresses; None when it is none."""
    try:
        return ipaddress.ip_network(target, strict=False) if isinstance(target, str) else None
    except ValueError:
        return None


def is_private(addresses: Network) -> bool:
    """Whether it is nowhere on the internet."""
    return any(_is_within(addresses, own) for own in PRIVATE)


def is_anywhere(addresses: Network | None) -> bool:
    """Whether it is the internet, or a large part of it."""
    return addresses is not None and addresses.prefixlen < WIDE[addresses.version] and not is_private(addresses)


def openings(step: Step, properties: Properties | None) -> list[Opening]:
    """What a resource lets through; nothing of one that is no rule of that kind, or that denies."""
    given: Any = properties or {}
    if step.type.startswith((INGRESS, EGRESS)):
        return _of(given, "", comes_in=step.type.startswith(INGRESS))
    if step.type.startswith(RULE):
        return _of(given, "", comes_in=at(given, "type") != "egress")
    if step.type.startswith(ACL_RULE):
        allows = at(given, "ruleAction") != "deny"
        return _of(given, "", comes_in=at(given, "egress") is not True) if allows and given else []
    if step.type.startswith((GROUP, DEFAULT_GROUP)):
        return [
            opening
            for key in ("ingress", "egress")
            for index, entry in enumerate(items(at(given, key)))
            for opening in _of(entry, f"{key}[{index}].", comes_in=key == "ingress")
        ]
    return []


def _of(rule: Any, path: str, *, comes_in: bool) -> list[Opening]:
    protocol = at(rule, "ipProtocol") if at(rule, "ipProtocol") is not None else at(rule, "protocol")
    protocol = protocol if isinstance(protocol, Hidden) else str("-1" if protocol is None else protocol).lower()
    everything = protocol in EVERY_PROTOCOL
    first, last = _port(rule, "fromPort"), _port(rule, "toPort")
    known = everything or (isinstance(first, int) and isinstance(last, int))
    whole = everything or (first == -1 and last == -1)
    base = Opening(
        path=path.rstrip("."),
        comes_in=comes_in,
        target="",
        protocol="-1" if everything else protocol,
        first=first if isinstance(first, int) and known and not whole else PORTS[0],
        last=last if isinstance(last, int) and known and not whole else PORTS[-1],
        ports_known=known,
    )
    found = []
    for key in SOURCES:
        value = at(rule, key)
        targets = [value] if isinstance(value, Hidden) else items(value)
        found += [
            replace(base, path=f"{path}{key}", target=target)
            for target in targets
            if isinstance(target, Hidden) or (isinstance(target, str) and target)
        ]
    if at(rule, "self") is True:
        found.append(replace(base, path=f"{path}self", target="self"))
    return found


def _port(rule: Mapping[str, Any], key: str) -> int | Hidden | None:
    value = at(rule, key)
    if isinstance(value, Hidden):
        return value
    try:
        return int(value) if isinstance(value, int | float | str) else None
    except (ValueError, OverflowError):
        return None


def _reaches(outer: Target, inner: Target) -> bool:
    ours, theirs = network(outer), network(inner)
    if ours is None or theirs is None:
        return outer == inner if not isinstance(outer, Hidden) else outer is inner
    return _is_within(theirs, ours)


def _is_within(inner: Network, outer: Network) -> bool:
    if isinstance(inner, ipaddress.IPv4Network) and isinstance(outer, ipaddress.IPv4Network):
        return inner.subnet_of(outer)
    if isinstance(inner, ipaddress.IPv6Network) and isinstance(outer, ipaddress.IPv6Network):
        return inner.subnet_of(outer)
    return False
