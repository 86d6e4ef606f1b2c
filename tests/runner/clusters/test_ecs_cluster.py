"""Runs whose Dask workers are tasks of ECS: how many there are, who is let in, and what else there is afterwards."""

import json
import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from distributed import Client

from runner.clusters import tls
from runner.environment import Callbacks, Executor, ExecutorType
from runner.sections import ECS_CLUSTER
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, await_nothing_left, dask_place
from tests.testbed.runner_process import await_file

pytestmark = [pytest.mark.aws, pytest.mark.dask, pytest.mark.timeout(120)]
CLOSE_SECONDS = 5.0
"""So long after a run nothing of it may be left."""


@pytest.fixture
def place(aws: Aws) -> Iterator[DaskPlace]:
    with dask_place(aws, 2) as place:
        yield place


def assets(aws: Aws) -> dict[str, list[str]]:
    """What there is in the account of what a run must not create."""
    ec2, ecs, iam, logs = (aws.client(name) for name in ("ec2", "ecs", "iam", "logs"))
    return {
        "clusters": sorted(ecs.list_clusters()["clusterArns"]),
        "definitions": sorted(ecs.list_task_definitions()["taskDefinitionArns"]),
        "roles": sorted(role["RoleName"] for role in iam.list_roles()["Roles"]),
        "policies": sorted(policy["Arn"] for policy in iam.list_policies(Scope="Local")["Policies"]),
        "groups": sorted(group["GroupId"] for group in ec2.describe_security_groups()["SecurityGroups"]),
        "log groups": sorted(group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]),
    }


def calls_of(aws: Aws, place: DaskPlace) -> Counter[str]:
    """What the run itself called, by the role of its task."""
    return Counter(call["action"] for call in aws.calls() if f"{place.name}-task" in call["principal"])


def test_a_run_creates_workers_and_nothing_that_stays(aws: Aws, place: DaskPlace, tmp_path: Path) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    before = assets(aws)
    aws.calls(clear=True)

    started = place.start("spread.py:wait_for", ready=str(ready), go=str(go))
    started.start_following()
    await_file(ready, 60)
    workers = place.workers()
    go.touch()
    outcome = started.end()
    calls = calls_of(aws, place)

    assert (outcome.exit_code, outcome.result) == (0, [0, 1]), outcome.failure
    await_nothing_left(place, CLOSE_SECONDS)
    assert assets(aws) == before
    assert (calls["RunTask"], calls["CreateSecret"], calls["StopTask"]) == (1, 1, 2)
    assert not [name for name in calls if name.startswith(("Create", "Register", "Put")) and name != "CreateSecret"]
    assert not [call for call in aws.calls() if call["denied"]]
    for task in workers:
        tags = {item["key"]: item["value"] for item in task["tags"]}
        assert tags["penstock.dev/run-id"] == "the-run"
        assert "createdBy" not in tags
    (run,) = (task for task in place.tasks() if task["group"].endswith(f":{place.name}"))
    assert {task["startedBy"] for task in workers} == {run["taskArn"].rpartition("/")[2]}


@pytest.mark.long
def test_workers_are_as_large_as_their_tasks(aws: Aws) -> None:
    with dask_place(aws, 2, worker_threads=2) as place:
        outcome = place.start("spread.py:worker_threads").follow()

    assert outcome.result == [[2, 1024], [2, 1024]]


@pytest.mark.long
def test_workers_come_with_the_work_and_go_with_it(aws: Aws) -> None:
    with dask_place(aws, (0, 8)) as place:
        outcome = place.start("spread.py:up_and_down", count=40, ready=60).follow()

        assert outcome.result == {"before": 0, "during": 8, "after": 1}
        await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
def test_on_execute_sizes_the_cluster_within_its_bounds(aws: Aws) -> None:
    with dask_place(aws, 2) as place:
        fewer = replace(place.environment, callbacks=Callbacks(on_execute="callbacks:one_worker"))
        more = replace(place.environment, callbacks=Callbacks(on_execute="callbacks:three_workers"))
        one = place.start("spread.py:who_is_there", run_id="fewer", environment=fewer).follow()
        three = place.start("spread.py:who_is_there", run_id="more", environment=more).follow()

    assert one.result == [0]
    assert three.exit_code == 65
    assert three.failure is not None
    assert "max_workers is 3, expected at most the 2 that the stack allows" in three.failure.message


