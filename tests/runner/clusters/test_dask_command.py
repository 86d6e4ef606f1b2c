"""The commands of dask-cloudprovider in the words of the Dask that is installed, which has to know every option."""

from collections.abc import Sequence

import click
import pytest
from distributed.cli import dask_scheduler, dask_worker

from runner.clusters import dask_command

SCHEDULER = "tls://10.0.0.4:8786"
ADDED = (
    *("--host", "10.0.0.7", "--worker-port", "8788", "--memory-limit", "2000MiB"),
    *("--dashboard-address", "127.0.0.1:0", "--local-directory", "/scratch"),
)
END = ("--no-nanny", "--no-dashboard", "--preload", "runner.clusters.task_worker")
WRITTEN = ("dask-worker", SCHEDULER, "--name", "3", "--nthreads", "2", "--memory-limit", "1GB", "--death-timeout", "60")
"""As dask-cloudprovider writes it for a worker of 2,000 MiB."""
KEPT = (SCHEDULER, "--name", "3", "--nthreads", "2", "--death-timeout", "60")


def translated(
    command: Sequence[str], *, address: str = "10.0.0.7", memory_mib: int = 2000, dashboard: bool = False
) -> tuple[str, ...]:
    return dask_command.translated(
        command, address=address, folder="/scratch", memory_mib=memory_mib, port=8786, dashboard=dashboard
    )


def parsed(command: Sequence[str]) -> dict[str, object]:
    """What the installed Dask understands; a click error where it knows an option not, or one has no value."""
    main: click.Command = {"worker": dask_worker.main, "scheduler": dask_scheduler.main}[command[1]]
    assert command[0] == "dask"
    return dict(main.make_context("dask", list(command[2:])).params)


@pytest.mark.parametrize("command", [WRITTEN, ("dask-scheduler",)], ids=["worker", "scheduler"])
def test_an_option_that_dask_does_not_know_is_noticed_here(command: tuple[str, ...]) -> None:
    with pytest.raises(click.UsageError):
        parsed([*translated(command), "--no-such-option"])


@pytest.mark.parametrize("program", [("dask-worker",), ("dask", "worker")], ids=["old", "new"])
def test_a_worker_in_old_words_and_in_new(program: tuple[str, ...]) -> None:
    command = translated((*program, *WRITTEN[1:]))

    assert command == ("dask", "worker", *KEPT, *ADDED, *END)
    said = parsed(command)
    assert (said["scheduler"], said["name"], said["nthreads"], said["nanny"]) == (SCHEDULER, "3", 2, False)
    assert (said["host"], said["worker_port"], said["local_directory"]) == ("10.0.0.7", "8788", "/scratch")
    assert (said["memory_limit"], said["dashboard"], said["dashboard_address"]) == ("2000MiB", False, "127.0.0.1:0")
    assert said["preload"] == ("runner.clusters.task_worker",)


def test_a_memory_limit_below_one_gib_is_none_of_zero() -> None:
    written = [*WRITTEN[:-4], "--memory-limit", "0GB", "--death-timeout", "60"]

    command = translated(written, memory_mib=512)

    assert parsed(command)["memory_limit"] == "512MiB"
    assert "0GB" not in command


USERS: list[tuple[tuple[str, ...], dict[str, object]]] = [
    (("--memory-limit", "300MiB"), {"memory_limit": "300MiB"}),
    (("--memory-limit=300MiB",), {"memory_limit": "300MiB"}),
    (("--worker-port", "9000"), {"worker_port": "9000"}),
    (("--worker-port=9000:9009",), {"worker_port": "9000:9009"}),
    (("--local-directory", "/data"), {"local_directory": "/data"}),
    (("--dashboard-address", ":8790"), {"dashboard_address": ":8790"}),
    (("--host", "0.0.0.0"), {"host": "0.0.0.0"}),  # noqa: S104 a user may
    (("--nanny",), {"nanny": True}),
    (("--no-nanny",), {"nanny": False}),
    (("--dashboard",), {"dashboard": True}),
    (("--interface", "eth1"), {"interface": "eth1", "host": None}),
    (("--listen-address", "tls://0.0.0.0:9000"), {"host": None, "worker_port": None}),
    (("--resources", "memory=2"), {"resources": "memory=2"}),
    (("--preload", "json"), {"preload": ("json", "runner.clusters.task_worker")}),
    (("--lifetime", "1 hour", "--lifetime-stagger", "5 minutes"), {"lifetime": "1 hour"}),
]


