"""How large a run with Dask workers is, and the quota in which some of them fit."""

import copy
from pathlib import Path
from typing import Any

import pytest

from components import dask_size, job_spec, worker_spec
from components.dask_job import with_cleanup
from components.job_template import job_template
from components.worker_template import resources_of, worker_template
from runner.errors import ContractError

RESOURCES = {"cpu_millicores": 250, "memory_mib": 512}
WORKER = {"cpu_millicores": 500, "memory_mib": 384}


@pytest.mark.parametrize(
    ("given", "fewest", "most"),
    [
        ({}, 2, 2),
        ({"max_workers": 4}, 4, 4),
        ({"min_workers": 4}, 4, 4),
        ({"min_workers": 0, "max_workers": 4}, 0, 4),
        ({"min_workers": 3, "max_workers": 3}, 3, 3),
    ],
)
def test_the_number_of_workers_is_fixed_unless_both_are_given(given: Any, fewest: int, most: int) -> None:
    assert dask_size.worker_range(**given) == {"min_workers": fewest, "max_workers": most}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"min_workers": 4, "max_workers": 2}, "min_workers is 4, expected at most the 2 of max_workers"),
        ({"min_workers": -1, "max_workers": 2}, "min_workers is -1, expected a whole number of at least 0"),
        ({"min_workers": -1}, "min_workers is -1, expected a whole number of at least 0"),
        ({"max_workers": 0}, "max_workers is 0, expected a whole number of at least 1"),
        ({"min_workers": 0}, "max_workers is missing, expected a whole number of at least 1, since min_workers is 0"),
    ],
)
def test_a_range_that_is_none_is_refused(given: Any, sentence: str) -> None:
    with pytest.raises(ContractError) as refusal:
        dask_size.worker_range(**given)

    assert sentence in str(refusal.value)


def test_the_executor_is_dask_whose_size_is_said_elsewhere() -> None:
    assert dask_size.executor() == {"type": "dask"}
    assert dask_size.executor(performance_report=False) == {"type": "dask", "performance_report": False}


def templates(job: Any = None, worker: Any = None, **worker_options: Any) -> dict[str, Any]:
    users_job = job_spec.read(job, folder=Path())
    users_worker = worker_spec.read(worker, folder=Path())
    made = worker_template(
        "flights", "team", service_account="robot", defaults=WORKER, worker_spec=users_worker, **worker_options
    )
    return {
        "job": with_cleanup(job_template("flights", "team", service_account="robot", job_spec=users_job, token=True)),
        "worker": made,
        "worker_resources": resources_of(made, worker_options.get("worker_resources")),
    }


def quota(max_workers: int = 8, resources: Any = None, given: Any = None, **more: Any) -> Any:
    specs = {key: more.pop(key, None) for key in ("job", "worker")}
    options = {key: more.pop(key) for key in ("worker_resources",) if key in more}
    return dask_size.quota(
        **templates(**specs, **options), max_workers=max_workers, resources=resources or RESOURCES, quota=given, **more
    )


def test_without_either_there_is_no_quota() -> None:
    assert quota() is None


def test_a_quota_has_room_for_whole_runs() -> None:
    assert quota(concurrent_runs=1) == {
        "pods": 9,
        "cpu_millicores": 250 + 10 + 8 * 500,
        "memory_mib": 512 + 32 + 8 * 384,
    }
    assert quota(concurrent_runs=3, max_workers=1) == {
        "pods": 6,
        "cpu_millicores": 3 * (250 + 10 + 500),
        "memory_mib": 3 * (512 + 32 + 384),
    }


def test_gpus_are_counted_where_some_are_asked_for() -> None:
    workers = {"gpu": 2, "gpu_resource": "amd.com/gpu"}

    with_gpus = quota(concurrent_runs=2, worker_resources=workers)
    of_the_run = quota(concurrent_runs=2, resources={**RESOURCES, "gpu": 1})

    assert (with_gpus["gpu"], with_gpus["gpu_resource"]) == (2 * 8 * 2, "amd.com/gpu")
    assert (of_the_run["gpu"], of_the_run["gpu_resource"]) == (2, "nvidia.com/gpu")


