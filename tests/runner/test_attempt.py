"""What is in force in one attempt: of its request, else of its environment."""

from typing import Any

import pytest

from runner.environment import Environment, Executor, ExecutorType, Log, LogLevel
from runner.request import WorkerCount
from tests.runner.attempts import LOCAL, attempt_of, dask_pods

SCHEDULER, KUBERNETES = "distributed.scheduler", "penstock.kubernetes"
ASKED = WorkerCount(min_workers=1, max_workers=3)


@pytest.mark.parametrize(
    ("environment", "request_", "expected"),
    [
        (dask_pods(), {}, WorkerCount(min_workers=2, max_workers=4)),
        (dask_pods({"min_workers": 0}), {}, WorkerCount(min_workers=0, max_workers=4)),
        (dask_pods(), {"workers": ASKED}, ASKED),
        (dask_pods(), {"workers": ASKED, "executor": Executor(type=ExecutorType.DASK, dashboard=True)}, ASKED),
        (dask_pods(), {"executor": Executor()}, None),
        (dask_pods(), {"executor": Executor(type=ExecutorType.DASK, address="tcp://other:8786")}, None),
        (LOCAL, {"executor": Executor(type=ExecutorType.DASK)}, None),
    ],
)
def test_how_many_pods_a_runs_own_cluster_has(
    environment: Environment, request_: dict[str, Any], expected: WorkerCount | None
) -> None:
    assert attempt_of(environment, request=request_).workers == expected


@pytest.mark.parametrize(
    ("environment", "log", "expected"),
    [
        (dask_pods(), None, Log()),
        (dask_pods({"scheduler_logs": True}), None, Log(extra_loggers=(SCHEDULER,))),
        (dask_pods({"log_k8s_errors": True}), None, Log(extra_loggers=(KUBERNETES,))),
        (
            dask_pods({"log_k8s_errors": True, "scheduler_logs": True}, log=Log(extra_loggers=("mine", KUBERNETES))),
            None,
            Log(extra_loggers=("mine", KUBERNETES, SCHEDULER)),
        ),
        (
            dask_pods({"scheduler_logs": True}, log=Log(extra_loggers=("mine",))),
            Log(level=LogLevel.ERROR),
            Log(level=LogLevel.ERROR, extra_loggers=(SCHEDULER,)),
        ),
        (LOCAL, Log(level=LogLevel.DEBUG), Log(level=LogLevel.DEBUG)),
    ],
)
def test_what_of_logging_a_run_shows(environment: Environment, log: Log | None, expected: Log) -> None:
    assert attempt_of(environment, request={"log": log}).log == expected
