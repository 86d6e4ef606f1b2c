"""What holds for every Dask cluster that a run can use, and what is particular to the local one."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from runner import contract
from runner.environment import Executor
from tests.testbed import dask_on_ecs, followed_run, kubernetes_cluster
from tests.testbed.dask_cluster import existing_cluster
from tests.testbed.dask_on_ecs import DaskPlace
from tests.testbed.dask_on_kubernetes import await_nothing_left, dask_environment, dask_namespace
from tests.testbed.runner_process import BEHAVIOURS, FLOWS, Ended, await_file, await_gone, run_flow, started

pytestmark = [pytest.mark.dask, pytest.mark.timeout(120)]
ON_DASK = FLOWS / "on_dask.py"
LOCAL = {"type": "dask", "workers": 2, "threads_per_worker": 1, "memory_limit_mib": 512, "performance_report": False}


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """A kind of cluster under test."""

    executor: dict[str, Any]
    namespace: str | None = None
    """Where the workers are pods, and the flow is in one."""
    place: DaskPlace | None = None
    """Where the workers are tasks of ECS, and the flow is in one."""

    def scratch(self, folder: Path) -> Path:
        """A folder that the flow can write to, the test's own where that is on this machine."""
        return folder if self.namespace is None else Path("/dev/shm")


@pytest.fixture(
    scope="module",
    params=[
        *("local", "address", "address-tls"),
        pytest.param("pods", marks=pytest.mark.cluster),
        *(pytest.param(way, marks=[pytest.mark.aws, pytest.mark.long]) for way in ("tasks", "tasks-and-scheduler")),
    ],
)
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if request.param == "local":
        yield Cluster(executor=LOCAL)
    elif request.param == "pods":
        request.getfixturevalue("_namespaces_are_gone")
        with kubernetes_cluster.cluster_client() as client, dask_namespace(client) as namespace:
            yield Cluster(executor={"type": "dask", "performance_report": False}, namespace=namespace)
            await_nothing_left(client, namespace, 15)
    elif request.param.startswith("tasks"):
        in_task = request.param == "tasks-and-scheduler"
        aws = request.getfixturevalue("aws_server")
        with dask_on_ecs.dask_place(aws, 2, scheduler_task=in_task) as place:
            yield Cluster(executor={"type": "dask", "performance_report": False}, place=place)
            dask_on_ecs.await_nothing_left(place, 15)
    else:
        with existing_cluster(tmp_path_factory.mktemp("cluster"), tls=request.param == "address-tls") as executor:
            yield Cluster(executor=executor)


Run = Callable[..., Ended]


def run_in_pods(
    folder: Path, namespace: str, executor: dict[str, Any], function: str, parameters: dict[str, Any]
) -> Ended:
    """Run a flow with its code sent along, to its end."""
    in_force = contract.decode(Executor, executor, subject="", warn=pytest.fail)
    with kubernetes_cluster.cluster_client() as client:
        target = dask_environment(namespace, 2, executor=in_force)
        started = kubernetes_cluster.submit(client, target, function, file=ON_DASK.name, **parameters)
        started.follow()
    return ended(started, folder)


def run_in_tasks(
    folder: Path, place: DaskPlace, executor: dict[str, Any], function: str, parameters: dict[str, Any]
) -> Ended:
    """Run a flow with its code sent along, to its end."""
    in_force = contract.decode(Executor, executor, subject="", warn=pytest.fail)
    target = replace(place.environment, executor=in_force)
    started = place.start(
        f"{ON_DASK.name}:{function}", run_id=f"run-{os.urandom(4).hex()}", environment=target, **parameters
    )
    started.follow()
    return ended(started, folder)


def ended(run: followed_run.Run, folder: Path) -> Ended:
    """The end of a run that was followed."""
    outcome = run.end()
    assert outcome.exit_code is not None
    document = json.loads(contract.to_bytes(outcome))
    return Ended(exit_code=outcome.exit_code, outcome=document, output=bytes(run.output), folder=folder)


