"""Findings about hosts and paths that lead into a Kubernetes cluster."""

from collections.abc import Iterator
from dataclasses import dataclass

from stacks.review.finding import Finding, Rule, StepCheck, Weight, say
from stacks.review.findings.kubernetes import is_object, object_name, word
from stacks.review.findings.whose import listed
from stacks.review.preview import Step
from stacks.review.values import Properties, at, items

SCHEME, INTERNET_FACING = "alb.ingress.kubernetes.io/scheme", "internet-facing"
"""Annotation of an Ingress at AWS: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/."""
GATEWAY = "gateway.networking.k8s.io"

ROUTE = Rule(
    name="kubernetes-route-exposed",
    tells="an Ingress, Gateway or route of Kubernetes leads to something new",
    why="What stands behind it has to check by itself who is asking.",
)
RULES = (ROUTE,)


@dataclass(frozen=True, kw_only=True)
class Way:
    """What an object leads to, by host."""

    weight: Weight
    text: str
    """A sentence with places for the hosts and the object."""
    field: str
    before: list[str]
    after: list[str]


def ways(step: Step) -> Iterator[Finding]:
    """What an Ingress, a Gateway or a route leads to and did not before."""
    way = _way(step)
    more = [host for host in way.after if host not in way.before] if way else []
    if way and more:
        yield Finding(
            rule=ROUTE,
            weight=way.weight,
            urn=step.urn,
            what=say(way.text, listed(more), object_name(step)),
            field=way.field,
            before=way.before or None,
            after=way.after,
        )


def _way(step: Step) -> Way | None:
    old, new = step.old, step.new
    if is_object(step, "networking.k8s.io", "Ingress"):
        was, is_ = (at(side, "metadata", "annotations", SCHEME) == INTERNET_FACING for side in (old, new))
        text = "whoever reaches the cluster's ingress, which may be the internet, could reach {} through {}"
        return Way(
            weight=Weight.DANGER if is_ else Weight.WARNING,
            text="anyone on the internet could reach {} through the Ingress {}" if is_ else text,
            field="spec.rules",
            before=[] if is_ and not was else _ingress(old),
            after=_ingress(new),
        )
    if is_object(step, GATEWAY, "Gateway"):
        return Way(
            weight=Weight.WARNING,
            text="whoever reaches {} could come in through the Gateway {}",
            field="spec.listeners",
            before=_listeners(old),
            after=_listeners(new),
        )
    if step.type.startswith(f"kubernetes:{GATEWAY}/") and step.kind.endswith("Route"):
        return Way(
            weight=Weight.WARNING,
            text="whoever reaches the Gateway, which may be the internet, could reach {} through {}",
            field="spec.hostnames",
            before=_hostnames(old),
            after=_hostnames(new),
        )
    return None


def _ingress(properties: Properties | None) -> list[str]:
    found = ["every host"] if at(properties, "spec", "defaultBackend") else []
    for rule in items(at(properties, "spec", "rules")):
        host = word(at(rule, "host")) or "every host"
        paths = [word(at(path, "path")) or "/" for path in items(at(rule, "http", "paths"))]
        found += [host if path == "/" else f"{host}{path}" for path in paths or ["/"]]
    return found


def _listeners(properties: Properties | None) -> list[str]:
    return [
        f"{word(at(listener, 'hostname')) or 'every host'}:{word(at(listener, 'port'))}"
        for listener in items(at(properties, "spec", "listeners"))
    ]


def _hostnames(properties: Properties | None) -> list[str]:
    if properties is None:
        return []
    return [word(host) for host in items(at(properties, "spec", "hostnames"))] or ["every host"]


STEP_CHECKS: tuple[StepCheck, ...] = (ways,)
