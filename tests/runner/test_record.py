"""Writing the outcome: whole or not at all, and on a full disk at least how the run ended."""

import errno
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.contract import decode, parse_json, read_document
from runner.outcome import SCHEMA_VERSION, Artifact, Failure, FailureClass, Outcome, State
from runner.record import RESERVED_BYTES, write_outcome
from runner.trailer import shortened

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


def test_a_small_record_is_changed_in_place_and_never_larger_than_the_platform_keeps(tmp_path: Path) -> None:
    path = tmp_path / "termination-log"
    path.touch(0o666)
    file = path.stat().st_ino

    sizes = []
    for outcome in (RUNNING, SUCCEEDED, FAILED, RUNNING):
        write_outcome(str(path), outcome, limit=4096)
        sizes.append(path.stat().st_size)
        assert read(path) == shortened(outcome, 4096)
        assert list(tmp_path.iterdir()) == [path]

    assert path.stat().st_ino == file
    assert sizes[0] < 500
    assert sizes[0] < sizes[1] < sizes[2] == sizes[3] <= 4096


def test_a_short_record_over_a_longer_one_is_read_like_any_document(tmp_path: Path) -> None:
    path = tmp_path / "termination-log"
    write_outcome(str(path), FAILED, limit=4096)
    write_outcome(str(path), RUNNING, limit=4096)

    data = path.read_bytes()

    assert data.endswith(b"   ")
    found = read_document(Outcome, data.decode(), version=SCHEMA_VERSION, subject="outcome", warn=pytest.fail)
    assert found == RUNNING


def test_a_small_record_takes_the_place_of_anything_longer_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "termination-log"
    path.write_bytes(b"x" * 10_000)

    write_outcome(str(path), RUNNING, limit=2048)

    assert path.stat().st_size == 2048
    assert read(path) == RUNNING


def test_a_small_record_is_made_where_there_is_no_file(tmp_path: Path) -> None:
    write_outcome(str(tmp_path / "outcome"), RUNNING, limit=1024)

    assert read(tmp_path / "outcome") == RUNNING


def test_a_small_record_that_cannot_be_written_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_outcome(str(tmp_path / "gone" / "outcome"), RUNNING, limit=4096)

    assert capfd.readouterr().err == (
        f"penstock: the outcome could not be written to {tmp_path}/gone/outcome (No such file or directory).\n"
    )


@pytest.mark.usefixtures("unmeasured")
def test_a_small_record_is_whole_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    path = tmp_path / "termination-log"
    program = (
        "import sys\n"
        "from runner.outcome import Outcome, State\n"
        "from runner.record import write_outcome\n"
        "for number in range(10 ** 9):\n"
        "    outcome = Outcome(run_id='r', state=State.RUNNING, result='x' * (number % 5000))\n"
        "    write_outcome(sys.argv[1], outcome, limit=4096)\n"
        "    if number == int(sys.argv[2]):\n"
        "        print(flush=True)\n"
    )
    for moment in range(100, 900, 100):
        with subprocess.Popen([sys.executable, "-c", program, path, str(moment)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            writer.kill()
        assert read(path).run_id == "r"


@pytest.mark.root
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("unshare") is None, reason="needs root and unshare, of util-linux"
)
def test_a_small_record_is_written_through_a_mount(tmp_path: Path) -> None:
    """As in a container: the kubelet's file is mounted over one of the container's, so it cannot be replaced."""
    kubelets, containers = tmp_path / "kubelets", tmp_path / "termination-log"
    kubelets.touch()
    containers.touch()
    program = (
        "import sys\n"
        "from runner.outcome import Outcome, State\n"
        "from runner.record import write_outcome\n"
        "for state in (State.RUNNING, State.SUCCEEDED):\n"
        "    write_outcome(sys.argv[1], Outcome(run_id='r', state=state, result='x' * 9000), limit=4096)\n"
    )
    words = ["unshare", "--mount", "sh", "-ec", 'mount --bind "$1" "$2"; exec "$3" -c "$4" "$2"', "sh"]

    done = subprocess.run(
        [*words, kubelets, containers, sys.executable, program], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert (read(kubelets).state, read(kubelets).partial) == (State.SUCCEEDED, True)
    assert containers.read_bytes() == b""
