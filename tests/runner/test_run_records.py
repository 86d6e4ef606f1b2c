"""The records of a run in a container: the trailer behind the log, the small file, the artifacts."""

import fcntl
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.outcome import State
from runner.trailer import Record, Splitter
from tests.testbed.runner_process import BEHAVIOURS, FLOWS, Ended, await_file, command, run_flow, started, write_inputs

TRAILER = ("--trailer", "yes")
LIMIT = ("--outcome-limit", "4096")


def split(ended: Ended) -> tuple[bytes, Record]:
    """The flow's output and the record behind it."""
    splitter = Splitter("test-run", 1)
    output = splitter.feed(ended.output) + splitter.rest()
    assert splitter.record is not None
    return output, splitter.record


def proves_its_log(ended: Ended) -> bytes:
    """The flow's output, after a look at what the outcome says of it."""
    output, record = split(ended)
    assert record.outcome.log.sha256 == hashlib.sha256(output).hexdigest()
    return output


@pytest.mark.parametrize(
    ("function", "code"), [("succeed", 0), ("fail", 1), ("print_bytes", 0), ("crash", 139), ("no_such_function", 66)]
)
def test_the_trailer_is_the_whole_outcome_right_behind_the_flows_last_byte(
    tmp_path: Path, function: str, code: int
) -> None:
    plain = run_flow(tmp_path, f"{BEHAVIOURS}:{function}")
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:{function}", options=TRAILER)

    output, record = split(ended)
    assert ended.exit_code == record.outcome.exit_code == code
    assert output == plain.output
    assert ended.output.startswith(output + b"\x1epenstock test-run/1 {")
    assert record.outcome.log.sha256 == hashlib.sha256(output).hexdigest()
    whole = json.loads(ended.output[len(output) :].split(b" ", 2)[2])["outcome"]
    assert whole == ended.outcome


def test_small_artifacts_come_with_the_trailer_and_large_ones_are_listed(tmp_path: Path) -> None:
    (tmp_path / "keep.py").write_text(
        "import os, pathlib\n"
        "def main():\n"
        "    folder = pathlib.Path(os.environ['PENSTOCK_ARTIFACTS'])\n"
        "    (folder / 'plots').mkdir()\n"
        "    (folder / 'plots' / 'ü.png').write_bytes(bytes(range(256)))\n"
        "    (folder / 'large').write_bytes(os.urandom(1024 * 1024))\n"
        "    return 'x' * 300_000\n"
    )

    ended = run_flow(tmp_path, f"{tmp_path}/keep.py:main", options=(*TRAILER, *LIMIT))

    _, record = split(ended)
    folder = tmp_path / "artifacts"
    assert [(item.name, item.path) for item in record.outcome.artifacts] == [
        (name, f"{folder}/{name}") for name in ("large", "plots/ü.png", "result.json")
    ]
    assert dict(record.artifacts) == {
        "plots/ü.png": bytes(range(256)),
        "result.json": b'"%b"' % (b"x" * 300_000),
    }


def test_the_artifact_folder_is_made_where_there_is_none(tmp_path: Path) -> None:
    place = tmp_path / "deep" / "artifacts"

    def elsewhere(words: list[str]) -> list[str]:
        return [str(place) if word == str(tmp_path / "artifacts") else word for word in words]

    ended = run_flow(tmp_path, f"{BEHAVIOURS}:keep_artifacts", wrap=elsewhere)

    assert [item["path"] for item in ended.outcome["artifacts"]] == [
        f"{place}/charts/delays.svg",
        f"{place}/table.csv",
    ]


def test_an_artifact_folder_that_cannot_be_made_is_refused_with_a_record(tmp_path: Path) -> None:
    (tmp_path / "artifacts").write_text("in the way")

    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", options=TRAILER)

    output, record = split(ended)
    assert (ended.exit_code, ended.failure_class) == (69, "config")
    assert output.decode() == f"penstock: {ended.outcome['failure']['message']}\n"
    assert record.outcome.run_id == "test-run"
    proves_its_log(ended)


def test_warnings_of_the_reader_are_part_of_the_log_that_the_outcome_proves(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", environment={"colour": 1}, options=TRAILER)

    assert proves_its_log(ended).decode().splitlines() == [
        "penstock: The environment document has the key colour, which this version of penstock does not know.",
        "working",
    ]
    assert ended.outcome["log"]["lines"] == 2


def test_a_refused_run_has_the_same_records_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "outcome.json").touch()
    file = (tmp_path / "outcome.json").stat().st_ino

    changes = {"colour": 1, "image": "x" * 100, "env": {"A" * 9000: 1}}
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", environment=changes, options=(*TRAILER, *LIMIT))

    assert ended.exit_code == 65
    assert [line.split(" is ")[0] for line in proves_its_log(ended).decode().splitlines()] == [
        "penstock: The environment document has the key colour, which this version of penstock does not know.",
        f"penstock: environment document: env.{'A' * 9000}",
    ]
    assert split(ended)[1].outcome.log.lines == 2
    assert (tmp_path / "outcome.json").stat().st_ino == file
    assert (tmp_path / "outcome.json").stat().st_size <= 4096
    assert (ended.outcome["state"], ended.outcome["partial"], ended.failure_class) == ("failed", True, "config")


