"""Words for whom a rule of a security group lets through, and for what is behind it."""

from stacks.review.finding import Sentence, say
from stacks.review.findings import whose
from stacks.review.findings.security_group_rules import ACL_RULE, DEFAULT_GROUP, GROUP, Opening, is_private
from stacks.review.preview import Step
from stacks.review.values import Hidden, at

SCHEDULER, DASHBOARD, WORKER = 8786, 8787, 8788
"""Ports of Dask: of its schedulers and their dashboards everywhere, and of workers in Penstock's environments."""
PORTS = {
    22: "SSH",
    23: "telnet",
    1433: "SQL Server",
    2049: "the file system",
    2375: "Docker",
    3306: "MySQL",
    3389: "remote desktop",
    5432: "PostgreSQL",
    5439: "Redshift",
    6379: "Redis",
    6443: "the API of Kubernetes",
    DASHBOARD: "the dashboard of Dask",
    9200: "Elasticsearch",
    10250: "the kubelet",
    27017: "MongoDB",
}
"""What usually listens on a port. https://www.iana.org/assignments/service-names-port-numbers"""
OWN_GROUPS = {"run": "runs of {}", "network-endpoints": "the endpoints of AWS' services of {}"}
"""What is in the security groups of our components."""


def whoever(opening: Opening) -> Sentence:
    """Who is at addresses of the internet."""
    if opening.network is not None and opening.network.prefixlen:
        return say("a large part of the internet ({})", opening.target)
    return say("anyone on the internet")


def place(opening: Opening) -> Sentence:
    """Where something comes from, or goes to."""
    if isinstance(opening.target, Hidden):
        return say("what is known after the change only")
    if opening.target == "self":
        return say("members of the same group")
    if opening.network is None:
        kind = "the addresses of the list" if opening.target.startswith("pl-") else "members of the security group"
        return say(f"{kind} {{}}", opening.target)
    return say("{} on the internet" if not is_private(opening.network) else "{}", opening.target)


def inside(step: Step) -> Sentence:
    """What is in the security group."""
    found = whose.place(step, OWN_GROUPS)
    if found is None and whose.is_ours(step):
        # Rules are named after the group that they belong to.
        environment, is_of_run, _ = step.name.rpartition("-run-")
        found = (environment, "run") if environment and is_of_run else None
    if found:
        environment, part = found
        return say(OWN_GROUPS[part], environment)
    if step.type.startswith((GROUP, DEFAULT_GROUP)):
        return say("members of the security group {}", step.name)
    if step.type.startswith(ACL_RULE):
        return say("the subnets of the network ACL of the rule {}", step.name)
    known = at(step.new, "securityGroupId")
    if isinstance(known, str):
        return say("members of the security group {}", known)
    return say("members of the security group of the rule {}", step.name)


def reached(step: Step, opening: Opening) -> Sentence:
    """What is behind the ports."""
    environment = _environment(step)
    if opening.is_every_port:
        return whose.joined(say("every port of"), inside(step))
    if not opening.ports_known:
        return whose.joined(say("ports known after the change only, of"), inside(step))
    if opening.includes(SCHEDULER):
        more = () if opening.first == opening.last else (_ports(opening),)
        if (opening.first, opening.last) == (SCHEDULER, DASHBOARD):
            more = (say("and its dashboard"),)
        return whose.joined(say("the scheduler of {}", environment), *more)
    if opening.first == opening.last == WORKER:
        return say("the workers of {}", environment)
    known = [text for port, text in PORTS.items() if opening.includes(port)][:1]
    if known:
        return whose.joined(say(f"{known[0]} ({{}}) of", _number(opening)), inside(step))
    return whose.joined(
        say("port {} of" if opening.first == opening.last else "ports {} of", _number(opening)), inside(step)
    )


def _environment(step: Step) -> str:
    environment, is_of_run, _ = step.name.rpartition("-run-")
    return environment if whose.is_ours(step) and environment and is_of_run else whose.of_environment(step)


def _number(opening: Opening) -> str:
    return str(opening.first) if opening.first == opening.last else f"{opening.first}-{opening.last}"


def _ports(opening: Opening) -> Sentence:
    return say("and all else on ports {}", _number(opening))


def by(opening: Opening) -> Sentence:
    """By which ports something goes out."""
    if opening.is_every_port:
        return say("on every port")
    if not opening.ports_known:
        return say("on ports known after the change only")
    return say("on port {}" if opening.first == opening.last else "on ports {}", _number(opening))
