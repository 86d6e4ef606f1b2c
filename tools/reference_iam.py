"""A Markdown page about rights at AWS, from the statements that components make policies of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components import ecs_policies, ecs_roles
from components.aws_place import names
from tools.reference_tables import page, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from components.iam import Statement

PLACE = {"partition": "aws", "region": "<region>", "account": "<account>"}
OWN = names("<environment>", place=PLACE)
IMAGE = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/repository:tag"
SECRETS = (
    {"env": "A", "arn": "arn:aws:secretsmanager:<secret>", "kms_key_arn": "arn:aws:kms:<key>"},
    {"env": "B", "arn": "arn:aws:ssm:<parameter>"},
)
FILES = ({"name": "", "efs": {"file_system_id": "<id>", "access_point_id": "<id>", "iam": True}},)

INTRODUCTION = """\
Policies and roles of an environment of kind `fargate-task`, under the names that they have where the stack says
nothing else; of a long name, its beginning and a hash. The two policies are attached to nobody: attach
them to the roles or groups of those who need them. The stack's outputs name their ARNs."""

SUBMITTER = f"""\
{ecs_policies.RUN_DESCRIPTION} Who may start runs chooses their code, and so may do what the role of runs may, and
read the secrets that runs get."""
PREVIEWER = f"{ecs_policies.PREVIEW_DESCRIPTION} Reads no log, no code and no secret."
TASK = """\
The role that flows have. Beside these statements, those of `task_role_statements` in a policy `own` of the role, and
what `task_role_policy_arns` name. With `task_role_arn` it is not created; the role given needs the first statement."""
EXECUTION = """\
The role by which ECS starts a run. With `execution_role_arn` it is not created; the role given needs what of these
applies."""
TRUST = """\
Both roles are taken by `ecs-tasks.amazonaws.com` only, for tasks of the same account and region (`aws:SourceArn`,
`aws:SourceAccount`)."""


def iam_page() -> str:
    """Describes each policy and role: its statements, and what each is for."""
    allowed = {
        "submitter": ecs_policies.submitter(OWN),
        "previewer": ecs_policies.previewer(OWN),
        "task": ecs_roles.task(OWN, execute_command=True, volumes=FILES),
        "execution": ecs_roles.execution(OWN, images=[IMAGE], secrets=SECRETS),
    }
    everything = [(part, item) for part, statements in allowed.items() for item in statements if item.unbounded]
    rows = [(f"`{part}`", f"`{item.sid}`", _listed(item.actions), item.unbounded) for part, item in everything]
    return page(
        [
            "# Rights at AWS",
            INTRODUCTION,
            _section(f"Policy `{OWN.policy('submitter')}`", SUBMITTER, allowed["submitter"]),
            _section(f"Policy `{OWN.policy('previewer')}`", PREVIEWER, allowed["previewer"]),
            _section(f"Role `{OWN.role('task')}`", f"{TASK} {TRUST}", allowed["task"]),
            _section(f"Role `{OWN.role('execution')}`", EXECUTION, allowed["execution"]),
            "## Where the resource is `*`\n\nOnly where AWS has nothing narrower:\n\n"
            + table(("Of", "Statement", "Calls", "Why"), rows),
        ],
        source="components/ecs_policies.py and components/ecs_roles.py",
    )


def _section(title: str, text: str, statements: Iterable[Statement]) -> str:
    rows = [
        (f"`{item.sid}`", _listed(item.actions), _listed(item.resources), _conditions(item), item.reason)
        for item in statements
    ]
    return f"## {title}\n\n{text}\n\n{table(('Statement', 'Calls', 'Of what', 'If', 'Why'), rows)}"


def _listed(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _conditions(statement: Statement) -> str:
    return ", ".join(f"`{key}` is `{value}`" for test in statement.conditions.values() for key, value in test.items())
