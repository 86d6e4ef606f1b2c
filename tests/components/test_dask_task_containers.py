"""The containers of runs with Dask workers: what cleans up beside the flow, and the one of a worker's task."""

import json
from typing import Any

import pytest

from components import dask_task_containers, ecs_containers
from runner.clusters import ecs_cleanup, entry
from runner.errors import ContractError
from tests.components.ecs import IMAGE, SECRET

OPTIONS: dict[str, Any] = {
    "log_group": "/penstock/flights",
    "region": "eu-west-1",
    "image": IMAGE,
    "env": {"MODE": "fast"},
    "secrets": [{"env": "TOKEN", "arn": SECRET}],
    "volumes": [{"name": "lake"}],
    "mount_points": [{"volume": "lake", "path": "/lake"}],
    "timeouts": {"grace_seconds": 60},
}
WRITTEN: list[dict[str, Any]] = [
    {
        "name": "flow",
        "image": IMAGE,
        "user": "1000",
        "entryPoint": ["nice", "/venv/bin/python", "-m", "runner"],
        "ulimits": [{"name": "nofile", "softLimit": 1, "hardLimit": 2}],
        "repositoryCredentials": {"credentialsParameter": SECRET},
        "dependsOn": [{"containerName": "proxy", "condition": "START"}],
        "memoryReservation": 256,
        "logConfiguration": {"logDriver": "awsfirelens"},
    },
    {"name": "proxy", "image": "registry.example/proxy:1", "essential": False},
]


def run(*, secrets_prefix: str | None = "penstock/flights/", **more: Any) -> dict[str, dict[str, Any]]:
    made = dask_task_containers.run(secrets_prefix=secrets_prefix, **{**OPTIONS, **more})
    return {item["name"]: item for item in json.loads(made)}


def worker(*, resources: Any = None, **more: Any) -> dict[str, Any]:
    made = dask_task_containers.task_of("dask-worker", resources=resources or {}, **{**OPTIONS, **more})
    (container,) = json.loads(made)
    found: dict[str, Any] = container
    return found


def test_the_flows_container_is_that_of_a_run_without_workers() -> None:
    (alone,) = json.loads(ecs_containers.definitions(**OPTIONS))

    flow = run()["flow"]
    assert flow.pop("dependsOn") == [{"containerName": "cleanup", "condition": "START"}]
    assert flow == alone


def test_what_cleans_up() -> None:
    made = run()

    assert set(made) == {"cleanup", "flow"}
    assert made["cleanup"] == {
        "name": "cleanup",
        "image": IMAGE,
        "entryPoint": ["python3", "-P", "-m", "runner.clusters.ecs_cleanup"],
        "essential": False,
        "environment": [{"name": "PENSTOCK_SECRETS_PREFIX", "value": "penstock/flights/"}],
        "linuxParameters": {"capabilities": {"drop": ["ALL"]}},
        "logConfiguration": ecs_containers.log_configuration("/penstock/flights", "eu-west-1"),
        "readonlyRootFilesystem": True,
        "stopTimeout": 30,
        "user": "65532:65532",
    }


def test_what_cleans_up_gets_no_variable_of_the_flows_and_without_keys_none_at_all() -> None:
    assert "environment" not in run(secrets_prefix=None)["cleanup"]
    assert "secrets" not in run()["cleanup"]


def test_it_is_started_as_the_flow_is() -> None:
    cleanup = run(written=WRITTEN, image=None)["cleanup"]

    assert cleanup["entryPoint"] == ["nice", "/venv/bin/python", "-m", "runner.clusters.ecs_cleanup"]
    assert (cleanup["user"], cleanup["image"]) == ("1000", IMAGE)
    assert cleanup["repositoryCredentials"] == {"credentialsParameter": SECRET}
    assert run(command=["/start"])["cleanup"]["entryPoint"] == ["python3", "-P", "-m", "runner.clusters.ecs_cleanup"]


def test_containers_of_the_users_stay() -> None:
    assert set(run(written=WRITTEN, image=None)) == {"cleanup", "flow", "proxy"}


def test_the_programs_and_their_variable_are_those_of_the_runner() -> None:
    assert dask_task_containers.SECRETS_PREFIX == ecs_cleanup.SECRETS_PREFIX_VARIABLE
    assert ecs_cleanup.SECONDS < dask_task_containers.CLEANUP_SECONDS
    assert (
        ecs_cleanup.__name__,
        entry.__name__,
    ) == (dask_task_containers.CLEANUP_MODULE, dask_task_containers.ENTRY_MODULE)


@pytest.mark.parametrize("name", ["cleanup", "dask-worker", "dask-scheduler"])
def test_a_container_of_a_name_of_ours_is_refused(name: str) -> None:
    with pytest.raises(ContractError) as refusal:
        run(written=[*WRITTEN[1:], {"name": name, "image": "x"}])

    assert (refusal.value.path, refusal.value.found) == ("container_definitions[1].name", f'"{name}"')


def test_a_worker_is_the_flows_container_with_another_program() -> None:
    flow = run()["flow"]
    made = worker()

    assert (made.pop("name"), made.pop("entryPoint")) == (
        "dask-worker",
        ["python3", "-P", "-m", "runner.clusters.entry"],
    )
    assert made == {key: value for key, value in flow.items() if key not in ("name", "entryPoint", "dependsOn")}
    assert made["stopTimeout"] == 65
    assert made["environment"] == [{"name": "MODE", "value": "fast"}]
    assert made["secrets"] == [{"name": "TOKEN", "valueFrom": SECRET}]
    assert {mount["containerPath"] for mount in made["mountPoints"]} == {"/lake", "/tmp"}


def test_what_is_written_of_the_flow_holds_for_workers_but_for_its_share_and_its_ties() -> None:
    made = worker(written=WRITTEN, image=None)

    assert made["entryPoint"] == ["nice", "/venv/bin/python", "-m", "runner.clusters.entry"]
    assert (made["user"], made["ulimits"]) == ("1000", WRITTEN[0]["ulimits"])
    assert {"dependsOn", "memoryReservation"} & set(made) == set()
    assert made["logConfiguration"] == ecs_containers.log_configuration("/penstock/flights", "eu-west-1")


def test_gpus_are_the_workers_own() -> None:
    of_the_run = {**WRITTEN[0], "resourceRequirements": [{"type": "GPU", "value": "1"}]}

    assert worker(resources={"gpu": 2})["resourceRequirements"] == [{"type": "GPU", "value": "2"}]
    assert "resourceRequirements" not in worker(written=[of_the_run], image=None)


def test_equal_containers_are_equal_bytes() -> None:
    made = [
        dask_task_containers.run(secrets_prefix="p/", **{**OPTIONS, "env": dict(env)})
        for env in ([("A", "1"), ("B", "2")], [("B", "2"), ("A", "1")])
    ]

    assert made[0] == made[1]
