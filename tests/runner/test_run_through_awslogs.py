"""A run whose log goes through Docker's awslogs driver: what the runner's process writes, and what comes back of it."""

import hashlib
import signal
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.awslogs import decoded
from runner.outcome import State
from runner.trailer import Record, Splitter
from tests.testbed.runner_process import BEHAVIOURS, Ended, await_file, run_flow, started

AWSLOGS = ("--trailer", "awslogs")
BUFFER_BYTES = 16 * 1024


@dataclass(frozen=True)
class Read:
    """What a reader of the log's events has found."""

    output: bytes
    records: list[Record]


def read(ended: Ended) -> Read:
    """The log, event by event, as it comes from CloudWatch."""
    splitter, output, records = Splitter("test-run", 1), b"", list[Record]()
    for line in ended.output.removesuffix(b"\n").split(b"\n"):
        assert 0 < len(line) <= BUFFER_BYTES
        output += splitter.feed(decoded(line.decode()))
        record = splitter.record
        if record is not None and (not records or record.outcome != records[-1].outcome):
            records.append(record)
    return Read(output + splitter.rest(), records)


@pytest.mark.parametrize(("function", "code"), [("succeed", 0), ("fail", 1), ("crash", 139), ("no_such_function", 66)])
def test_the_log_begins_with_the_running_state_and_ends_with_the_outcome(
    tmp_path: Path, function: str, code: int
) -> None:
    plain = run_flow(tmp_path, f"{BEHAVIOURS}:{function}")
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:{function}", options=AWSLOGS)

    found = read(ended)
    first, last = (record.outcome for record in found.records)
    assert ended.output.startswith(b"\x1epenstock test-run/1 {")
    assert (first.state, first.exit_code, first.log.lines) == (State.RUNNING, None, 0)
    assert (first.environment, first.flow) == ("test", f"{BEHAVIOURS}:{function}")
    assert ended.exit_code == last.exit_code == code
    assert found.output == plain.output
    assert last.log.sha256 == hashlib.sha256(found.output).hexdigest()


def test_what_a_flow_prints_comes_back_byte_by_byte(tmp_path: Path) -> None:
    """Empty lines, long ones, the mark itself, characters at the cuts, and an end without a newline."""
    text = (
        "\n\nä\n\x1e\nends with \x1e\n" + "🏔" * 20_000 + "\n\r\n  \n" + "x" * 15_360 + "\n" + "y" * 15_361 + "\nno end"
    )
    (tmp_path / "text").write_bytes(text.encode())
    (tmp_path / "show.py").write_text(
        "import os, sys\n"
        "def main(path: str):\n"
        "    data = open(path, 'rb').read()\n"
        "    for start in range(0, len(data), 4093):\n"
        "        os.write(1, data[start : start + 4093])\n"
    )

    ended = run_flow(tmp_path, f"{tmp_path}/show.py:main", {"path": str(tmp_path / "text")}, options=AWSLOGS)

    found = read(ended)
    assert found.output == text.encode()
    last = found.records[-1].outcome
    assert (last.state, last.log.lines) == (State.SUCCEEDED, text.count("\n") + 1)
    assert last.log.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_a_long_record_has_a_short_one_before_it(tmp_path: Path) -> None:
    """The short one is one event, so that a search among the events finds it; the whole one is several."""
    (tmp_path / "keep.py").write_text(
        "import os, pathlib\n"
        "def main():\n"
        "    print('working')\n"
        "    pathlib.Path(os.environ['PENSTOCK_ARTIFACTS'], 'noise').write_bytes(os.urandom(100_000))\n"
        "    return {'rows': ['row'] * 5000}\n"
    )

    ended = run_flow(tmp_path, f"{tmp_path}/keep.py:main", options=AWSLOGS)

    found = read(ended)
    first, short, whole = (record.outcome for record in found.records)
    assert (first.state, short.state, whole.state) == (State.RUNNING, State.SUCCEEDED, State.SUCCEEDED)
    assert (short.partial, short.result, short.log) == (True, None, whole.log)
    assert (whole.partial, whole.result) == (False, {"rows": ["row"] * 5000})
    assert found.records[1].artifacts == {}
    assert found.records[2].artifacts == {"noise": (tmp_path / "artifacts" / "noise").read_bytes()}
    assert found.output == b"working\n"
    begins = [line for line in ended.output.split(b"\n") if line.startswith(b"\x1epenstock test-run/1 {")]
    assert len(begins) == 3
    assert begins[0].endswith(b"}")
    assert begins[1].endswith(b"}")
    assert begins[2].endswith(b"\x1e")


def test_a_run_that_is_killed_leaves_the_state_running_in_its_log(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with started(tmp_path, f"{BEHAVIOURS}:wait", {"ready": str(ready)}, options=AWSLOGS) as runner:
        await_file(ready)
        runner.signal(signal.SIGKILL)
        ended = runner.wait()

    found = read(ended)
    assert [record.outcome.state for record in found.records] == [State.RUNNING]
    assert found.output == b""


def test_a_run_that_is_stopped_has_its_outcome_last(tmp_path: Path) -> None:
    ready = tmp_path / "ready"
    with started(tmp_path, f"{BEHAVIOURS}:wait", {"ready": str(ready)}, options=AWSLOGS) as runner:
        await_file(ready)
        runner.signal(signal.SIGTERM)
        ended = runner.wait()

    assert ended.exit_code == 143
    assert [record.outcome.state for record in read(ended).records] == [State.RUNNING, State.CANCELLED]


def test_a_refused_run_has_its_outcome_alone(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", environment={"kind": "nothing"}, options=AWSLOGS)

    found = read(ended)
    assert ended.exit_code == 65
    assert [record.outcome.state for record in found.records] == [State.FAILED]
    assert found.output.startswith(b"penstock: environment document: kind is ")
    assert found.records[0].outcome.log.sha256 == hashlib.sha256(found.output).hexdigest()


def test_another_word_for_the_trailer_is_refused(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", options=("--trailer", "cloudwatch"))

    assert ended.exit_code == 64
    assert ended.outcome["failure"]["message"] == (
        "The runner was called with --trailer cloudwatch, expected yes or awslogs, or no such option. "
        "Start runs with `penstock run`, which calls it."
    )
