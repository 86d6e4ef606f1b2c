"""`--dashboard` of runs on ECS: what is said, and the command that opens a tunnel."""

import json
import shlex
import time
from dataclasses import replace
from typing import Any

import pytest

from runner import contract
from runner.environment import Environment, Executor, ExecutorType
from runner.errors import UsageError
from runner.launch.ecs.dashboard import refused
from runner.request import RunRequest
from tests.runner.launch.ecs.conftest import WithWorkers

pytestmark = pytest.mark.aws

DASHBOARD = Executor(type=ExecutorType.DASK, dashboard=True)
FOUND = "--dashboard is given, expected none: ECS forwards no ports of the-run."
ID = "0123456789abcdef" * 2


def task(executor: Executor | None = DASHBOARD, *, runtime: str | None = f"{ID}-527074092", **more: Any) -> Any:
    """A task as ECS describes it, of a run that was asked for with this executor."""
    asked = RunRequest(run_id="the-run", accepted_at=0.0, flow="flow.py:main", executor=executor)
    variable = {"name": "PENSTOCK_INPUT_REQUEST", "value": contract.to_bytes(asked).decode()}
    flow = {"name": "flow", **({"runtimeId": runtime} if runtime else {})}
    return {
        "taskArn": f"arn:aws:ecs:eu-west-1:123456789012:task/flows/{ID}",
        "lastStatus": "RUNNING",
        "overrides": {"containerOverrides": [{"name": "flow", "environment": [variable]}]},
        "containers": [{"name": "sidecar", "runtimeId": "another"}, flow],
        **more,
    }


@pytest.fixture
def environment(workers: WithWorkers) -> Environment:
    section = replace(workers.section, enable_execute_command=True)
    return replace(workers.environment, dask_cloud_provider=section)


def test_with_execute_command_the_command_is_ready_to_run(environment: Environment) -> None:
    assert environment.dask_cloud_provider is not None
    said = str(refused("the-run", environment, task()))

    cluster = environment.dask_cloud_provider.cluster_arn.rpartition("/")[2]
    before, command, after = said.split("`")
    words = shlex.split(command)
    assert before == f"{FOUND} Follow it without, open a tunnel with "
    assert words[:5] == ["aws", "ssm", "start-session", "--target", f"ecs:{cluster}_{ID}_{ID}-527074092"]
    assert words[5:8] == ["--document-name", "AWS-StartPortForwardingSession", "--parameters"]
    assert json.loads(words[8]) == {"portNumber": ["8787"], "localPortNumber": ["8787"]}
    assert words[9:] == ["--region", "eu-west-1"]
    assert after == ", which needs AWS' plugin for Session Manager, and see http://127.0.0.1:8787/status."


def test_without_it_the_option_is_named(workers: WithWorkers) -> None:
    assert str(refused("the-run", workers.environment, task())) == (
        f"{FOUND} Leave it out; `enable_execute_command: true` of the stack would allow a tunnel to later runs."
    )


@pytest.mark.parametrize(
    "found", [None, task(runtime=None), task(lastStatus="STOPPED")], ids=["unknown", "starting", "stopped"]
)
def test_before_the_container_is_up_there_is_no_command_yet(environment: Environment, found: Any) -> None:
    assert str(refused("the-run", environment, found)) == (
        f"{FOUND} Ask again when its container is up, for the command that opens a tunnel."
    )


def test_a_run_that_was_started_without_serves_none(environment: Environment) -> None:
    with pytest.raises(UsageError, match="The run the-run serves no dashboard, since it was started without"):
        refused("the-run", environment, task(executor=None))


def test_who_follows_is_told_of_the_task_that_is_up(
    workers: WithWorkers, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, owner = workers.started(environment=environment, moment=time.time() + 120)
    launcher = workers.launcher(environment)
    with pytest.raises(UsageError, match="The run the-run serves no dashboard"):
        launcher.follow("the-run", lambda _: None, dashboard=True)

    monkeypatch.setattr("runner.launch.ecs.dashboard.require", lambda *_: None)
    with pytest.raises(UsageError, match=f" --target ecs:{workers.place.name}_{owner}_{owner}-flow "):
        launcher.follow("the-run", lambda _: None, dashboard=True)

    launcher.stop("the-run")
    run.end()
