"""The process around the flow: it outlives it, passes on its output, and tells the truth."""

import hashlib
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.testbed.runner_process import BEHAVIOURS, await_file, await_gone, command, run_flow, started, write_inputs

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")


def test_output_passes_through_unchanged(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:print_bytes")

    assert ended.output == b"\x00\xff not text\r\n\x1b[1mbold\x1b[0m no newline at the end"
    assert ended.outcome["log"] == {"lines": 2, "sha256": hashlib.sha256(ended.output).hexdigest()}


def test_every_line_of_much_output_is_there_in_order_and_counted(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:print_much", {"lines": 20_000})

    lines = ended.output.decode().splitlines()
    assert lines == [f"line {n} of standard {stream}" for n in range(20_000) for stream in ("output", "error")]
    assert ended.outcome["log"] == {"lines": 40_000, "sha256": hashlib.sha256(ended.output).hexdigest()}


def test_output_is_not_held_back(tmp_path: Path) -> None:
    ready, go = tmp_path / "ready", tmp_path / "go"
    with started(tmp_path, f"{BEHAVIOURS}:print_slowly", {"ready": str(ready), "go": str(go)}) as runner:
        assert await_file(runner.output) == "first"
        go.touch()
        ended = runner.wait()

    assert ended.output == b"first second\n"


def test_a_flow_that_ignores_signals_is_killed_within_its_grace(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    grace = {"timeouts": {"grace_seconds": 1}}
    with started(tmp_path, f"{BEHAVIOURS}:wait_deaf", {"ready": str(ready)}, environment=grace) as runner:
        flow = int(await_file(ready))
        runner.signal(signal.SIGTERM)
        ended = runner.wait(timeout=5)

    assert ended.exit_code == 143
    assert ended.outcome["state"] == "cancelled"
    assert "was killed, since it had not stopped within its grace" in ended.outcome["failure"]["message"]
    assert await_gone(flow)


def test_a_deadline_is_kept_from_outside(tmp_path: Path) -> None:
    limits = {"timeouts": {"run_seconds": 0.5, "grace_seconds": 1}}
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:wait_deaf", {"ready": str(tmp_path / "ready")}, environment=limits)

    assert ended.exit_code == 124
    assert ended.failure_class == "deadline"
    assert ended.outcome["ledger"]["finished"] < 5


def test_the_time_limit_of_the_request_wins(tmp_path: Path) -> None:
    ended = run_flow(
        tmp_path,
        f"{BEHAVIOURS}:wait",
        {"ready": str(tmp_path / "ready")},
        environment={"timeouts": {"run_seconds": 3600}},
        request={"run_seconds": 0.5},
    )

    assert ended.exit_code == 124


def test_a_flow_that_tidies_up_and_returns_is_still_cancelled(tmp_path: Path) -> None:
    ready, tidied = tmp_path / "ready", tmp_path / "tidied"
    paths = {"ready": str(ready), "tidied": str(tidied)}
    with started(tmp_path, f"{BEHAVIOURS}:wait_and_tidy", paths) as runner:
        await_file(ready)
        runner.signal(signal.SIGTERM)
        ended = runner.wait()

    assert tidied.read_text() == "Terminated"
    assert (ended.exit_code, ended.outcome["state"]) == (143, "cancelled")


def test_what_the_flow_leaves_behind_is_ended(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:leave_a_child", {"pid_file": str(pid_file)})

    assert ended.exit_code == 0
    assert await_gone(int(pid_file.read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can end a process group when its supervisor is killed")
def test_the_flow_does_not_outlive_its_supervisor(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with started(tmp_path, f"{BEHAVIOURS}:wait_deaf", {"ready": str(ready)}) as runner:
        flow = int(await_file(ready))
        runner.signal(signal.SIGKILL)
        runner.process.wait(5)

    assert await_gone(flow)


def test_a_process_that_the_flow_forks_off_ends_nothing(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:fork_and_return")

    assert (ended.exit_code, ended.outcome["result"]) == (0, 12)


def test_a_signal_right_at_the_start_is_not_lost(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with started(tmp_path, f"{BEHAVIOURS}:wait", {"ready": str(ready)}) as runner:
        # The first record says that the supervisor listens; the flow is still being loaded.
        await_file(tmp_path / "outcome.json")
        runner.signal(signal.SIGTERM)
        ended = runner.wait(timeout=10)

    assert (ended.exit_code, ended.outcome["state"]) == (143, "cancelled")


def test_the_record_tells_of_a_run_that_is_under_way(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with started(tmp_path, f"{BEHAVIOURS}:wait", {"ready": str(ready)}) as runner:
        await_file(ready)
        while "flow_called" not in (now := json.loads((tmp_path / "outcome.json").read_bytes()))["ledger"]:
            time.sleep(0.01)  # the supervisor writes it when it gets to it
        runner.signal(signal.SIGTERM)
        runner.wait()

    assert (now["state"], now["exit_code"], sorted(now["ledger"])) == ("running", None, ["flow_called", "started"])


def test_artifacts_are_listed(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:keep_artifacts")

    folder = tmp_path / "artifacts"
    assert ended.outcome["artifacts"] == [
        {"name": "charts/delays.svg", "path": f"{folder}/charts/delays.svg"},
        {"name": "table.csv", "path": f"{folder}/table.csv"},
    ]


@pytest.mark.usefixtures("unmeasured")
def test_a_full_disk_costs_neither_the_exit_code_nor_the_outcome(tmp_path: Path) -> None:
    def limit_files_to_4_kib(words: list[str]) -> list[str]:
        limit = "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))"
        script = f"import resource, os, sys; {limit}; os.execv(sys.argv[1], sys.argv[1:])"
        return [sys.executable, "-c", script, *words]

    ended = run_flow(tmp_path, f"{BEHAVIOURS}:print_much", {"lines": 2_000}, wrap=limit_files_to_4_kib)

    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    assert (ended.exit_code, ended.outcome["state"]) == (0, "succeeded")
    assert ended.outcome["log"]["lines"] == 4_000
    assert len(ended.output) <= 4096


@pytest.mark.usefixtures("unmeasured")
def test_the_supervisor_stays_small(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with started(tmp_path, f"{BEHAVIOURS}:wait", {"ready": str(ready)}) as runner:
        await_file(ready)
        status = Path(f"/proc/{runner.process.pid}/status").read_text()
        runner.signal(signal.SIGTERM)
        runner.wait()

    resident_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert resident_kib < 15 * 1024


@pytest.mark.root
@needs_root
@pytest.mark.skipif(shutil.which("unshare") is None, reason="needs unshare, of util-linux")
def test_as_pid_1_it_reaps_orphans(tmp_path: Path) -> None:
    ended = run_flow(
        tmp_path,
        f"{BEHAVIOURS}:zombies",
        {"count": 5},
        wrap=lambda words: ["unshare", "--pid", "--fork", "--mount-proc", *words],
    )

    assert (ended.exit_code, ended.outcome["result"]) == (0, 0)


def _memory_cgroup(name: str, limit: int) -> Path:
    """A memory cgroup, of version 2 or 1, whichever the machine has."""
    root = Path("/sys/fs/cgroup")
    if (root / "cgroup.controllers").exists():
        group, file = root / name, "memory.max"
        if "memory" not in (root / "cgroup.subtree_control").read_text().split():
            (root / "cgroup.subtree_control").write_text("+memory")
    else:
        group, file = root / "memory" / name, "memory.limit_in_bytes"
    group.mkdir()
    (group / file).write_text(str(limit))
    return group


@pytest.mark.root
@needs_root
def test_an_out_of_memory_kill_is_told_apart(tmp_path: Path) -> None:
    try:
        group = _memory_cgroup(f"penstock-test-{os.getpid()}", 200 * 1024 * 1024)
    except OSError as error:
        pytest.skip(f"no memory cgroup can be made here: {error}")
    try:
        join = f'echo $$ > {group}/cgroup.procs; exec "$@"'
        ended = run_flow(tmp_path, f"{BEHAVIOURS}:fill_memory", wrap=lambda words: ["sh", "-c", join, "sh", *words])
    finally:
        group.rmdir()

    assert (ended.exit_code, ended.failure_class) == (137, "oom")
    assert ended.outcome["failure"]["message"] == (
        "The kernel killed the flow's process because its memory was used up."
    )


def test_without_files_for_its_records_it_only_runs(tmp_path: Path) -> None:
    write_inputs(tmp_path, f"{BEHAVIOURS}:succeed", {}, {}, {})
    words = command(tmp_path)[: command(tmp_path).index("--outcome")]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=20, check=False)

    assert (done.returncode, done.stdout) == (0, b"working\n")
    assert not (tmp_path / "outcome.json").exists()


@pytest.mark.parametrize("moment", [0.0, 0.01, 0.02, 0.03, 0.05, 0.08])
def test_a_signal_that_comes_while_the_runner_starts_is_not_lost(tmp_path: Path, moment: float) -> None:
    with started(tmp_path, f"{BEHAVIOURS}:wait", {"ready": str(tmp_path / "ready")}) as runner:
        status = Path(f"/proc/{runner.process.pid}/status")
        # Python's own start is nobody's to protect; from then on both signals are blocked or handled.
        while not _minds(status, signal.SIGTERM):
            time.sleep(0.001)  # another process has no event for that
        time.sleep(moment)  # the moment that is tried
        runner.signal(signal.SIGTERM)
        ended = runner.wait()

    assert (ended.exit_code, ended.failure_class) == (143, "cancelled")


def _minds(status: Path, number: signal.Signals) -> bool:
    """Whether a process blocks or handles a signal."""
    masks = [line.split() for line in status.read_text().splitlines() if line.startswith(("SigBlk", "SigCgt"))]
    return any(int(mask, 16) >> (number - 1) & 1 for _, mask in masks)
