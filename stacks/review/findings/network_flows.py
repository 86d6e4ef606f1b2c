"""What rules of NetworkPolicies allow, compared by what they let through instead of by how they are written."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from stacks.review.comparing import canonical
from stacks.review.findings.kubernetes import texts, word
from stacks.review.values import Hidden, Properties, at, items, mapping

METADATA = ipaddress.ip_address("169.254.169.254")
"""Where the clouds hand out credentials of the machine."""
DIRECTIONS: Mapping[str, tuple[str, str]] = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}
"""For each type of policy the fields with its rules, and with the other side in them."""


@dataclass(frozen=True, kw_only=True)
class Flow:
    """One kind of traffic that a rule allows."""

    peer: Mapping[str, Any] | None
    """The other side; None for everybody."""
    port: Mapping[str, Any] | None
    """The port; None for every port of every protocol."""

    @property
    def is_anywhere(self) -> bool:
        """Whether the other side is every address."""
        return self.peer is None or str(at(self.peer, "ipBlock", "cidr")).endswith("/0")

    @property
    def is_every_namespace(self) -> bool:
        """Whether the other side is every pod of the cluster."""
        peer = self.peer or {}
        return _is_everything(peer.get("namespaceSelector")) and not peer.get("podSelector")

    @property
    def reaches_metadata(self) -> bool:
        """Whether what reaches every address here reaches the cloud's metadata service too, at its port 80."""
        shut = [_network(one) for one in items(at(self.peer, "ipBlock", "except"))]
        port, end = at(self.port, "port"), at(self.port, "endPort")
        open_port = port in (None, 80) or (isinstance(port, int) and isinstance(end, int) and port <= 80 <= end)
        version_4 = self.peer is None or "." in str(at(self.peer, "ipBlock", "cidr"))
        return version_4 and open_port and not any(one is not None and METADATA in one for one in shut)

    def covers(self, other: "Flow") -> bool:
        """Whether it lets through all that another does."""
        return _covers_port(self.port, other.port) and _covers_peer(self.peer, other.peer)


def is_restricted(spec: Properties, direction: str) -> bool:
    """Whether pods of a policy are restricted in a direction: https://kubernetes.io/docs/concepts/services-networking/network-policies/."""
    types = spec.get("policyTypes")
    if isinstance(types, Hidden) or items(types):
        return isinstance(types, Hidden) or direction in items(types)
    return direction == "Ingress" or bool(items(spec.get("egress")))


def flows(spec: Properties, direction: str) -> list[Flow]:
    """What the rules of a direction let through; what is not known is left out."""
    rules, side = DIRECTIONS[direction]
    return [
        Flow(peer=peer, port=port)
        for rule in items(spec.get(rules))
        if isinstance(rule, Mapping)
        for peer in _entries(rule.get(side))
        for port in _entries(rule.get("ports"))
    ]


def covers_selector(wide: object, narrow: object) -> bool:
    """Whether one selector chooses all that another does; by what they ask for, not by what there is."""
    conditions = [
        {
            *(("label", key, canonical(value)) for key, value in mapping(at(selector, "matchLabels")).items()),
            *(("expression", "", canonical(one)) for one in items(at(selector, "matchExpressions"))),
        }
        for selector in (wide, narrow)
    ]
    return conditions[0] <= conditions[1]


def described(flow: Flow) -> str:
    """The other side and the port in words."""
    port, end = at(flow.port, "port"), at(flow.port, "endPort")
    ports = f"{word(port)}-{word(end)}" if end else word(port)
    protocol = at(flow.port, "protocol")
    shown = ports if protocol in (None, "TCP") else f"{ports}/{word(protocol)}"
    return _side(flow.peer) + (f" at port {shown}" if ports else "")


def _side(peer: Mapping[str, Any] | None) -> str:
    if peer is None:
        return "everything"
    if "ipBlock" in peer:
        shut = items(at(peer, "ipBlock", "except"))
        return word(at(peer, "ipBlock", "cidr")) + (f" but for {', '.join(map(word, shut))}" if shut else "")
    pods, spaces = peer.get("podSelector"), peer.get("namespaceSelector")
    where = ""
    if spaces is not None:
        where = " of every namespace" if _is_everything(spaces) else f" of namespaces with {_labels(spaces)}"
    return (f"pods with {_labels(pods)}" if mapping(pods) else "all pods") + where


def _labels(selector: object) -> str:
    found = [f"{key}={word(value)}" for key, value in sorted(mapping(at(selector, "matchLabels")).items())]
    for one in items(at(selector, "matchExpressions")):
        words = [word(at(one, "key")), word(at(one, "operator")), ",".join(texts(at(one, "values")))]
        found.append(" ".join(filter(None, words)))
    return ", ".join(found)


def _entries(listed: object) -> Iterator[Mapping[str, Any] | None]:
    """The entries of a list in a rule; an empty list is everything, one that is hidden nothing that can be told."""
    if isinstance(listed, Hidden):
        return
    found = items(listed)
    if not found:
        yield None
    yield from (entry for entry in found if isinstance(entry, Mapping) and entry)


def _is_everything(selector: object) -> bool:
    return isinstance(selector, Mapping) and not any(items(part) for part in selector.values())


def _network(cidr: object) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(cidr, strict=False) if isinstance(cidr, str) else None
    except ValueError:
        return None


def _is_within(inner: object, outer: object) -> bool:
    one, other = _network(inner), _network(outer)
    if one is None or other is None:
        return inner == outer
    return one.version == other.version and one.subnet_of(other)  # type: ignore[arg-type]


def _covers_peer(wide: Mapping[str, Any] | None, narrow: Mapping[str, Any] | None) -> bool:
    if wide is None or narrow is None:
        return wide is None
    if "ipBlock" in wide or "ipBlock" in narrow:
        return "ipBlock" in wide and "ipBlock" in narrow and _covers_block(wide["ipBlock"], narrow["ipBlock"])
    spaces = wide.get("namespaceSelector"), narrow.get("namespaceSelector")
    if (spaces[0] is None) is not (spaces[1] is None):
        return False
    return covers_selector(*spaces) and covers_selector(wide.get("podSelector"), narrow.get("podSelector"))


def _covers_block(wide: object, narrow: object) -> bool:
    inner, outer = at(narrow, "cidr"), at(wide, "cidr")
    if not _is_within(inner, outer):
        return False
    shut = items(at(narrow, "except"))
    return all(
        any(_is_within(one, other) for other in shut) or not _overlap(one, inner) for one in items(at(wide, "except"))
    )


def _overlap(one: object, other: object) -> bool:
    return _is_within(one, other) or _is_within(other, one)


def _covers_port(wide: Mapping[str, Any] | None, narrow: Mapping[str, Any] | None) -> bool:
    if wide is None or narrow is None:
        return wide is None
    if (wide.get("protocol") or "TCP") != (narrow.get("protocol") or "TCP"):
        return False
    first, last = wide.get("port"), wide.get("endPort")
    inner, inner_last = narrow.get("port"), narrow.get("endPort")
    if first is None or (first, last) == (inner, inner_last):
        return True
    numbers = [number for number in (first, inner, inner_last or inner, last or first) if isinstance(number, int)]
    return len(numbers) == 4 and numbers == sorted(numbers)
