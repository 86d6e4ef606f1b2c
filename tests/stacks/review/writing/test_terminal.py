"""A review on a terminal."""

from stacks.review.report import Report, StackReport
from stacks.review.writing.terminal import text
from tests.stacks.review.writing.reports import REPORT

EXPECTED = """\
Danger: anyone on the internet could reach the scheduler of dask-prod on port 8786, and 1 more
danger
2 stacks, 1 preview failed, 2 dangers, 1 warning, 1 notice, 1 created, 4 updated, 2 replaced, 75
unchanged

Danger: anyone on the internet could reach the scheduler of dask-prod on port 8786
  SecurityGroupIngressRule dask-prod-run-scheduler, cidrIpv4, stack dask-prod
  - 10.20.0.0/16
  + 0.0.0.0/0
  from stacks/Pulumi.dask-prod.yaml:12 penstock:scheduler_ingress
  Whoever reaches a Dask scheduler runs code of their own with the rights of the flow.

Danger: the runs of dask-prod may do everything with every bucket
  RolePolicy dask-prod-task, policy.Statement[Data].Action, stack dask-prod
  - ["s3:GetObject"]
  + ["s3:*"]
  from stacks/Pulumi.dask-prod.yaml:31 penstock:task_role_statements
  mandatory by the policy
  A flow that goes wrong could delete what others keep there.

Warning: the image penstock.local/flights:latest can change without a review
  TaskDefinition dask-prod-task, containerDefinitions[flow].image, stack dask-prod
  - penstock.local/flights@sha256:0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a
  + penstock.local/flights:latest
  from stacks/Pulumi.dask-prod.yaml:3 penstock:image
  What a tag points to is decided by who can push, not by who approves this.

Notice: each worker of dask-prod gets twice the memory
  TaskDefinition dask-prod-worker, memory, stack dask-prod
  - 1024
  + 2048
  from stacks/Pulumi.dask-prod.yaml:40 penstock:worker_resources
  Fargate charges for memory that is asked for.

The preview of flights could not be completed.
  line one
  line `two`

1 finding allowed by the policy
  runs of flights may reach every address: The upstream has no fixed addresses, until 2027-01-31.

Everything else: 2 resources
  dask-prod: LogGroup dask-prod-log created
  dask-prod: TaskDefinition dask-prod-worker replaced
    containerDefinitions[flow].command: nothing -> ["a","b|c"]
    cpu: 512 -> nothing
4 resources change in defaults, tags, order or writing only.

Judged by the policy policies/review.yaml.

The exception for open-egress ends in 12 days.
dask-prod: slow

           create  update  replace  delete  same
dask-prod       1       3        2       0    41
flights         0       1        0       0    34
"""


def test_everything_is_in_it() -> None:
    assert text(REPORT, colour=False) == EXPECTED


def test_colours_are_added_to_the_same_lines() -> None:
    lines = text(REPORT, colour=True).splitlines()
    assert lines[1] == "\x1b[1;31mdanger\x1b[0m"
    assert lines[7:9] == ["\x1b[31m  - 10.20.0.0/16\x1b[0m", "\x1b[32m  + 0.0.0.0/0\x1b[0m"]
    assert len(lines) == len(EXPECTED.splitlines())


def test_sentences_are_wrapped_where_asked() -> None:
    assert text(REPORT, colour=False, width=40).splitlines()[:3] == [
        "Danger: anyone on the internet could",
        "reach the scheduler of dask-prod on port",
        "8786, and 1 more danger",
    ]


def test_nothing_to_tell() -> None:
    stack = StackReport(stack="s", counts={"same": 2})
    assert text(Report(stacks=(stack,)), colour=False) == (
        "Quiet: nothing changes\n2 unchanged\n\n"
        "   create  update  replace  delete  same\n"
        "s       0       0        0       0     2\n"
    )
