"""Writing the outcome: whole or not at all, and on a full disk at least how the run ended."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.contract import decode, parse_json
from runner.outcome import Artifact, Failure, FailureClass, Outcome, State
from runner.record import RESERVED_BYTES, write_outcome

RUNNING = Outcome(run_id="r", state=State.RUNNING)
SUCCEEDED = Outcome(run_id="r", state=State.SUCCEEDED, exit_code=0, result="x" * 10_000)
FAILED = Outcome(
    run_id="r",
    state=State.FAILED,
    exit_code=1,
    failure=Failure(failure_class=FailureClass.FLOW, message="ValueError: no", detail="d" * 10_000),
    artifacts=(Artifact(name="a", path="/a"),) * 300,
)


def read(path: Path) -> Outcome:
    return decode(Outcome, parse_json(path.read_bytes(), subject="outcome"), subject="outcome", warn=pytest.fail)


def full_disk(monkeypatch: pytest.MonkeyPatch, *, room: int) -> None:
    """Lets every file have only so many bytes."""
    real = os.write

    def write(fd: int, data: bytes) -> int:
        left = room - os.lseek(fd, 0, os.SEEK_CUR)
        if left <= 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(fd, data[:left])

    monkeypatch.setattr(os, "write", write)


def test_a_record_takes_the_place_of_the_one_before_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "outcome.json"
    for outcome in (RUNNING, SUCCEEDED, FAILED, RUNNING):
        write_outcome(str(path), outcome)
        assert read(path) == outcome
        assert list(tmp_path.iterdir()) == [path]


def test_a_record_is_the_users_own_and_takes_room_for_a_later_one(tmp_path: Path) -> None:
    path = tmp_path / "outcome.json"

    write_outcome(str(path), RUNNING)

    assert path.stat().st_size == RESERVED_BYTES
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.read_bytes().rstrip(b" ").endswith(b"}")


def test_on_a_full_disk_the_outcome_is_written_over_the_one_before_without_what_is_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "outcome.json"
    write_outcome(str(path), RUNNING)
    full_disk(monkeypatch, room=RESERVED_BYTES)

    write_outcome(str(path), SUCCEEDED)

    assert read(path) == Outcome(
        run_id="r",
        state=State.SUCCEEDED,
        exit_code=0,
        result_repr="lost, since it could not be written (No space left on device)",
    )
    assert list(tmp_path.iterdir()) == [path]
    write_outcome(str(path), FAILED)
    assert read(path) == Outcome(
        run_id="r",
        state=State.FAILED,
        exit_code=1,
        failure=Failure(failure_class=FailureClass.FLOW, message="ValueError: no"),
    )
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("unmeasured")
def test_a_real_limit_on_the_size_of_files_ends_in_the_short_record_too(tmp_path: Path) -> None:
    path = tmp_path / "outcome.json"
    write_outcome(str(path), RUNNING)
    program = (
        "import resource, sys\n"
        "from runner.outcome import Outcome, State\n"
        "from runner.record import write_outcome\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({RESERVED_BYTES}, {RESERVED_BYTES}))\n"
        "write_outcome(sys.argv[1], Outcome(run_id='r', state=State.SUCCEEDED, exit_code=0, result='x' * 10_000))\n"
    )

    done = subprocess.run([sys.executable, "-c", program, path], check=True, capture_output=True, text=True)

    assert read(path).exit_code == 0
    assert read(path).result_repr == "lost, since it could not be written (File too large)"
    assert done.stderr == ""


def test_where_nothing_can_be_written_a_sentence_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "gone" / "outcome.json"

    write_outcome(str(path), SUCCEEDED)

    assert capfd.readouterr().err == (
        f"penstock: the outcome could not be written to {path} (No such file or directory).\n"
    )


def test_a_full_disk_without_an_earlier_record_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    full_disk(monkeypatch, room=0)

    write_outcome(str(tmp_path / "outcome.json"), SUCCEEDED)

    assert "No space left on device" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_takes_no_new_files_still_gets_the_short_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "outcome.json"
    write_outcome(str(path), RUNNING)
    real = os.open

    def open_existing(name: str, flags: int, *mode: Any) -> int:
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return real(name, flags, *mode)

    monkeypatch.setattr(os, "open", open_existing)

    write_outcome(str(path), SUCCEEDED)

    assert read(path).state is State.SUCCEEDED
    assert capfd.readouterr().err == ""


def test_a_short_record_that_does_not_fit_leaves_the_one_before_readable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "outcome.json"
    write_outcome(str(path), RUNNING)
    full_disk(monkeypatch, room=RESERVED_BYTES)
    failure = Failure(failure_class=FailureClass.FLOW, message="ü" * 5_000)

    write_outcome(str(path), Outcome(run_id="r", state=State.FAILED, exit_code=1, failure=failure))

    assert json.loads(path.read_bytes())["run_id"] == "r"
