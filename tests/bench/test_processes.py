import os
import sys
from pathlib import Path

import pytest

from tests.bench.processes import (
    Command,
    MeasurementError,
    clean_variables,
    interleaved,
    seconds_to_end,
    started,
    timed,
)
from tests.bench.runner_section import memory_of, parse_memory
from tests.testbed.runner_process import await_gone


def python(code: str, folder: Path) -> Command:
    return Command(words=(sys.executable, "-c", code), folder=folder, variables=clean_variables(os.environ))


def test_contenders_take_turns_and_every_other_round_goes_backwards() -> None:
    calls: list[str] = []

    def contender(name: str) -> int:
        calls.append(name)
        return len(calls)

    results = interleaved([lambda: contender("a"), lambda: contender("b")], rounds=3, warm_up=1)
    assert "".join(calls) == "ab" + "ab" + "ba" + "ab"
    assert results == [[3, 6, 7], [4, 5, 8]]


def test_variables_that_change_how_python_starts_are_left_out() -> None:
    inherited = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": "/x", "PENSTOCK_ENVIRONMENT": "/y", "PATH": "/bin"}
    assert clean_variables(inherited) == {"PATH": "/bin"}


def test_the_line_is_seen_when_it_is_printed_and_not_at_the_end(tmp_path: Path) -> None:
    times = timed(python("import time; print('now', flush=True); time.sleep(0.4)", tmp_path))
    # The program sleeps longer than that, since whoever reads the line may be late by a moment.
    assert 0 < times.line <= times.end - 0.3


def test_the_marker_is_awaited_on_stderr_too(tmp_path: Path) -> None:
    code = "import sys, time; print('first', flush=True); time.sleep(0.2); print('second', file=sys.stderr, flush=True)"
    assert timed(python(code, tmp_path), marker=b"second").line >= 0.2


def test_a_command_that_fails_is_told_with_its_last_words(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match=r"(?s)exit code 3.*no luck"):
        seconds_to_end(python("import sys; print('no luck'); sys.exit(3)", tmp_path))


def test_a_command_that_prints_nothing_is_no_measurement(tmp_path: Path) -> None:
    with pytest.raises(MeasurementError, match="never printed"):
        timed(python("pass", tmp_path))
    assert seconds_to_end(python("pass", tmp_path)) > 0


def test_what_is_still_up_is_ended_with_its_children(tmp_path: Path) -> None:
    code = "import subprocess as s; print(s.Popen(['sleep', '60']).pid, flush=True); s.os.wait()"
    with started(python(code, tmp_path)) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
    assert process.returncode is not None
    assert await_gone(child)


def test_memory_is_read_from_the_kernel(tmp_path: Path) -> None:
    assert parse_memory("header\nRss:            1000 kB\nPss:             500 kB\nPss_Dirty:   9 kB\n") == {
        "Rss": 1.024,
        "Pss": 0.512,
    }
    memory = memory_of(python("import time; print('up', flush=True); time.sleep(60)", tmp_path))
    assert 1 < memory["Pss"] <= memory["Rss"] < 100