def test_the_file_stays_small_and_the_log_has_the_rest(tmp_path: Path) -> None:
    (tmp_path / "outcome.json").touch()
    file = (tmp_path / "outcome.json").stat().st_ino
    (tmp_path / "large.py").write_text("def main():\n    return {'rows': ['row'] * 5000}\n")

    ended = run_flow(tmp_path, f"{tmp_path}/large.py:main", options=(*TRAILER, *LIMIT))

    assert (tmp_path / "outcome.json").stat().st_ino == file
    assert (tmp_path / "outcome.json").stat().st_size <= 4096
    assert (ended.outcome["partial"], ended.outcome["result"], ended.outcome["state"]) == (True, None, "succeeded")
    _, record = split(ended)
    assert (record.outcome.partial, record.outcome.result) == (False, {"rows": ["row"] * 5000})


def test_a_container_that_is_killed_leaves_the_state_running(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with started(tmp_path, f"{BEHAVIOURS}:wait", {"ready": str(ready)}, options=(*TRAILER, *LIMIT)) as runner:
        await_file(ready)
        runner.signal(signal.SIGKILL)
        ended = runner.wait()

    assert (ended.outcome["state"], ended.outcome["exit_code"], ended.output) == ("running", None, b"")


@pytest.mark.parametrize("function", ["wait", "wait_deaf"])
def test_a_container_that_is_stopped_has_its_record_within_the_grace(tmp_path: Path, function: str) -> None:
    ready = tmp_path / "ready"
    grace = {"timeouts": {"grace_seconds": 3}}
    with started(
        tmp_path,
        f"{BEHAVIOURS}:{function}",
        {"ready": str(ready)},
        environment=grace,
        options=(*TRAILER, *LIMIT),
    ) as runner:
        await_file(ready)
        stopped_at = time.monotonic()
        runner.signal(signal.SIGTERM)
        ended = runner.wait()
        took = time.monotonic() - stopped_at

    output, record = split(ended)
    assert took < 3
    assert ended.exit_code == 143
    assert output.splitlines()[-1:] == (
        [b"runner.stop.Terminated: the run was asked to stop"] if function == "wait" else []
    )
    assert record.outcome.state is State.CANCELLED
    assert ended.outcome["state"] == "cancelled"


def runner_on_a_pipe(folder: Path, function: str, stdout: int) -> subprocess.Popen[bytes]:
    write_inputs(folder, f"{BEHAVIOURS}:{function}", {"lines": 3000} if function == "print_much" else {}, {}, {})
    return subprocess.Popen(
        [*command(folder), *TRAILER], cwd=FLOWS, stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.STDOUT
    )


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has pipes of a chosen size")
@pytest.mark.parametrize("blocking", [True, False], ids=["blocking", "non-blocking"])
def test_a_slow_reader_gets_every_byte_and_the_trailer(tmp_path: Path, blocking: bool) -> None:
    """More than a pipe holds; a descriptor that somebody else has made non-blocking loses nothing either."""
    reading, writing = os.pipe()
    fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, 4096)
    os.set_blocking(writing, blocking)
    process = runner_on_a_pipe(tmp_path, "print_much", writing)
    os.close(writing)
    log = bytearray()
    while data := os.read(reading, 777):
        log += data
    os.close(reading)

    assert process.wait(20) == 0
    ended = Ended(exit_code=0, outcome={}, output=bytes(log), folder=tmp_path)
    lines = [f"line {n} of standard {stream}" for n in range(3000) for stream in ("output", "error")]
    assert proves_its_log(ended).decode().splitlines() == lines


def test_a_reader_that_is_gone_costs_neither_the_exit_code_nor_the_file(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = runner_on_a_pipe(tmp_path, "succeed", writing)
    os.close(writing)

    assert process.wait(20) == 0
    assert json.loads((tmp_path / "outcome.json").read_bytes())["state"] == "succeeded"


def test_a_full_disk_costs_neither_the_exit_code_nor_the_file(tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123
        process = runner_on_a_pipe(tmp_path, "succeed", full.fileno())

    assert process.wait(20) == 0
    assert json.loads((tmp_path / "outcome.json").read_bytes())["state"] == "succeeded"