@pytest.fixture
def run(tmp_path: Path, cluster: Cluster, request: pytest.FixtureRequest) -> Run:
    if cluster.place is not None:
        request.getfixturevalue("aws")

    def run(
        function: str, parameters: dict[str, Any] | None = None, *, executor: dict[str, Any] | None = None
    ) -> Ended:
        in_force = {**cluster.executor, **(executor or {})}
        if cluster.namespace is not None:
            return run_in_pods(tmp_path, cluster.namespace, in_force, function, parameters or {})
        if cluster.place is not None:
            return run_in_tasks(tmp_path, cluster.place, in_force, function, parameters or {})
        return run_flow(tmp_path, f"{ON_DASK}:{function}", parameters, environment={"executor": in_force})

    return run


@pytest.mark.parametrize("way", ["with_parameter", "with_default_client", "with_get_client"])
def test_a_flow_uses_the_cluster(run: Run, way: str) -> None:
    ended = run(way)

    assert (ended.exit_code, ended.outcome["result"]) == (0, [0, 1, 4, 9, 16])
    assert ended.output == b""


def test_an_optional_client_is_given(run: Run) -> None:
    assert run("optional").outcome["result"] is True


def test_a_failing_flow_keeps_its_exit_code(run: Run, cluster: Cluster, tmp_path: Path) -> None:
    ended = run("fail", {"ready": str(cluster.scratch(tmp_path) / "ready")})

    assert ended.exit_code == 1
    assert ended.outcome["failure"]["message"] == "ValueError: after the cluster was open"


def test_without_a_cluster_an_optional_client_is_the_default(tmp_path: Path) -> None:
    assert run_flow(tmp_path, f"{ON_DASK}:optional").outcome["result"] is False


