"""The entry point of Dask's workers and schedulers in real tasks: what it refuses, and what it becomes."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cloudpickle
import pytest
from distributed import Client

from runner.clusters import tls
from runner.clusters.entry import INPUT_VARIABLE
from runner.clusters.versions import own_versions
from runner.worker_mark import mark
from tests.runner.clusters.entry_tasks import EntryTask, start, stored, told
from tests.testbed.aws.handle import Aws
from tests.testbed.dask_on_ecs import DaskPlace, dask_place

pytestmark = [pytest.mark.aws, pytest.mark.dask, pytest.mark.timeout(120)]
COMMAND = ("dask-worker", "tls://127.0.0.1:1", "--name", "3", "--nthreads", "1", "--memory-limit", "0GB")


@pytest.fixture
def place(aws: Aws) -> Iterator[DaskPlace]:
    with dask_place(aws, 2, scheduler_task=True) as place:
        yield place


@pytest.mark.long
def test_keys_that_are_gone_are_one_sentence(place: DaskPlace) -> None:
    name = f"{place.section.secrets_prefix}{'0' * 32}"

    code, (line,) = start(place, COMMAND, told(place, keys=name)).await_end()

    assert code == 65
    assert line == (
        f"penstock: the secret with the run's keys is not in Secrets Manager as {name}, expected there for as long as "
        "the run goes on. Start the run again; it has ended, or somebody has deleted it."
    )


def test_keys_of_others_are_denied_in_one_sentence(place: DaskPlace) -> None:
    code, (line,) = start(place, COMMAND, told(place, keys="penstock/other/keys")).await_end()

    assert code == 69
    assert line.startswith("penstock: AWS does not allow secretsmanager:GetSecretValue (User: arn:aws:sts:")


def test_other_versions_are_one_sentence(place: DaskPlace) -> None:
    versions = {**own_versions(), "distributed": "0.1"}

    code, (line,) = start(place, COMMAND, told(place, versions=versions)).await_end()

    assert code == 65
    assert line.startswith("penstock: ")
    assert f"distributed {own_versions()['distributed']} instead of 0.1" in line


@pytest.mark.parametrize("command", [("no-such-program", "x"), ()], ids=["unknown", "none"])
def test_a_command_that_is_not_there_is_one_sentence(place: DaskPlace, command: tuple[str, ...]) -> None:
    code, (line,) = start(place, command, told(place)).await_end()

    assert code == 65
    assert line.startswith(f"penstock: the command {list(command)} cannot be started (")


@pytest.mark.long
@pytest.mark.parametrize("extra", [("--no-such-option", "x"), ("--nthreads", "many")], ids=["option", "value"])
def test_arguments_that_dask_does_not_take_are_one_sentence(place: DaskPlace, extra: tuple[str, ...]) -> None:
    code, (line,) = start(place, (*COMMAND, *extra), told(place)).await_end()

    assert code == 65
    assert line.startswith("penstock: `dask worker tls://127.0.0.1:1 --name 3 --nthreads 1 ")
    assert " ".join(extra) in line
    assert line.endswith("). Correct worker_extra_args of the stack.")


def test_who_is_told_nothing_says_so(place: DaskPlace) -> None:
    code, (line,) = start(place, COMMAND, None).await_end()

    assert code == 65
    assert f"is not in the environment variable {INPUT_VARIABLE}" in line


def test_another_command_takes_its_place_and_is_told_what_it_needs(place: DaskPlace) -> None:
    script = "echo $DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION $DASK_DISTRIBUTED__SCHEDULER__WORK_STEALING; exit 7"
    shown = f"echo ${INPUT_VARIABLE}; cat $DASK_DISTRIBUTED__COMM__TLS__CA_FILE | head -1; {script}"
    name, _ = stored(place)

    assert start(place, ("sh", "-c", shown), told(place, keys=name)).await_end() == (
        7,
        ["-----BEGIN CERTIFICATE-----", "true False"],  # CloudWatch has no empty lines
    )


def seen(word: str, *, dask_worker: Any) -> dict[str, Any]:
    """What a process in a worker's container sees of the run's keys, and of what the worker was told."""
    import dask

    places = [Path(os.environ["HOME"]), Path(os.environ["TMPDIR"]), Path.cwd(), Path("/dev/shm")]
    files = [file for place in places for file in place.rglob("*") if file.is_file()]
    return {
        "number": dask_worker.name,
        "files": [str(file) for file in files if word.encode() in file.read_bytes()],
        "argv": word in Path("/proc/self/cmdline").read_text(),
        "environ": word in Path("/proc/self/environ").read_text() or word in str(dict(os.environ)),
        "told": INPUT_VARIABLE in os.environ or "run_id" in Path("/proc/self/environ").read_text(),
        "memory": dask_worker.memory_manager.memory_limit,
        "routes": dask.config.get("distributed.worker.http.routes"),
        "folder": dask_worker.local_directory.startswith(os.environ["TMPDIR"]),
        "encrypted": dask_worker.address.startswith("tls://"),
        "port": dask_worker.address.rpartition(":")[2],
        "nanny": dask_worker.nanny,
    }


def stealing(dask_scheduler: Any) -> tuple[bool, list[str]]:
    import dask

    return "stealing" in dask_scheduler.extensions, dask.config.get("distributed.scheduler.http.routes")


def cluster(place: DaskPlace, keys: str | None) -> tuple[EntryTask, EntryTask, str]:
    """A scheduler and a worker, and the scheduler's address."""
    given = told(place, keys=keys)
    scheduler = start(place, ("dask-scheduler", "--idle-timeout", "300 seconds"), given, scheduler=True)
    address = f"{'tcp' if keys is None else 'tls'}://{scheduler.await_up()}:8786"
    worker = start(place, ("dask-worker", address, *COMMAND[2:], "--death-timeout", "60"), given)
    return scheduler, worker, address


