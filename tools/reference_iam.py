"""A Markdown page about rights at AWS, from the statements that components make policies of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components import dask_task_policies, ecs_policies, ecs_roles
from components.aws_place import names, with_workers
from tools.reference_tables import page, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from components.iam import Statement

PLACE = {"partition": "aws", "region": "<region>", "account": "<account>"}
OWN = with_workers(names("<environment>", place=PLACE), scheduler_task=True)
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/repository:tag"
SECRETS = (
    {"env": "A", "arn": "arn:aws:secretsmanager:<secret>", "kms_key_arn": "arn:aws:kms:<key>"},
    {"env": "B", "arn": "arn:aws:ssm:<parameter>"},
)
FILES = ({"name": "", "efs": {"file_system_id": "<id>", "access_point_id": "<id>", "iam": True}},)

INTRODUCTION = """\
Policies and roles of an environment of kind `fargate-task` or `dask-cloud-provider`, under the names that they have
where the stack says nothing else; of a long name, its beginning and a hash. The two policies are attached to nobody:
attach them to the roles or groups of those who need them. The stack's outputs name their ARNs."""

SUBMITTER = f"""\
{ecs_policies.RUN_DESCRIPTION} Who may start runs chooses their code, and so may do what the role of runs may, and
read the secrets that runs get."""
PREVIEWER = f"""\
{ecs_policies.PREVIEW_DESCRIPTION} Reads no log, no code and no secret.
Workers' definitions and role only of kind `dask-cloud-provider`, a scheduler's only with `scheduler_task`."""
TASK = """\
The role that flows have. Beside these statements, those of `task_role_statements` in a policy `own` of the role, and
what `task_role_policy_arns` name. With `task_role_arn` it is not created; the role given needs the first two
statements, and of kind `dask-cloud-provider` those of the second table."""
EXECUTION = """\
The role by which ECS starts a run, and its workers. With `execution_role_arn` it is not created; the role given needs
what of these applies."""
WITH_WORKERS = "Of kind `dask-cloud-provider` also:"
WORKER = """\
Of kind `dask-cloud-provider` only: the role of workers, and of a scheduler in a task of its own. Beside these
statements, those of `task_role_statements` and what `task_role_policy_arns` name, as in the role of runs. With
`worker_task_role_arn` it is not created; the role given needs what of these applies."""
TRUST = """\
All roles are taken by `ecs-tasks.amazonaws.com` only, for tasks of the same account and region (`aws:SourceArn`,
`aws:SourceAccount`)."""


def iam_page() -> str:
    """Describes each policy and role: its statements, and what each is for."""
    allowed = {
        "submitter": ecs_policies.submitter(OWN),
        "previewer": ecs_policies.previewer(OWN),
        "task": ecs_roles.task(OWN, execute_command=True, volumes=FILES),
        "execution": ecs_roles.execution(OWN, images=[IMAGE], secrets=SECRETS),
        "worker": dask_task_policies.worker(OWN, tls=True, volumes=FILES),
    }
    with_workers: dict[str, Iterable[Statement]] = {
        "submitter": dask_task_policies.submitter(OWN, tls=True),
        "task": dask_task_policies.run(OWN, tls=True),
    }
    everything = [
        (part, item)
        for group in (allowed, with_workers)
        for part, statements in group.items()
        for item in statements
        if item.unbounded
    ]
    rows = [(f"`{part}`", f"`{item.sid}`", _listed(item.actions), item.unbounded) for part, item in everything]
    return page(
        [
            "# Rights at AWS",
            INTRODUCTION,
            _section(f"Policy `{OWN.policy('submitter')}`", SUBMITTER, allowed["submitter"]),
            f"{WITH_WORKERS}\n\n{_table(with_workers['submitter'])}",
            _section(f"Policy `{OWN.policy('previewer')}`", PREVIEWER, allowed["previewer"]),
            _section(f"Role `{OWN.role('task')}`", f"{TASK}\n\n{TRUST}", allowed["task"]),
            f"{WITH_WORKERS}\n\n{_table(with_workers['task'])}",
            _section(f"Role `{OWN.role('worker')}`", WORKER, allowed["worker"]),
            _section(f"Role `{OWN.role('execution')}`", EXECUTION, allowed["execution"]),
            "## Where the resource is `*`\n\nOnly where AWS has nothing narrower:\n\n"
            + table(("Of", "Statement", "Calls", "Why"), rows),
        ],
        source="components/ecs_policies.py, components/ecs_roles.py and components/dask_task_policies.py",
    )


def _section(title: str, text: str, statements: Iterable[Statement]) -> str:
    return f"## {title}\n\n{text}\n\n{_table(statements)}"


def _table(statements: Iterable[Statement]) -> str:
    rows = [
        (f"`{item.sid}`", _listed(item.actions), _listed(item.resources), _conditions(item), item.reason)
        for item in statements
    ]
    return table(("Statement", "Calls", "Of what", "If", "Why"), rows)


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _conditions(statement: Statement) -> str:
    return ", ".join(f"`{key}` is `{value}`" for test in statement.conditions.values() for key, value in test.items())
