"""Findings about public addresses and ways to the internet."""

from collections.abc import Iterable, Iterator

from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings import whose
from stacks.review.findings.iam_context import Difference
from stacks.review.findings.public_address_types import (
    ADDRESS,
    BALANCERS,
    BUCKET,
    BY_BEING,
    DATABASE,
    OPENINGS,
    WAY_OUT,
)
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import Hidden, at, items
from stacks.review.workloads import document

RUNS = {
    "penstock:index:FargateTaskEnvironment": "runs of {} get public addresses",
    "penstock:index:DaskCloudProviderEnvironment": "runs and workers of {} get public addresses",
}
SECTIONS = ("fargate_task", "dask_cloud_provider")
"""Sections of environment documents that say whether runs get public addresses."""
BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
"""Switches of a bucket, and of an account, without which S3 can be opened to everyone."""
EVERYWHERE = ("0.0.0.0/0", "::/0")


ACCESS_BLOCKS = (
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "aws:s3/accountPublicAccessBlock:AccountPublicAccessBlock",
)


def check_addresses(step: Step) -> Iterable[Finding]:
    """What gets an address or a way to the internet that had none."""
    if step.op not in whose.TOLD or step.new is None:
        return
    for opening in OPENINGS.get(step.type, ()):
        before, after = at(step.old, *opening.path), at(step.new, *opening.path)
        if after in opening.values and before not in opening.values:
            field = ".".join(map(str, opening.path))
            yield _finding(step, opening.rule, opening.weight, say(opening.text, step.name), (field, before, after))
    if step.type in BY_BEING and step.old is None:
        weight, text = BY_BEING[step.type]
        rule = ADDRESS if step.type.endswith(":Eip") else WAY_OUT
        if not (step.type.endswith(":NatGateway") and at(step.new, "connectivityType") == "private"):
            yield _finding(step, rule, weight, say(text, step.name), ("", None, None))
    if step.type in BALANCERS and not _is_internal(step.new) and (step.old is None or _is_internal(step.old)):
        what = say("anyone on the internet could reach the load balancer {}", step.name)
        where = ("internal", at(step.old, "internal"), at(step.new, "internal"))
        yield _finding(step, ADDRESS, Weight.DANGER, what, where)
    yield from _of_runs(step)
    yield from _of_access_blocks(step)
    yield from _of_routes(step)


def check_removed_blocks(preview: Preview) -> Iterable[Finding]:
    """Blocks of public access that are removed from buckets that stay."""
    gone = {
        at(step.old, "bucket")
        for step in preview.steps
        if step.op is Op.DELETE and step.type not in ACCESS_BLOCKS and isinstance(at(step.old, "bucket"), str)
    }
    for step in preview.steps:
        bucket = at(step.old, "bucket")
        if step.op is Op.DELETE and step.type in ACCESS_BLOCKS and not (isinstance(bucket, str) and bucket in gone):
            what = whose.joined(say("nothing keeps"), _bucket(step), say("from being opened to everyone any more"))
            yield _finding(step, BUCKET, Weight.WARNING, what, ("", None, None))


def _of_runs(step: Step) -> Iterator[Finding]:
    if step.type in RUNS:
        before, after = at(step.old, "assign_public_ip"), at(step.new, "assign_public_ip")
        if after is True and before is not True:
            what = say(RUNS[step.type], step.name)
            yield _finding(step, ADDRESS, Weight.WARNING, what, ("assign_public_ip", before, after), "assign_public_ip")
        return
    # Of an environment of ours its component tells it.
    old, new = (None, None) if whose.is_ours(step) else (document(step, step.old), document(step, step.new))
    for section in SECTIONS:
        before, after = at(old, section, "assign_public_ip"), at(new, section, "assign_public_ip")
        if after is True and before is not True:
            what = say("runs of {} get public addresses", whose.of_environment(step))
            where = (f"{section}.assign_public_ip", before, after)
            yield _finding(step, ADDRESS, Weight.WARNING, what, where, "assign_public_ip")


def _of_access_blocks(step: Step) -> Iterator[Finding]:
    if step.type not in ACCESS_BLOCKS:
        return
    before = {key: at(step.old, key) for key in BLOCKS}
    after = {key: at(step.new, key) for key in BLOCKS}
    opened = [
        key
        for key in BLOCKS
        if after[key] is not True and not isinstance(after[key], Hidden) and (step.old is None or before[key] is True)
    ]
    if opened:
        what = whose.joined(_bucket(step), say("can be opened to everyone, without {}", whose.listed(opened, 4)))
        if len(opened) == 1:
            where: Difference = (opened[0], before[opened[0]], after[opened[0]])
        else:
            former = {key: before[key] for key in opened} if step.old is not None else None
            where = ("", former, {key: after[key] for key in opened})
        yield _finding(step, BUCKET, Weight.WARNING, what, where)


def _of_routes(step: Step) -> Iterator[Finding]:
    if step.type == "aws:ec2/route:Route":
        before, after = [step.old], [step.new]
    elif step.type in ("aws:ec2/routeTable:RouteTable", "aws:ec2/defaultRouteTable:DefaultRouteTable"):
        before, after = items(at(step.old, "routes")), items(at(step.new, "routes"))
    else:
        return
    known = {_way(route) for route in before}
    for route in after:
        way = _way(route)
        if way is None or way in known:
            continue
        destination, kind = way
        # Through a gateway of the internet strangers come in too; through all others only answers do.
        weight = Weight.WARNING if kind == "gatewayId" else Weight.NOTICE
        what = say("subnets of the route table of {} get a way to the internet", step.name)
        yield _finding(step, WAY_OUT, weight, what, (kind, None, {"destination": destination, kind: at(route, kind)}))


def _way(route: object) -> tuple[str, str] | None:
    for key in ("destinationCidrBlock", "cidrBlock", "destinationIpv6CidrBlock", "ipv6CidrBlock"):
        destination = at(route, key)
        if isinstance(destination, str) and destination in EVERYWHERE:
            kinds = ("gatewayId", "natGatewayId", "egressOnlyGatewayId", "transitGatewayId", "networkInterfaceId")
            kind = next((kind for kind in kinds if at(route, kind)), "")
            return (destination, kind) if kind else None
    return None


def _is_internal(balancer: object) -> bool:
    return at(balancer, "internal") in (True, "true")


def _bucket(step: Step) -> Sentence:
    if step.type.startswith("aws:s3/account"):
        return say("every bucket of the account")
    bucket = at(step.new if step.new is not None else step.old, "bucket")
    return say("the bucket {}", bucket if isinstance(bucket, str) else step.name)


def _finding(step: Step, rule: Rule, weight: Weight, what: Sentence, where: Difference, *options: str) -> Finding:
    field, before, after = where
    return Finding(
        rule=rule, weight=weight, urn=step.urn, what=what, field=field, before=before, after=after, options=options
    )


RULES: tuple[Rule, ...] = (ADDRESS, WAY_OUT, DATABASE, BUCKET)
STEP_CHECKS: tuple[StepCheck, ...] = (check_addresses,)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = (check_removed_blocks,)
