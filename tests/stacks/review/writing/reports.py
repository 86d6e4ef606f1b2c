"""A report as a change to two stacks would give it, for the tests of what is written of reports."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

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


def texts_of(value: object, path: str = "") -> Iterator[str]:
    """The paths of all texts in a report."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, Mapping):
        for key in value:
            yield f"{path}.{key}"
    elif isinstance(value, tuple):
        for index, item in enumerate(value):
            yield from texts_of(item, f"{path}[{index}]")
    elif is_dataclass(value):
        for item in fields(value):
            yield from texts_of(getattr(value, item.name), f"{path}.{item.name}")


def changed(value: Any, change: Callable[[str, str], str], path: str = "") -> Any:
    """The same with each text replaced by what a function makes of its path and itself; keys of mappings too."""
    if isinstance(value, str):
        return change(path, value)
    if isinstance(value, Mapping):
        return {change(f"{path}.{key}", key): item for key, item in value.items()}
    if isinstance(value, tuple):
        return tuple(changed(item, change, f"{path}[{index}]") for index, item in enumerate(value))
    if isinstance(value, Sentence):
        return Sentence(*(changed(getattr(value, key), change, f"{path}.{key}") for key in ("text", "names")))
    if is_dataclass(value) and not isinstance(value, type):
        parts = {item.name: changed(getattr(value, item.name), change, f"{path}.{item.name}") for item in fields(value)}
        return replace(value, **parts)
    return value
