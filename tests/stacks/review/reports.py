"""A report as a change to two stacks would give it, for the tests of what is written of reports."""

from stacks.review.finding import Sentence, Weight, say
from stacks.review.report import Field, Pointer, Report, Row, StackReport, Told

URN = "urn:pulumi:{}::penstock::penstock:index:DaskCloudProviderEnvironment${}::{}"


def told(
    rule: str,
    weight: Weight,
    what: Sentence,
    *,
    stack: str = "dask-prod",
    type_: str = "aws:ec2/securityGroup:SecurityGroup",
    name: str = "dask-prod-run",
    field: str = "",
    before: str | None = None,
    after: str | None = None,
    why: str = "",
    options: tuple[str, ...] = (),
    line: int | None = None,
    exception: str = "",
    enforcement: str = "",
) -> Told:
    return Told(
        rule=rule,
        weight=weight,
        stack=stack,
        urn=URN.format(stack, type_, name),
        type=type_,
        name=name,
        what=what,
        field=field,
        before=before,
        after=after,
        why=why,
        pointer=Pointer(file=f"stacks/Pulumi.{stack}.yaml", options=options, line=line),
        exception=exception,
        enforcement=enforcement,
    )


REPORT = Report(
    stacks=(
        StackReport(
            stack="dask-prod", counts={"create": 1, "update": 3, "replace": 2, "same": 41}, noise=4, warnings=("slow",)
        ),
        StackReport(
            stack="flights", counts={"same": 34, "update": 1}, errors=("line one\nline `two`",), complete=False
        ),
    ),
    findings=(
        told(
            "internet-ingress",
            Weight.DANGER,
            say("anyone on the internet could reach the scheduler of {} on port {}", "dask-prod", 8786),
            type_="aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            name="dask-prod-run-scheduler",
            field="cidrIpv4",
            before="10.20.0.0/16",
            after="0.0.0.0/0",
            why="Whoever reaches a Dask scheduler runs code of their own with the rights of the flow.",
            options=("scheduler_ingress",),
            line=12,
        ),
        told(
            "every-action",
            Weight.DANGER,
            say("the runs of {} may do everything with every bucket", "dask-prod"),
            type_="aws:iam/rolePolicy:RolePolicy",
            name="dask-prod-task",
            field="policy.Statement[Data].Action",
            before='["s3:GetObject"]',
            after='["s3:*"]',
            why="A flow that goes wrong could delete what others keep there.",
            options=("task_role_statements",),
            line=31,
            enforcement="mandatory",
        ),
        told(
            "mutable-image",
            Weight.WARNING,
            say("the image {} can change without a review", "penstock.local/flights:latest"),
            type_="aws:ecs/taskDefinition:TaskDefinition",
            name="dask-prod-task",
            field="containerDefinitions[flow].image",
            before="penstock.local/flights@sha256:" + "0a" * 32,
            after="penstock.local/flights:latest",
            why="What a tag points to is decided by who can push, not by who approves this.",
            options=("image",),
            line=3,
        ),
        told(
            "more-memory",
            Weight.NOTICE,
            say("each worker of {} gets twice the memory", "dask-prod"),
            type_="aws:ecs/taskDefinition:TaskDefinition",
            name="dask-prod-worker",
            field="memory",
            before="1024",
            after="2048",
            why="Fargate charges for memory that is asked for.",
            options=("worker_resources",),
            line=40,
        ),
        told(
            "open-egress",
            Weight.WARNING,
            say("runs of {} may reach every address", "flights"),
            stack="flights",
            name="flights-run",
            exception="The upstream has no fixed addresses, until 2027-01-31.",
        ),
    ),
    rows=(
        Row(stack="dask-prod", type="aws:cloudwatch/logGroup:LogGroup", name="dask-prod-log", op="create"),
        Row(
            stack="dask-prod",
            type="aws:ecs/taskDefinition:TaskDefinition",
            name="dask-prod-worker",
            op="replace",
            fields=(
                Field(path="containerDefinitions[flow].command", before=None, after='["a","b|c"]'),
                Field(path="cpu", before="512", after=None),
            ),
        ),
    ),
    policy="policies/review.yaml",
    notes=("The exception for open-egress ends in 12 days.",),
)
"""Findings of each weight, one of them allowed; a preview that failed; rows with and without fields."""