@pytest.fixture
def by_value() -> Iterator[None]:
    """Functions of this file reach workers that do not have it."""
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.mark.usefixtures("by_value")
@pytest.mark.parametrize("encrypted", [True, False])
def test_a_scheduler_and_a_worker_find_each_other_and_show_nothing(place: DaskPlace, encrypted: bool) -> None:
    name, keys = stored(place)
    word = keys.partition("-----BEGIN PRIVATE KEY-----")[2].splitlines()[1]
    scheduler, worker, address = cluster(place, name if encrypted else None)
    security = tls.security(keys) if encrypted else None
    with Client(address, security=security, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=30)
        (found,) = client.run(seen, word).values()
        settings = client.run_on_scheduler(stealing)
    worker.stop()
    scheduler.stop()

    assert found == {
        "number": 3,
        "files": [],
        "argv": False,
        "environ": False,
        "told": False,
        "memory": 512 * 2**20,
        "routes": [],
        "folder": True,
        "encrypted": encrypted,
        "port": "8788",
        "nanny": None,
    }
    assert settings == (False, [])


def test_a_worker_that_its_scheduler_closes_ends_in_peace(place: DaskPlace) -> None:
    scheduler, worker, address = cluster(place, None)
    with Client(address, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(1, timeout=30)
        client.retire_workers()
        ended = worker.await_end()
    scheduler.stop()

    assert ended == (0, [mark("the-run", 1, 3)])


@pytest.mark.long
def test_a_worker_that_is_taken_away_hands_over_and_one_without_a_scheduler_ends(place: DaskPlace) -> None:
    scheduler, worker, address = cluster(place, None)
    other = start(place, ("dask-worker", address, "--name", "4", "--nthreads", "1"), told(place))
    with Client(address, timeout=30, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=30)
        (first,) = (at for at, info in client.scheduler_info()["workers"].items() if info["name"] == 3)
        held = client.submit(lambda: 41 + 1, workers=[first], allow_other_workers=True, pure=False)
        assert held.result(30) == 42
        worker.stop()
        assert worker.await_end()[0] == 143
        assert held.result(10) == 42
        del held
    os.kill(place.aws.processes(scheduler.id)["dask-scheduler"], 9)

    assert other.await_end()[0] == 69