@pytest.mark.long
def test_ecscluster_and_clusters_of_ones_own_are_opened_like_the_default(aws: Aws) -> None:
    with dask_place(aws, 1, provider_class=ECS_CLUSTER, fargate_spot=True) as place:
        assert place.start("spread.py:total", count=2).follow().result == 1
        (worker,) = place.workers()
        assert worker["capacityProviderName"] == "FARGATE_SPOT"
    with dask_place(aws, 1, provider_class="distributed:LocalCluster", provider_kwargs={"processes": False}) as place:
        assert place.start("spread.py:total", count=2).follow().result == 1
        assert place.workers() == []


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("no_such_module:Cluster", "cannot be imported (No module named 'no_such_module')"),
        ("dask_cloudprovider.aws:NoCluster", "cannot be imported"),
        ("json:dumps", "expected a class"),
    ],
)
def test_a_class_that_is_none_is_told(aws: Aws, name: str, sentence: str) -> None:
    with dask_place(aws, 1, provider_class=name) as place:
        outcome = place.start("spread.py:total", count=2).follow()

    assert outcome.exit_code == 69
    assert outcome.failure is not None
    assert f"provider_class {name} " in outcome.failure.message
    assert sentence in outcome.failure.message


def scheduler_of(place: DaskPlace) -> tuple[str, int]:
    """Where the scheduler of a run listens."""
    (run,) = (task for task in place.tasks() if task["lastStatus"] == "RUNNING" and "worker" not in task["group"])
    details = [item for attachment in run["attachments"] for item in attachment["details"]]
    return next(str(item["value"]) for item in details if item["name"] == "privateIPv4Address"), 8786


def heard_without_keys(host: str, port: int) -> bytes | str:
    """What a client hears that shows no certificate, and believes everything."""
    anything = ssl.create_default_context()
    anything.check_hostname, anything.verify_mode = False, ssl.CERT_NONE
    try:
        with socket.create_connection((host, port), timeout=5) as plain, anything.wrap_socket(plain) as connection:
            return connection.recv(100)
    except OSError as error:
        return str(error)


def test_who_has_no_keys_of_the_run_is_not_let_in(place: DaskPlace, tmp_path: Path) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    run = place.start("spread.py:wait_for", ready=str(ready), go=str(go))
    run.start_following()
    await_file(ready, 60)
    host, port = scheduler_of(place)

    with pytest.raises(OSError, match=r"."):
        Client(f"tcp://{host}:{port}", timeout=2)
    with pytest.raises(OSError, match=r"."):
        Client(f"tls://{host}:{port}", security=tls.security(tls.make()), timeout=2)
    heard = heard_without_keys(host, port)
    go.touch()

    assert heard == b"" or "certificate" in str(heard).lower()
    assert run.end().exit_code == 0


def test_the_keys_are_in_their_secret_only_and_for_as_long_as_the_run(
    aws: Aws, place: DaskPlace, tmp_path: Path
) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    run = place.start("spread.py:wait_for", ready=str(ready), go=str(go))
    run.start_following()
    await_file(ready, 60)
    (secret,) = place.secrets()
    keys = aws.client("secretsmanager").get_secret_value(SecretId=secret["ARN"])["SecretString"]
    body = keys.partition("-----BEGIN PRIVATE KEY-----")[2].splitlines()[1]
    go.touch()
    outcome = run.end()

    assert {item["Key"]: item["Value"] for item in secret["Tags"]}["penstock.dev/run-id"] == "the-run"
    assert outcome.exit_code == 0
    await_nothing_left(place, CLOSE_SECONDS)
    logs = aws.client("logs")
    streams = logs.describe_log_streams(logGroupName=place.section.log_group)["logStreams"]
    pages = [
        logs.get_log_events(logGroupName=place.section.log_group, logStreamName=stream["logStreamName"])["events"]
        for stream in streams
    ]
    everything = json.dumps([place.tasks(), pages, [call["needs"] for call in aws.calls()]], default=str)
    assert body not in everything
    assert body not in run.output.decode()


@pytest.mark.long
def test_two_runs_at_once_have_workers_of_their_own(place: DaskPlace) -> None:
    runs = [place.start("spread.py:total", run_id=name, count=6) for name in ("one", "two")]
    for run in runs:
        run.start_following()

    assert [run.end().result for run in runs] == [55, 55]
    assert len({task["startedBy"] for task in place.workers()}) == 2
    await_nothing_left(place, CLOSE_SECONDS)


@pytest.mark.long
def test_the_dashboard_answers_inside_the_task_only(place: DaskPlace) -> None:
    executor = Executor(type=ExecutorType.DASK, dashboard=True, performance_report=False)
    outcome = place.start("spread.py:dashboard", environment=replace(place.environment, executor=executor)).follow()

    assert outcome.result == ["127.0.0.1", 200]