def test_without_a_cluster_a_needed_client_is_told_before_anything_starts(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{ON_DASK}:with_parameter")

    assert ended.exit_code == 66
    assert ended.outcome["failure"]["message"] == (
        "The parameter client wants a Dask client, and this environment's executor is inline. "
        "Run with --executor dask, or give the parameter a default."
    )


def test_a_local_cluster_is_as_it_was_asked_for(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{ON_DASK}:shape", environment={"executor": LOCAL})

    assert ended.outcome["result"] == {
        "hosts": ["127.0.0.1"],
        "threads": [1, 1],
        "memory_mib": [512, 512],
        "scheduler": "tls://127.0.0.1",
        "encrypted": True,
    }


def test_on_execute_sizes_the_cluster(tmp_path: Path) -> None:
    ended = run_flow(
        tmp_path,
        f"{ON_DASK}:shape",
        environment={"executor": LOCAL, "callbacks": {"on_execute": "callbacks:on_execute"}},
    )

    assert ended.outcome["result"]["threads"] == [1]


@pytest.mark.parametrize(
    ("callback", "sentence"),
    [
        (
            "too_many_workers",
            "too_many_workers returned: workers is -1, expected a whole number of at least 1.",
        ),
        ("unknown_option", "what callbacks:unknown_option returned is ['threads'], expected a mapping with some of"),
    ],
)
def test_on_execute_that_asks_for_what_cannot_be(tmp_path: Path, callback: str, sentence: str) -> None:
    ended = run_flow(
        tmp_path,
        f"{ON_DASK}:shape",
        environment={"executor": LOCAL, "callbacks": {"on_execute": f"callbacks:{callback}"}},
    )

    assert ended.exit_code == 65
    assert sentence in ended.outcome["failure"]["message"]


@pytest.mark.parametrize("end", ["failure", "SIGTERM", "SIGKILL of the flow"])
def test_a_local_cluster_is_gone_however_the_flow_ends(tmp_path: Path, end: str) -> None:
    ready = tmp_path / "ready"
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    function = "fail" if end == "failure" else "wait"
    with started(
        tmp_path,
        f"{ON_DASK}:{function}",
        {"ready": str(ready)},
        environment={"executor": LOCAL},
        variables={"TMPDIR": str(scratch)},
    ) as runner:
        pids = [int(pid) for pid in await_file(ready, 60).split()]
        if end == "SIGTERM":
            runner.signal(signal.SIGTERM)
        elif end == "SIGKILL of the flow":
            os.kill(pids[0], signal.SIGKILL)
        ended = runner.wait(timeout=60)

    assert ended.exit_code == {"failure": 1, "SIGTERM": 143, "SIGKILL of the flow": 137}[end]
    assert all(await_gone(pid) for pid in pids)
    assert list(scratch.iterdir()) == []


@pytest.mark.parametrize("function", ["with_parameter", "fail_with_tasks"])
def test_report_and_picture_are_kept_however_the_flow_ends(run: Run, function: str) -> None:
    ended = run(function, executor={"performance_report": True})

    assert ended.exit_code == {"with_parameter": 0, "fail_with_tasks": 1}[function]
    assert b"penstock:" not in ended.output
    kept = {item["name"]: Path(item["path"]).read_text() for item in ended.outcome["artifacts"]}
    assert list(kept) == ["dask-performance-report.html", "dask-task-stream.svg"]
    assert "Dask Performance Report" in kept["dask-performance-report.html"]
    assert ">5 tasks on 2 workers in " in kept["dask-task-stream.svg"]


def test_the_picture_is_kept_where_bokeh_is_not_installed(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(
        "import dask, sys\nsys.modules['bokeh'] = None\ndef main():\n    return dask.delayed(sum)([1, 2]).compute()\n"
    )
    ended = run_flow(
        tmp_path, f"{tmp_path}/plain.py:main", environment={"executor": {**LOCAL, "performance_report": True}}
    )

    assert (ended.exit_code, ended.outcome["result"]) == (0, 3)
    assert ended.output.decode() == (
        "penstock: no performance report, since bokeh is not installed; run `pip install 'penstock[dask]'` "
        "or set performance_report to false in the executor.\n"
    )
    assert [item["name"] for item in ended.outcome["artifacts"]] == ["dask-task-stream.svg"]


def test_a_report_that_cannot_be_made_is_told_and_changes_nothing(tmp_path: Path) -> None:
    executor = {**LOCAL, "performance_report": True}
    ended = run_flow(tmp_path, f"{ON_DASK}:close", environment={"executor": executor})

    assert (ended.exit_code, ended.outcome["result"]) == (0, "closed")
    reason = "(ConnectionError: the flow has closed the Dask client of its run)"
    assert ended.output.decode().splitlines() == [
        f"penstock: no picture of the task stream {reason}",
        f"penstock: no performance report {reason}",
    ]
    assert ended.outcome["artifacts"] == []


def test_an_address_where_nothing_answers(tmp_path: Path) -> None:
    executor = {"type": "dask", "address": "tcp://127.0.0.1:1"}
    ended = run_flow(tmp_path, f"{ON_DASK}:with_parameter", environment={"executor": executor})

    assert ended.exit_code == 69
    assert (
        "The Dask scheduler at tcp://127.0.0.1:1 could not be reached within 10 s"
        in (ended.outcome["failure"]["message"])
    )
    assert b"Traceback" not in ended.output


def test_without_distributed_the_next_step_is_told(tmp_path: Path) -> None:
    (tmp_path / "hide").mkdir()
    (tmp_path / "hide" / "distributed.py").write_text("raise ImportError('not here')")
    ended = run_flow(
        tmp_path,
        f"{BEHAVIOURS}:succeed",
        environment={"executor": LOCAL},
        variables={"PYTHONPATH": str(tmp_path / "hide")},
    )

    assert ended.exit_code == 69
    assert "Run `pip install 'penstock[dask]'` there." in ended.outcome["failure"]["message"]
