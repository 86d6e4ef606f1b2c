"""Findings about ways into a Kubernetes cluster from outside."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from stacks.review.finding import Finding, PreviewCheck, Rule, StepCheck, Weight, say
from stacks.review.findings import routes
from stacks.review.findings.kubernetes import is_object, object_name, texts, word
from stacks.review.findings.whose import listed
from stacks.review.preview import Step
from stacks.review.values import Hidden, Properties, Value, at, items, mapping

INTERNAL: Mapping[str, str] = {
    "service.beta.kubernetes.io/aws-load-balancer-internal": "true",
    "service.beta.kubernetes.io/aws-load-balancer-scheme": "internal",
    "networking.gke.io/load-balancer-type": "internal",
    "cloud.google.com/load-balancer-type": "internal",
    "service.beta.kubernetes.io/azure-load-balancer-internal": "true",
    "service.beta.kubernetes.io/openstack-internal-load-balancer": "true",
    "service.beta.kubernetes.io/oci-load-balancer-internal": "true",
    "service.beta.kubernetes.io/alibaba-cloud-loadbalancer-address-type": "intranet",
    "service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": "private",
}
"""Annotations, and the value by which a load balancer has an address of the private network only, in lower case:
https://kubernetes.io/docs/concepts/services-networking/service/#internal-load-balancer."""
SOURCES = "spec.loadBalancerSourceRanges"

SERVICE = Rule(
    name="kubernetes-service-exposed",
    tells="a Service of Kubernetes can be reached from outside the cluster",
    why="Dask's scheduler and dashboard ask nobody for a password: who reaches them runs code with the flow's rights.",
)
EXTERNAL_IPS = Rule(
    name="kubernetes-external-ips",
    tells="a Service of Kubernetes takes traffic to addresses that are not the cluster's",
    why="Everything in the cluster that talks to such an address talks to these pods instead (CVE-2020-8554).",
)
RULES: tuple[Rule, ...] = (SERVICE, EXTERNAL_IPS, *routes.RULES)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """From where a Service can be reached."""

    level: int
    """0 from the cluster only; the further, the more."""
    weight: Weight
    text: str
    """A sentence with a place for the Service's name."""


CLUSTER = Reach(level=0, weight=Weight.NOTICE, text="")
NODES = Reach(level=1, weight=Weight.WARNING, text="whoever reaches a node of the cluster could reach the Service {}")
PRIVATE = Reach(level=2, weight=Weight.WARNING, text="who is in the cluster's network could reach the Service {}")
RANGES = Reach(level=3, weight=Weight.WARNING, text="some addresses outside the cluster could reach the Service {}")
INTERNET = Reach(level=4, weight=Weight.DANGER, text="anyone on the internet could reach the Service {}")


def service(step: Step) -> Iterator[Finding]:
    """A Service that is opened to more than before."""
    if not is_object(step, "core", "Service") or step.new is None:
        return
    old, new, name = _reach(step.old), _reach(step.new), object_name(step)
    ranges, there = _ranges(step.new), _ranges(step.old)
    more = [port for port in _ports(step.new) if port not in _ports(step.old)]
    wider = [cidr for cidr in ranges if not any(_is_within(cidr, one) for one in there)]
    found = partial(Finding, rule=SERVICE, weight=new.weight, urn=step.urn)
    if new.level > old.level:
        path, before, after = _cause(step)
        yield found(what=say(new.text, name), field=path, before=before, after=after)
    elif new is RANGES and old is RANGES and wider:
        what = say("addresses of {} could reach the Service {}", listed(wider), name)
        yield found(what=what, field=SOURCES, before=there, after=ranges)
    elif new is not CLUSTER and more:
        what = say(new.text + " at port {}", name, listed(more))
        yield found(what=what, field="spec.ports", before=_ports(step.old), after=_ports(step.new))
    known = texts(at(step.old, "spec", "externalIPs"))
    if taken := [address for address in texts(at(step.new, "spec", "externalIPs")) if address not in known]:
        yield Finding(
            rule=EXTERNAL_IPS,
            weight=Weight.WARNING,
            urn=step.urn,
            what=say("the cluster's traffic to {} would go to pods of the Service {}", listed(taken), name),
            field="spec.externalIPs",
            before=known or None,
            after=taken,
        )


def _cause(step: Step) -> tuple[str, Value, Value]:
    """The field that opens it, and what was and is there."""
    kinds = at(step.old, "spec", "type"), at(step.new, "spec", "type")
    if kinds[0] != kinds[1]:
        return "spec.type", *kinds
    if _internal(step.old) and not _internal(step.new):
        return "metadata.annotations", _internal(step.old), None
    return SOURCES, _ranges(step.old) or None, _ranges(step.new) or None


def _reach(properties: Properties | None) -> Reach:
    kind = at(properties, "spec", "type")
    if kind == "NodePort":
        return NODES
    if kind != "LoadBalancer":
        return CLUSTER
    if _internal(properties):
        return PRIVATE
    ranges = _ranges(properties)
    return INTERNET if not ranges or any(_is_everything(cidr) for cidr in ranges) else RANGES


def _internal(properties: Properties | None) -> dict[str, str] | None:
    """The annotations that keep a load balancer inside; None when there is none."""
    there = mapping(at(properties, "metadata", "annotations"))
    return {key: word(there[key]) for key, value in INTERNAL.items() if _plain(there.get(key)) == value} or None


def _plain(value: object) -> str:
    return word(value).lower()


def _ranges(properties: Properties | None) -> list[str]:
    # A hidden range is a range all the same.
    found = at(properties, "spec", "loadBalancerSourceRanges")
    return [word(one) for one in ([found] if isinstance(found, Hidden) else items(found))]


def _is_everything(cidr: str) -> bool:
    return cidr.strip().endswith("/0")


def _is_within(cidr: str, other: str) -> bool:
    try:
        inner, outer = ipaddress.ip_network(cidr, strict=False), ipaddress.ip_network(other, strict=False)
    except ValueError:
        return cidr == other
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _ports(properties: Properties | None) -> list[str]:
    return [word(at(port, "port")) for port in items(at(properties, "spec", "ports")) if at(port, "port")]


STEP_CHECKS: tuple[StepCheck, ...] = (service, *routes.STEP_CHECKS)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = ()
