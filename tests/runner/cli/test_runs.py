"""The verbs about runs that there are: ls, describe, logs, cancel, retry, gc."""

import hashlib
import os
import signal
import time
from pathlib import Path

import pytest

from runner.launch.local import LocalLauncher
from runner.launch.run_directory import RunDirectory
from tests.runner.cli.conftest import Penstock, start
from tests.testbed.runner_process import await_file

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def ended(penstock: Penstock) -> str:
    penstock("run", "behaviours.py:fail", "--run-id", "broken")
    penstock("run", "behaviours.py:print_much", "-p", "lines=50", "--run-id", "wordy")
    return "wordy"


def test_ls(penstock: Penstock, ended: str) -> None:
    rows = [line.split() for line in penstock("ls").out.splitlines()]

    assert rows[0] == ["RUN", "STATE", "EXIT", "ENVIRONMENT", "FLOW", "ACCEPTED", "TOOK"]
    assert rows[1][:5] == ["wordy", "succeeded", "0", "here", "behaviours.py:print_much"]
    assert rows[2][:6] == ["broken", "failed", "(flow)", "1", "here", "behaviours.py:fail"]


def test_ls_json_is_a_list_of_outcomes_without_result_and_log(penstock: Penstock, ended: str) -> None:
    listed = penstock("ls", "--json").json
    whole = penstock("describe", "broken", "--json").json

    assert [item["run_id"] for item in listed] == ["wordy", "broken"]
    assert listed[1] == {key: value for key, value in whole.items() if key not in {"result", "result_repr", "log"}}


def test_ls_filters(penstock: Penstock, ended: str) -> None:
    def names(*words: str) -> list[str]:
        return [item["run_id"] for item in penstock("ls", "--json", *words).json]

    assert names("--state", "failed") == ["broken"]
    assert names("--env", "elsewhere") == []
    assert names("-n", "1") == ["wordy"]
    assert penstock("ls", "-n", "1").err == "1 older runs are not shown; -n 0 shows all.\n"


def test_ls_of_nothing(penstock: Penstock) -> None:
    assert penstock("ls").err == "No runs. `penstock run FLOW` starts one.\n"
    assert penstock("ls", "-o", "json").json == []


def test_describe(penstock: Penstock, ended: str) -> None:
    text = penstock("describe", "broken").out

    assert text.splitlines()[0].startswith("broken in here: failed [flow], exit code 1 after ")
    assert "\n  ValueError: the input is empty\n" in text
    assert "\n  flow       behaviours.py:fail\n" in text
    assert "\n  log        " in text
    assert "Traceback (most recent call last):" in text


def test_describe_a_run_under_way(penstock: Penstock, tmp_path: Path) -> None:
    penstock("run", "behaviours.py:wait", "--run-id", "one", "-p", f"ready={tmp_path}/ready", "--detach")
    await_file(tmp_path / "ready")
    described = penstock("describe", "one", "--json").json
    penstock("cancel", "one")

    assert (described["state"], described["exit_code"], described["failure"]) == ("running", None, None)
    assert list(described["ledger"]) == ["flow_called", "started"]


@pytest.mark.parametrize("verb", ["describe", "logs", "cancel", "retry"])
def test_a_run_that_there_is_not(penstock: Penstock, verb: str) -> None:
    done = penstock(verb, "nobody")

    assert done.code == 64
    assert done.err == "penstock: There is no run 'nobody' on this machine. `penstock ls` lists those that there are.\n"


@pytest.mark.parametrize("name", ["../runs/wordy", "..", "a/b", ".hidden", ""])
def test_a_run_id_cannot_be_a_path(penstock: Penstock, name: str, ended: str) -> None:
    assert penstock("describe", name).code == 64


def test_logs(penstock: Penstock, ended: str) -> None:
    whole = penstock("logs", ended).out
    described = penstock("describe", ended, "--json").json

    assert hashlib.sha256(whole.encode()).hexdigest() == described["log"]["sha256"]
    assert penstock("logs", ended, "--tail", "3").out.splitlines() == whole.splitlines()[-3:]
    assert penstock("logs", ended, "--tail", "3", "-f").out.splitlines() == whole.splitlines()[-3:]
    assert penstock("logs", ended, "--json").json == {"run_id": ended, "log": whole}
    assert penstock("logs", ended, "--tail", "many").code == 64


def test_logs_follow_from_another_terminal(penstock: Penstock, tmp_path: Path) -> None:
    paths = ["-p", f"ready={tmp_path}/ready", "-p", f"go={tmp_path}/go"]
    penstock("run", "behaviours.py:print_slowly", "--run-id", "one", "--detach", *paths)
    with start("logs", "one", "-f") as follower:
        assert follower.stdout is not None
        assert follower.stdout.read(5) == "first"
        (tmp_path / "go").touch()
        out, _ = follower.communicate(timeout=20)

    assert (follower.returncode, out) == (0, " second\n")


