from typing import Any

import pytest

from stacks.review.findings import services
from stacks.review.values import UNKNOWN
from tests.stacks.review.findings.cases import check_survives, found, told
from tests.stacks.review.steps import step

SERVICE = "kubernetes:core/v1:Service"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
GATEWAY = "kubernetes:gateway.networking.k8s.io/v1:Gateway"
ROUTE = "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute"
AWS = "service.beta.kubernetes.io/aws-load-balancer-internal"


def service(kind: Any, *, ports: tuple[int, ...] = (8786,), annotations: Any = None, **more: Any) -> dict[str, Any]:
    metadata = {"name": "scheduler", **({"annotations": annotations} if annotations else {})}
    return {"metadata": metadata, "spec": {"type": kind, "ports": [{"port": port} for port in ports], **more}}


def ingress(*hosts: str, scheme: str | None = None, **spec: Any) -> dict[str, Any]:
    annotations = {"alb.ingress.kubernetes.io/scheme": scheme} if scheme else {}
    rules = [{"host": host, "http": {"paths": [{"path": "/"}, {"path": "/api"}]}} for host in hosts]
    return {"metadata": {"name": "front", "annotations": annotations}, "spec": {"rules": rules, **spec}}


RANGES: dict[str, Any] = {"loadBalancerSourceRanges": ["10.0.0.0/8"]}

CASES: dict[str, tuple[str, Any, Any, str]] = {
    "inside": (SERVICE, None, service("ClusterIP"), ""),
    "same": (SERVICE, service("LoadBalancer"), service("LoadBalancer"), ""),
    "closed": (SERVICE, service("LoadBalancer"), service("NodePort"), ""),
    "removed": (SERVICE, service("LoadBalancer"), None, ""),
    "not known": (SERVICE, None, service(UNKNOWN), ""),
    "new on the internet": (
        SERVICE,
        None,
        service("LoadBalancer"),
        """
DANGER kubernetes-service-exposed
anyone on the internet could reach the Service scheduler
spec.type: null -> "LoadBalancer"
""",
    ),
    "private": (
        SERVICE,
        service("ClusterIP"),
        service("LoadBalancer", annotations={AWS: "true"}),
        """
WARNING kubernetes-service-exposed
who is in the cluster's network could reach the Service scheduler
spec.type: "ClusterIP" -> "LoadBalancer"
""",
    ),
    "no longer private": (
        SERVICE,
        service("LoadBalancer", annotations={AWS: True}),
        service("LoadBalancer", annotations={AWS: "false"}),
        f"""
DANGER kubernetes-service-exposed
anyone on the internet could reach the Service scheduler
metadata.annotations: {{"{AWS}": "True"}} -> null
""",
    ),
    "nodes": (
        SERVICE,
        service("ClusterIP"),
        service("NodePort"),
        """
WARNING kubernetes-service-exposed
whoever reaches a node of the cluster could reach the Service scheduler
spec.type: "ClusterIP" -> "NodePort"
""",
    ),
    "ranges": (
        SERVICE,
        None,
        service("LoadBalancer", **RANGES),
        """
WARNING kubernetes-service-exposed
some addresses outside the cluster could reach the Service scheduler
spec.type: null -> "LoadBalancer"
""",
    ),
    "no ranges any more": (
        SERVICE,
        service("LoadBalancer", **RANGES),
        service("LoadBalancer"),
        """
DANGER kubernetes-service-exposed
anyone on the internet could reach the Service scheduler
spec.loadBalancerSourceRanges: ["10.0.0.0/8"] -> null
""",
    ),
    "more ranges": (
        SERVICE,
        service("LoadBalancer", **RANGES),
        service("LoadBalancer", loadBalancerSourceRanges=["10.1.0.0/16", "192.0.2.0/24"]),
        """
WARNING kubernetes-service-exposed
addresses of 192.0.2.0/24 could reach the Service scheduler
spec.loadBalancerSourceRanges: ["10.0.0.0/8"] -> ["10.1.0.0/16", "192.0.2.0/24"]
""",
    ),
    "more ports": (
        SERVICE,
        service("LoadBalancer"),
        service("LoadBalancer", ports=(8786, 8787)),
        """
DANGER kubernetes-service-exposed
anyone on the internet could reach the Service scheduler at port 8787
spec.ports: ["8786"] -> ["8786", "8787"]
""",
    ),
    "external addresses": (
        SERVICE,
        service("ClusterIP"),
        service("ClusterIP", externalIPs=["203.0.113.7"]),
        """
WARNING kubernetes-external-ips
the cluster's traffic to 203.0.113.7 would go to pods of the Service scheduler
spec.externalIPs: null -> ["203.0.113.7"]
""",
    ),
    "a host more": (
        INGRESS,
        ingress("a.example"),
        ingress("b.example", "a.example"),
        """
WARNING kubernetes-route-exposed
whoever reaches the cluster's ingress, which may be the internet, could reach b.example and b.example/api through front
spec.rules: ["a.example", "a.example/api"] -> ["b.example", "b.example/api", "a.example", "a.example/api"]
""",
    ),
    "a host less": (INGRESS, ingress("a.example", "b.example"), ingress("a.example"), ""),
    "facing the internet": (
        INGRESS,
        ingress("a.example"),
        ingress("a.example", scheme="internet-facing"),
        """
DANGER kubernetes-route-exposed
anyone on the internet could reach a.example and a.example/api through the Ingress front
spec.rules: null -> ["a.example", "a.example/api"]
""",
    ),
    "any host": (
        INGRESS,
        None,
        ingress(defaultBackend={"service": {"name": "x"}}),
        """
WARNING kubernetes-route-exposed
whoever reaches the cluster's ingress, which may be the internet, could reach every host through front
spec.rules: null -> ["every host"]
""",
    ),
    "a Gateway": (
        GATEWAY,
        None,
        {"metadata": {"name": "edge"}, "spec": {"listeners": [{"hostname": "*.example", "port": 443}, {"port": 80}]}},
        """
WARNING kubernetes-route-exposed
whoever reaches *.example:443 and every host:80 could come in through the Gateway edge
spec.listeners: null -> ["*.example:443", "every host:80"]
""",
    ),
    "a route": (
        ROUTE,
        {"metadata": {"name": "dash"}, "spec": {"hostnames": ["a.example"]}},
        {"metadata": {"name": "dash"}, "spec": {}},
        """
WARNING kubernetes-route-exposed
whoever reaches the Gateway, which may be the internet, could reach every host through dash
spec.hostnames: ["a.example"] -> ["every host"]
""",
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_found(case: str) -> None:
    type_, old, new, expected = CASES[case]
    assert told(found(services.STEP_CHECKS, step(type_, old, new))) == expected.lstrip()


@pytest.mark.parametrize("case", ["no longer private", "more ranges", "external addresses", "a host more", "a Gateway"])
def test_shapes_that_nobody_expects(case: str) -> None:
    type_, old, new, _ = CASES[case]
    check_survives(services.STEP_CHECKS, type_, old or new, new)