@pytest.mark.parametrize(("extra", "expected"), USERS, ids=[" ".join(extra) for extra, _ in USERS])
def test_what_the_user_says_of_a_worker_stays(extra: tuple[str, ...], expected: dict[str, object]) -> None:
    said = parsed(translated((*WRITTEN, *extra)))

    assert {name: said[name] for name in expected} == expected


def test_an_ipv6_address_is_in_brackets() -> None:
    assert parsed(translated(WRITTEN, address="fd00::7"))["host"] == "[fd00::7]"


@pytest.mark.parametrize("program", [("dask-cuda-worker",), ("dask", "cuda", "worker")], ids=["old", "new"])
def test_a_worker_with_gpus_has_an_address_and_no_memory_limit(program: tuple[str, ...]) -> None:
    command = translated((*program, *WRITTEN[1:], "--device-memory-limit", "8GB"))

    assert command == (
        *("dask", "cuda", "worker", *KEPT, "--device-memory-limit", "8GB"),
        *("--host", "10.0.0.7", "--local-directory", "/scratch"),
    )


@pytest.mark.parametrize("program", [("dask-scheduler",), ("dask", "scheduler")], ids=["old", "new"])
@pytest.mark.parametrize("dashboard", [True, False])
def test_a_scheduler_in_old_words_and_in_new(program: tuple[str, ...], dashboard: bool) -> None:
    command = translated((*program, "--idle-timeout", "300 seconds"), dashboard=dashboard)

    seen = "127.0.0.1:8787" if dashboard else "127.0.0.1:0"
    assert command == (
        *("dask", "scheduler", "--idle-timeout", "300 seconds", "--host", "10.0.0.7", "--port", "8786"),
        *("--dashboard-address", seen, *([] if dashboard else ["--no-dashboard"])),
    )
    said = parsed(command)
    assert (said["port"], said["idle_timeout"], said["dashboard"]) == ("8786", "300 seconds", dashboard)


def test_what_the_user_says_of_a_scheduler_stays() -> None:
    extra = ("--port", "9786", "--dashboard-address", ":9787", "--preload", "json", "--dashboard")

    said = parsed(translated(("dask-scheduler", "--idle-timeout", "5 minutes", *extra)))

    assert (said["port"], said["dashboard_address"], said["preload"]) == ("9786", ":9787", ("json",))
    assert said["dashboard"] is True


@pytest.mark.parametrize(
    "command",
    [
        (),
        ("python3", "-m", "mine", "--memory-limit", "1GB"),
        ("dask",),
        ("dask", "spec", "--host", "x"),
        ("sleep", "1"),
    ],
)
def test_other_commands_are_left_as_they_are(command: tuple[str, ...]) -> None:
    assert translated(command) == command


@pytest.mark.parametrize(
    ("command", "rest", "name"),
    [
        (WRITTEN, ("dask-worker", SCHEDULER, *WRITTEN[4:]), "3"),
        (("mine", "--name", "7"), ("mine",), "7"),
        (("mine", "--named", "7"), ("mine", "--named", "7"), None),
        ((), (), None),
    ],
)
def test_the_name_of_a_worker_is_taken_out_of_its_command(
    command: tuple[str, ...], rest: tuple[str, ...], name: str | None
) -> None:
    assert dask_command.without_name(command) == (rest, name)


def test_commands_of_different_workers_are_the_same_without_their_names() -> None:
    commands = [(*WRITTEN[:3], str(number), *WRITTEN[4:]) for number in range(12)]

    assert len({dask_command.without_name(command)[0] for command in commands}) == 1
    assert [dask_command.without_name(command)[1] for command in commands] == [str(number) for number in range(12)]
