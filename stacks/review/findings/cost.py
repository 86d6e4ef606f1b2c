"""Findings about what it can cost at most, estimated with a table of prices."""

from collections import Counter
from collections.abc import Iterator

from stacks.review.costs.prices import Prices, bundled
from stacks.review.costs.run_size import A_RUN, ECS, KUBERNETES, Most, most
from stacks.review.finding import Finding, PreviewCheck, Rule, Weight, say
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import Properties, items

RUNS = Rule(
    name="cost-of-runs",
    tells="what runs can cost at most in an hour",
    why="It is an estimate of the worst case with list prices; discounts, logs and traffic are not in it.",
)
STANDING = Rule(
    name="cost-standing",
    tells="what costs by the hour whether anything runs or not",
    why="It is paid for every hour until it is destroyed; an estimate with list prices.",
)
RULES = (RUNS, STANDING)

MUCH = 1.0
"""More than that in an hour, and twice as much as before, is a warning: 720 in a month that nobody may have meant."""
ONE_BY_TYPE = {
    "aws:ec2/natGateway:NatGateway": "nat_gateway",
    "aws:ec2/eip:Eip": "public_ipv4",
    "aws:lb/loadBalancer:LoadBalancer": "load_balancer",
    "aws:alb/loadBalancer:LoadBalancer": "load_balancer",
}
NAMES = {
    "vpc_endpoint": "interface endpoint",
    "nat_gateway": "NAT gateway",
    "public_ipv4": "Elastic IP",
    "load_balancer": "load balancer",
}
ENDPOINT = "aws:ec2/vpcEndpoint:VpcEndpoint"
OPTIONS = ("max_workers", "worker_resources", "resources", "quota", "concurrent_runs", "scheduler_task")


def cost_of_runs(preview: Preview) -> Iterator[Finding]:
    """What runs of each environment that changes can cost."""
    prices = preview.prices or bundled()
    for step in preview.steps:
        if step.kind not in {*KUBERNETES, *ECS} or step.op == Op.DELETE:
            continue
        before, after = most(step, step.old), most(step, step.new)
        if after is None:
            continue
        new = sum(part.price(prices) for part in after.parts)
        old = None if before is None else sum(part.price(prices) for part in before.parts)
        if old is not None and before is not None and (_money(old), before.of) == (_money(new), after.of):
            continue
        unbounded = before is not None and before.of != after.of and after.of == A_RUN
        # A bound where none was is no growth, whatever the numbers beside each other say.
        bounded = before is not None and before.of == A_RUN != after.of
        grown = old is not None and not bounded and (unbounded or (new - old > MUCH and new >= 2 * old))
        yield Finding(
            rule=RUNS,
            weight=Weight.WARNING if grown else Weight.NOTICE,
            urn=step.urn,
            what=say(
                _words(before, after, more=new > (old or 0)),
                _environment(step),
                f"{_money(new)} {prices.currency}",
            ),
            before=None if old is None or before is None else _told(old, before.of, prices),
            after=_told(new, after.of, prices),
            field="cost",
            options=OPTIONS,
        )


def cost_standing(preview: Preview) -> Iterator[Finding]:
    """What is paid for while nothing runs, of what is created and removed."""
    prices = preview.prices or bundled()
    added, removed = Counter[str](), Counter[str]()
    for step in preview.steps:
        if step.op in (Op.CREATE, Op.UPDATE, Op.REPLACE, Op.IMPORT):
            added.update(_standing(step, step.new))
        if step.op in (Op.DELETE, Op.UPDATE, Op.REPLACE):
            removed.update(_standing(step, step.old))
    more, less = _sum(added, prices), _sum(removed, prices)
    if _money(more) == _money(less):
        return
    first = next((step.urn for step in preview.steps if step.type == "pulumi:pulumi:Stack"), preview.steps[0].urn)
    names = ", ".join(
        f"{number} {NAMES[key]}{'s' if number > 1 else ''}"
        for key, number in sorted((added - removed if more > less else removed - added).items())
    )
    yield Finding(
        rule=STANDING,
        weight=Weight.WARNING if more - less > MUCH else Weight.NOTICE,
        urn=first,
        what=say(
            f"{names} {'cost' if more > less else 'save'} {{}} an hour, whether anything runs or not, by estimate",
            f"{_money(abs(more - less))} {prices.currency}",
        ),
        before=_told(less, "all of them that change", prices) if less else None,
        after=_told(more, "all of them that change", prices) if more else None,
        options=("vpc_id", "network_cidr"),
    )


def _words(before: Most | None, after: Most, *, more: bool) -> str:
    can = f"{after.of} of {{}} can cost"
    if before is not None and before.of != after.of and after.of == A_RUN:
        return f"{can} {{}} in an hour by estimate, and nothing says any more how many there are at a time"
    if before is None or before.of != after.of:
        return f"{can} {{}} in an hour, by estimate"
    return f"{can} {'more' if more else 'less'}: {{}} in an hour, by estimate"


def _standing(step: Step, properties: Properties | None) -> Counter[str]:
    if properties is None:
        return Counter()
    if step.type == ENDPOINT and properties.get("vpcEndpointType") == "Interface":
        return Counter(vpc_endpoint=max(1, len(items(properties.get("subnetIds")))))
    key = ONE_BY_TYPE.get(step.type)
    return Counter({key: 1}) if key else Counter()


def _sum(numbers: Counter[str], prices: Prices) -> float:
    return sum(prices.standing[key] * number for key, number in numbers.items())


def _environment(step: Step) -> str:
    name = (step.new or {}).get("environment_name")
    return name if isinstance(name, str) and name else step.name


def _told(price: float, of: str, prices: Prices) -> str:
    return f"{_money(price)} {prices.currency} per hour for {of} ({prices.about}, {prices.date.isoformat()})"


def _money(price: float) -> str:
    """Two digits, and four for less than a tenth."""
    return f"{price:,.2f}" if price >= 0.1 else f"{price:.4f}"


STEP_CHECKS = ()
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = (cost_of_runs, cost_standing)