def test_an_interrupt_of_logs_leaves_the_run(penstock: Penstock, tmp_path: Path) -> None:
    penstock("run", "behaviours.py:wait", "--run-id", "one", "-p", f"ready={tmp_path}/ready", "--detach")
    await_file(tmp_path / "ready")
    with start("logs", "one", "-f") as follower:
        while "logs" not in Path(f"/proc/{follower.pid}/cmdline").read_text():
            pass
        follower.send_signal(signal.SIGINT)
        follower.communicate(timeout=20)

    assert penstock("describe", "one", "--json").json["state"] == "running"
    assert penstock("cancel", "one", "--json").json["exit_code"] == 143


def test_cancel(penstock: Penstock, tmp_path: Path) -> None:
    penstock("run", "behaviours.py:wait", "--run-id", "one", "-p", f"ready={tmp_path}/ready", "--detach")
    await_file(tmp_path / "ready")
    first = penstock("cancel", "one")
    second = penstock("cancel", "one")

    assert first.code == second.code == 0
    assert "one in here: cancelled [cancelled], exit code 143" in first.err
    assert "it had ended before" in second.err


def test_cancel_leaves_a_run_that_succeeded(penstock: Penstock, ended: str) -> None:
    assert penstock("cancel", ended, "--json").json["state"] == "succeeded"


def test_retry(penstock: Penstock, ended: str) -> None:
    done = penstock("retry", "broken")
    outcome = penstock("describe", "broken", "--json").json

    assert done.code == 1
    assert "attempt 2 of broken" in done.err
    assert (outcome["attempt"], outcome["exit_code"]) == (2, 1)
    assert len(penstock("ls", "--json").json) == 2


def test_earlier_attempts_can_be_looked_at(penstock: Penstock, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text("import os\ndef main(): print('attempt', os.environ['PENSTOCK_ATTEMPT'])")
    penstock("run", "flow.py:main", "--run-id", "one", cwd=tmp_path)
    penstock("retry", "one", cwd=tmp_path)

    assert penstock("logs", "one", "--attempt", "1").out == "attempt 1\n"
    assert penstock("logs", "one").out == "attempt 2\n"
    assert penstock("describe", "one", "--attempt", "1", "--json").json["attempt"] == 1
    assert penstock("logs", "one", "--attempt", "3").err == "penstock: The run one has no attempt 3. It has had 2.\n"
    assert penstock("logs", "one", "--attempt", "1", "-f").code == 64


@pytest.mark.parametrize("damage", ["environment.json", "attempts/1/request.json", "attempts/1/outcome.json"])
@pytest.mark.parametrize("text", [None, "nonsense"])
def test_damaged_records_hide_no_others(
    penstock: Penstock, ended: str, state_home: Path, damage: str, text: str | None
) -> None:
    file = state_home / "penstock" / "runs" / "broken" / damage
    file.unlink()
    if text is not None:
        file.write_text(text)
    _age("wordy", 100)

    listed = {item["run_id"]: item["state"] for item in penstock("ls", "--json").json}
    collected = penstock("gc", "--json").json

    assert listed["wordy"] == "succeeded"
    assert listed["broken"] in {"unknown", "queued", "failed"}
    assert "broken" not in collected["removed"]
    assert penstock("describe", "broken").code in {0, 65}


def _age(run_id: str, days: float) -> None:
    moment = time.time() - days * 86400
    os.utime(RunDirectory(run_id).attempt().outcome_file, (moment, moment))


def test_gc_keeps_what_is_young_and_what_failed_longer(penstock: Penstock, ended: str, state_home: Path) -> None:
    _age("wordy", 8)
    _age("broken", 8)
    dry = penstock("gc", "--dry-run", "--json").json
    first = penstock("gc")
    _age("broken", 31)
    second = penstock("gc", "--json").json

    assert dry == {"dry_run": True, "removed": ["wordy"], "leftovers": [], "kept": 1}
    assert (first.out, first.err) == ("wordy\n", "1 runs removed, 1 kept.\n")
    assert second["removed"] == ["broken"]
    assert list((state_home / "penstock" / "runs").iterdir()) == []


def test_gc_leaves_a_run_under_way_and_removes_leftovers(penstock: Penstock, tmp_path: Path, state_home: Path) -> None:
    runs = state_home / "penstock" / "runs"
    penstock("run", "behaviours.py:wait", "--run-id", "one", "-p", f"ready={tmp_path}/ready", "--detach")
    await_file(tmp_path / "ready")
    _age("one", 400)
    for name, hours in ((".young", 0.5), (".old", 2)):
        (runs / name).mkdir()
        os.utime(runs / name, (time.time() - hours * 3600,) * 2)
    done = penstock("gc", "--json").json
    LocalLauncher().stop("one")

    assert LocalLauncher().follow("one", lambda _: None).exit_code == 143
    assert (done["removed"], done["leftovers"]) == ([], [".old"])
    assert sorted(path.name for path in runs.iterdir()) == [".young", "one"]
