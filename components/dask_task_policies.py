"""What is allowed at AWS beside the rights of every run on ECS, where runs have Dask workers as tasks of their own."""

from collections.abc import Mapping, Sequence
from typing import Any

from components.aws_place import Names
from components.ecs_policies import LIST_TASKS
from components.ecs_roles import mounts
from components.iam import TASKS, Statement


def run(names: Names, *, tls: bool) -> list[Statement]:
    """What a run's own role allows beside `ecs_roles.task`: to start, watch and stop its workers.

    Args:
        names: the environment's names.
        tls: whether the cluster's connections are encrypted.
    """
    in_cluster = {"ArnEquals": {"ecs:cluster": names.cluster_arn}}
    statements = [
        Statement(
            sid="StartWorkers",
            actions=("ecs:RunTask",),
            resources=names.worker_revisions_arns,
            conditions=in_cluster,
            reason="Workers, and a scheduler of its own, are tasks of these definitions, in this cluster and no other.",
        ),
        Statement(
            sid="TagWorkers",
            actions=("ecs:TagResource",),
            resources=(names.tasks_arn,),
            conditions={"StringEquals": {"ecs:CreateAction": "RunTask"}},
            reason="A worker is found again by the run that it is tagged with; a task that runs already gets no tag.",
        ),
        Statement(
            sid="HandRolesToWorkers",
            actions=("iam:PassRole",),
            resources=(str(names.worker_task_role_arn), names.execution_role_arn),
            conditions={"StringEquals": {"iam:PassedToService": TASKS}},
            reason="Who starts a task hands it the two roles that its definition names; the run's own is none of them.",
        ),
        Statement(
            sid="WatchAndStopWorkers",
            actions=("ecs:DescribeTasks", "ecs:StopTask"),
            resources=(names.tasks_arn,),
            conditions=in_cluster,
            reason="A run waits for its workers, and stops them at its end.",
        ),
        Statement(
            sid="ListWorkers",
            actions=("ecs:ListTasks",),
            resources=("*",),
            conditions=in_cluster,
            reason="What cleans up after a run finds its workers by what they were started by.",
            unbounded=LIST_TASKS,
        ),
        Statement(
            sid="ReadLogsOfWorkers",
            actions=("logs:GetLogEvents",),
            resources=names.worker_streams_arns,
            reason="The last lines of a worker that was lost say why.",
        ),
    ]
    if tls:
        statements.append(
            Statement(
                sid="KeepKeys",
                actions=("secretsmanager:CreateSecret", "secretsmanager:DeleteSecret", "secretsmanager:TagResource"),
                resources=(names.secrets_arn,),
                reason="A run hands its workers their keys in a secret, and deletes it at its end. Only with `tls`.",
            )
        )
    return statements


def worker(names: Names, *, tls: bool, volumes: Sequence[Mapping[str, Any]] = ()) -> list[Statement]:
    """What the role of workers allows, and of a scheduler in a task of its own.

    Args:
        names: the environment's names.
        tls: whether the cluster's connections are encrypted.
        volumes: `TaskVolumeOptions`.
    """
    keys = Statement(
        sid="ReadKeys",
        actions=("secretsmanager:GetSecretValue",),
        resources=(names.secrets_arn,),
        reason="A worker gets the keys of its run. Only with `tls`.",
    )
    return [*([keys] if tls else []), *mounts(names.place, volumes)]


def submitter(names: Names, *, tls: bool) -> tuple[Statement, ...]:
    """What those who start runs may do beside `ecs_policies.submitter`: remove what a run could not.

    Args:
        names: the environment's names.
        tls: whether the cluster's connections are encrypted.
    """
    if not tls:
        return ()
    return (
        Statement(
            sid="ListKeys",
            actions=("secretsmanager:ListSecrets",),
            resources=("*",),
            reason="`gc`, and who follows a run, find keys that a run left behind. Only with `tls`.",
            unbounded="AWS knows no resource of that call; it tells names and tags, and no value.",
        ),
        Statement(
            sid="DeleteKeys",
            actions=("secretsmanager:DeleteSecret",),
            resources=(names.secrets_arn,),
            reason="They delete them. Only with `tls`.",
        ),
    )