def test_what_the_users_specs_say_is_counted() -> None:
    proxy = {
        "name": "proxy",
        "image": "x",
        "restartPolicy": "Always",
        "resources": {"requests": {"cpu": "1", "memory": "1e9"}},
    }
    job = {"spec": {"template": {"spec": {"initContainers": [proxy], "containers": [{"name": "flow"}]}}}}
    worker = {"spec": {"containers": [{"name": "worker", "resources": {"requests": {"cpu": "0.1", "memory": "1Gi"}}}]}}

    assert quota(concurrent_runs=1, max_workers=2, job=job, worker=worker) == {
        "pods": 3,
        "cpu_millicores": 250 + 10 + 1000 + 2 * 100,
        # 1e9 bytes are 953.7 MiB.
        "memory_mib": 512 + 32 + 954 + 2 * 1024,
    }


def test_what_the_user_says_wins_and_the_rest_is_computed() -> None:
    assert quota(concurrent_runs=1, given={"pods": 50, "jobs": 200}) == {
        "pods": 50,
        "jobs": 200,
        "cpu_millicores": 4260,
        "memory_mib": 3616,
    }


def test_the_users_quota_alone_stays_as_it_is() -> None:
    given = {"cpu_millicores": 8000, "jobs": 200}

    assert quota(given=given) == given


@pytest.mark.parametrize("concurrent_runs", [None, 2])
@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {"cpu_millicores": 1000},
            "quota.cpu_millicores is 1000, expected at least the 4,260 that one run with all its 8 workers asks for",
        ),
        ({"memory_mib": 3615}, "quota.memory_mib is 3615, expected at least the 3,616 that one run with all its 8"),
        ({"pods": 8}, "quota.pods is 8, expected at least the 9 that one run with all its 8 workers asks for"),
    ],
)
def test_a_quota_in_which_not_even_one_run_fits_is_refused(given: Any, sentence: str, concurrent_runs: Any) -> None:
    with pytest.raises(ContractError) as refusal:
        quota(given=given, concurrent_runs=concurrent_runs)

    assert sentence in str(refusal.value)


def test_gpus_of_another_name_do_not_count() -> None:
    with pytest.raises(ContractError, match=r"quota\.gpu is 7, expected at least the 8 that"):
        quota(given={"gpu": 7}, worker_resources={"gpu": 1})
    assert quota(given={"gpu": 0, "gpu_resource": "amd.com/gpu"}, worker_resources={"gpu": 1}) is not None


def test_one_worker_is_called_one() -> None:
    with pytest.raises(
        ContractError, match=r"quota\.pods is 1, expected at least the 2 that one run with its worker asks"
    ):
        quota(given={"pods": 1}, max_workers=1)


def test_no_run_at_a_time_is_refused() -> None:
    with pytest.raises(ContractError, match="concurrent_runs is 0, expected a whole number of at least 1"):
        quota(concurrent_runs=0)


SILENT = {"spec": {"containers": [{"name": "log", "image": "log:1"}, {"name": "worker"}]}}


def test_a_container_that_does_not_say_what_it_asks_for_is_refused_where_that_is_counted() -> None:
    with pytest.raises(ContractError) as refusal:
        quota(concurrent_runs=1, worker=SILENT)

    assert "worker_spec.spec.containers[0].resources.requests." in str(refusal.value)
    assert " is missing, expected what that container asks for: the namespace's quota counts it" in str(refusal.value)
    assert quota(given={"pods": 9}, worker=SILENT) == {"pods": 9}


@pytest.mark.parametrize(
    "limits",
    [
        {
            "default_request": {"cpu_millicores": 100, "memory_mib": 64},
            "default": {"cpu_millicores": 9, "memory_mib": 9},
        },
        {"default": {"cpu_millicores": 100, "memory_mib": 64}},
        {"max": {"cpu_millicores": 100, "memory_mib": 64}},
    ],
)
def test_the_namespaces_own_default_is_counted_for_it(limits: Any) -> None:
    made = quota(concurrent_runs=1, worker=SILENT, container_limits=limits)

    assert made["cpu_millicores"] == 260 + 8 * (500 + 100)
    assert made["memory_mib"] == 544 + 8 * (384 + 64)


def test_what_is_counted_is_not_changed() -> None:
    made = templates()
    before = copy.deepcopy(made)

    dask_size.quota(**made, max_workers=2, resources=RESOURCES, concurrent_runs=1)

    assert made == before
