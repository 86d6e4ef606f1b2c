"""`penstock run`."""

import contextlib
import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.launch.local import LocalLauncher
from runner.launch.run_directory import RunDirectory
from tests.runner.cli.conftest import Penstock, start
from tests.testbed.runner_process import await_file

pytestmark = pytest.mark.usefixtures("here")


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["behaviours.py:succeed"], 0),
        (["behaviours:succeed"], 0),
        (["behaviours.py:fail"], 1),
        (["behaviours.py:exit_with", "-p", "code=7"], 7),
        (["behaviours.py:exit_with", "-p", "cod=7"], 66),
        (["behaviours.py:kill_itself"], 137),
        (["behaviours.py:crash"], 139),
        (["behaviours.py:answer", "-p", "seconds=30", "--timeout", "0.5"], 124),
        (["nowhere.py:main"], 66),
    ],
)
def test_it_exits_with_the_runs_exit_code(penstock: Penstock, words: list[str], code: int) -> None:
    assert penstock("run", *words, "--env", "here").code == code


def test_output_on_stdout_and_the_outcome_on_stderr(penstock: Penstock) -> None:
    done = penstock("run", "behaviours.py:succeed", "--run-id", "one", "-p", "number=5")

    assert done.out == "working\n"
    lines = done.err.splitlines()
    assert lines[0] == "penstock: one in here"
    assert lines[1].startswith("one in here: succeeded, exit code 0 after ")
    assert lines[2].startswith("  ledger     accepted 0.000  started ")
    assert lines[3] == '  result     {"number": 5}'
    assert len(lines) == 4


def test_json_is_the_outcome_alone(penstock: Penstock) -> None:
    done = penstock("run", "behaviours.py:succeed", "--run-id", "one", "--json")

    assert "working\n" in done.err
    assert list(done.json) == sorted(done.json)
    assert {key: done.json[key] for key in ("run_id", "attempt", "environment", "kind", "state", "result")} == {
        "run_id": "one",
        "attempt": 1,
        "environment": "here",
        "kind": "local",
        "state": "succeeded",
        "result": {"number": 1},
    }
    assert done.json["log"] == {"lines": 1, "sha256": hashlib.sha256(b"working\n").hexdigest()}


def test_parameters_as_text_as_json_and_from_a_file(penstock: Penstock, tmp_path: Path) -> None:
    (tmp_path / "echo.py").write_text(
        "def echo(a: int, b: list[int], c: str = '', d: object = None):\n    return [a, b, c, d]\n"
    )
    (tmp_path / "p.json").write_text('{"a": 1, "c": "file", "d": {"x": null}}')
    flow = ["run", "echo.py:echo", "-p", "a=2", "-p", "b:=[3,4]"]
    done = penstock(*flow, "--params", "p.json", "--json", cwd=tmp_path)
    piped = penstock(*flow, "--params", "-", "--json", cwd=tmp_path, stdin='{"c": "stdin"}')

    assert done.json["result"] == [2, [3, 4], "file", {"x": None}]
    assert piped.json["result"] == [2, [3, 4], "stdin", None]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["-p", "number"], "-p number is not NAME=VALUE. Write -p name=value, or -p 'name:=JSON'."),
        (["-p", "number:={"], "-p number is not JSON"),
        (["--params", "nowhere.json"], "--params nowhere.json cannot be read (No such file or directory)."),
        (["--run-id", "Über"], "--run-id is"),
        (["--run-id", "../../etc"], "expected at most 40 lower-case letters, digits and inner hyphens."),
        (["--timeout", "soon"], "--timeout is"),
        (["--timeout", "0"], "--timeout is 0.0, expected seconds, more than 0 and at most ten years."),
        (["--executor", "threads"], '--executor is "threads", expected an address such as tls://host:8786.'),
        (["--on-exit", "nonsense"], '--on-exit is "nonsense", expected module:function.'),
        (["--env", "her"], "There is no environment 'her' in the local store. Did you mean 'here'?"),
        (["--env", "here", "--label", "x"], "--env and --label both choose the environment."),
        (["--nonsense"], "unrecognized arguments: --nonsense."),
    ],
)
def test_wrong_usage_is_told_in_a_sentence_and_starts_nothing(
    penstock: Penstock, state_home: Path, words: list[str], sentence: str
) -> None:
    done = penstock("run", "behaviours.py:succeed", *words)

    assert done.code == 64
    assert sentence in done.err
    assert done.err.startswith("penstock: ")
    assert len(done.err.splitlines()) == 1
    assert not (state_home / "penstock" / "runs").exists()


def test_an_error_before_the_run_is_json_too(penstock: Penstock) -> None:
    done = penstock("run", "behaviours.py:succeed", "--env", "nowhere", "--json")

    assert done.code == done.json["error"]["exit_code"] == 64
    assert done.json["error"]["message"].startswith("There is no environment 'nowhere'")


def test_detach_then_follow(penstock: Penstock) -> None:
    done = penstock("run", "behaviours.py:answer", "-p", "seconds=0.3", "--detach")

    run_id = done.out.strip()
    assert run_id.startswith("behaviours-answer-")
    assert f"penstock logs -f {run_id}" in done.err
    assert LocalLauncher().follow(run_id, lambda _: None).result == 42


def test_the_same_run_id_is_the_same_run(penstock: Penstock) -> None:
    words = ["run", "behaviours.py:answer", "-p", "seconds=0.5", "--run-id", "once"]
    penstock(*words, "--detach")
    done = penstock(*words)

    assert done.code == 0
    assert "the run once had been started before; this follows it." in done.err
    assert len(penstock("ls", "--json").json) == 1


def test_the_same_run_id_for_another_flow_is_refused(penstock: Penstock) -> None:
    penstock("run", "behaviours.py:succeed", "--run-id", "once")
    done = penstock("run", "behaviours.py:fail", "--run-id", "once")

    assert done.code == 64
    assert "A run 'once' exists already, of behaviours.py:succeed" in done.err


def test_a_script_with_arguments(penstock: Penstock, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text("import sys\nprint(sys.argv[1:])\nsys.exit(5)\n")
    done = penstock("run", "script.py", "--", "--json", "-p", "x", cwd=tmp_path)

    assert (done.code, done.out) == (5, "['--json', '-p', 'x']\n")


def test_options_reach_the_run(penstock: Penstock, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    done = penstock(
        "run", "callbacks:flow", "--on-start", "callbacks:on_start", "--on-exit", "callbacks:on_exit", NOTES=str(notes)
    )
    debug = penstock("run", "behaviours.py:log_something", "--log-level", "DEBUG")

    assert done.code == 0
    assert notes.read_text().splitlines() == ["on_start", "flow 1", "on_exit succeeded 0 None"]
    assert "mine: at debug" in debug.out


def test_the_first_interrupt_cancels(tmp_path: Path) -> None:
    paths = ["-p", f"ready={tmp_path}/ready", "-p", f"tidied={tmp_path}/tidied"]
    with start("run", "behaviours.py:wait_and_tidy", "--run-id", "one", *paths) as client:
        await_file(tmp_path / "ready")
        client.send_signal(signal.SIGINT)
        _, err = client.communicate(timeout=20)

    assert client.returncode == 130
    assert "cancelling one, which has its grace to end. Press Ctrl-C again to leave it alone" in err
    assert "one in here: cancelled [cancelled], exit code 130" in err
    assert (tmp_path / "tidied").read_text() == "KeyboardInterrupt"


def test_the_second_interrupt_detaches(tmp_path: Path) -> None:
    with start("run", "behaviours.py:wait_deaf", "--run-id", "one", "-p", f"ready={tmp_path}/ready") as client:
        await_file(tmp_path / "ready")
        client.send_signal(signal.SIGINT)
        assert client.stderr is not None
        while "cancelling one" not in client.stderr.readline():
            pass
        client.send_signal(signal.SIGINT)
        _, err = client.communicate(timeout=20)

    assert client.returncode == 130
    assert "detached; `penstock logs -f one` follows the run" in err
    assert LocalLauncher().follow("one", lambda _: None).exit_code == 130


def test_ending_the_client_cancels_the_run(tmp_path: Path) -> None:
    with start("run", "behaviours.py:wait", "--run-id", "one", "-p", f"ready={tmp_path}/ready") as client:
        await_file(tmp_path / "ready")
        client.send_signal(signal.SIGTERM)
        client.communicate(timeout=20)

    assert client.returncode == 143
    assert LocalLauncher().find("one").outcome.exit_code == 143


def test_killing_the_client_leaves_the_run(tmp_path: Path) -> None:
    with start("run", "behaviours.py:wait", "--run-id", "one", "-p", f"ready={tmp_path}/ready") as client:
        await_file(tmp_path / "ready")
        client.kill()

    assert RunDirectory("one").attempt().runner_is_up()
    LocalLauncher().stop("one")
    assert LocalLauncher().follow("one", lambda _: None).exit_code == 143


def test_a_client_killed_at_any_moment_and_a_repeat_are_one_run(penstock: Penstock, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text(
        "import os, pathlib\ndef main(marks):\n    pathlib.Path(marks, str(os.getpid())).touch()\n    return 'done'\n"
    )
    for moment in range(16):
        marks = tmp_path / f"marks-{moment}"
        marks.mkdir()
        words = ["run", "flow.py:main", "--run-id", f"run-{moment}", "-p", f"marks={marks}"]
        with start(*words, cwd=tmp_path) as client:
            with contextlib.suppress(subprocess.TimeoutExpired):
                client.wait(0.01 * moment)
            client.kill()
        repeated = penstock(*words, "--json", cwd=tmp_path)

        assert (repeated.code, repeated.json["result"], repeated.json["attempt"]) == (0, "done", 1)
        assert len(list(marks.iterdir())) == 1
    assert len(penstock("ls", "--json").json) == 16


@pytest.mark.parametrize(
    ("label", "chosen"),
    [(["gpu"], "big"), (["gpu", "berlin"], "big"), (["laptop"], "here2")],
)
def test_routing_by_label(penstock: Penstock, store: Callable[..., Path], label: list[str], chosen: str) -> None:
    store("big", routing_labels=["gpu", "berlin"])
    store("here2", routing_labels=["laptop", "berlin"])
    words = [word for name in label for word in ("--label", name)]

    assert penstock("run", "behaviours.py:succeed", *words, "--json").json["environment"] == chosen


@pytest.mark.parametrize(
    ("label", "sentence"),
    [
        ("berlin", "More than one environment carries berlin: big, here2. Choose one with --env."),
        ("tpu", "No environment carries tpu. There are: big (gpu, berlin), here (no labels), here2 (laptop, berlin)."),
    ],
)
def test_labels_that_choose_none_or_several(
    penstock: Penstock, store: Callable[..., Path], label: str, sentence: str
) -> None:
    store("big", routing_labels=["gpu", "berlin"])
    store("here2", routing_labels=["laptop", "berlin"])
    done = penstock("run", "behaviours.py:succeed", "--label", label)

    assert (done.code, done.err) == (64, f"penstock: {sentence}\n")


def test_several_environments_and_none_chosen(penstock: Penstock, store: Callable[..., Path]) -> None:
    store("other")
    done = penstock("run", "behaviours.py:succeed")

    assert done.code == 64
    assert "More than one environment is in the local store: here, other." in done.err


def test_no_environment_at_all(penstock: Penstock, here: Path) -> None:
    here.unlink()
    done = penstock("run", "behaviours.py:succeed")

    assert done.code == 64
    assert "No environment is in the local store. Provision one with `pulumi up`" in done.err


def test_the_environment_variable(penstock: Penstock, store: Callable[..., Path]) -> None:
    path = store("other")
    by_name = penstock("run", "behaviours.py:succeed", "--json", PENSTOCK_ENVIRONMENT="other")
    by_file = penstock("run", "behaviours.py:succeed", "--json", PENSTOCK_ENVIRONMENT=str(path))
    option_wins = penstock("run", "behaviours.py:succeed", "--json", "--env", "here", PENSTOCK_ENVIRONMENT="other")

    assert [done.json["environment"] for done in (by_name, by_file, option_wins)] == ["other", "other", "here"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (None, "is not readable at"),
        ("", "is not JSON"),
        ("[]", "is a list of 0, expected a JSON object."),
        ("[" * 100_000, "is nested too deeply, expected at most 64 levels."),
        ('{"a": "' + "x" * 1_100_000 + '"}', "bytes long, expected at most 1,048,576."),
        ('{"schema_version": 7}', "schema_version is 7, expected 1, the version that this penstock reads. Use a newer"),
        ('{"schema_version": 1, "kind": "lambda", "name": "x"}', 'kind is "lambda", expected one of local,'),
        (
            '{"schema_version": 1, "kind": "local", "name": "x", "local": {}, "executor": {"workers": "2"}}',
            'executor.workers is "2", expected a whole number of at least 1.',
        ),
    ],
)
def test_a_document_that_cannot_be_used(penstock: Penstock, tmp_path: Path, text: str | None, sentence: str) -> None:
    file = tmp_path / "document.json"
    if text is not None:
        file.write_text(text)
    done = penstock("run", "behaviours.py:succeed", "--environment", str(file))

    assert done.code == 65
    assert sentence in done.err
    assert len(done.err.splitlines()) == 1


def test_an_unknown_key_of_the_document_is_warned_about_by_name(penstock: Penstock, store: Callable[..., Path]) -> None:
    store("newer", colour="blue", executor={"type": "inline", "shade": 3})
    done = penstock("run", "behaviours.py:succeed", "--env", "newer")

    assert done.code == 0
    for key in ("colour", "executor.shade"):
        assert f"has the key {key}, which this version of penstock does not know." in done.err


def test_records_that_cannot_be_written(penstock: Penstock, tmp_path: Path, here: Path) -> None:
    (tmp_path / "file").write_text("")
    done = penstock("run", "behaviours.py:succeed", "--environment", str(here), XDG_STATE_HOME=str(tmp_path / "file"))

    assert done.code == 69
    assert "The run cannot be recorded in" in done.err
    assert "set XDG_STATE_HOME to another folder." in done.err


@pytest.mark.root
@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to mount a file system")
@pytest.mark.parametrize("options", ["ro,size=1m", "size=16k"])
def test_a_read_only_or_full_run_directory(penstock: Penstock, tmp_path: Path, here: Path, options: str) -> None:
    place = tmp_path / "mounted"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        words = ["run", "behaviours.py:print_much", "-p", "lines=1000", "--environment", str(here)]
        done = penstock(*words, XDG_STATE_HOME=str(place))
    finally:
        subprocess.run(["umount", str(place)], check=True)  # noqa: S607

    if options.startswith("ro"):
        assert (done.code, "Read-only file system" in done.err) == (69, True)
    else:
        # Full: either it is refused before it starts, or it runs to its true end with some of its output lost.
        assert done.code in {0, 69}
        assert "No space left on device" in done.err or "lines, and only" in done.err


def test_follow_shows_lines_as_they_come(tmp_path: Path) -> None:
    paths = ["-p", f"ready={tmp_path}/ready", "-p", f"go={tmp_path}/go"]
    with start("run", "behaviours.py:print_slowly", *paths) as client:
        assert client.stdout is not None
        assert client.stdout.read(5) == "first"
        seen = time.monotonic()
        (tmp_path / "go").touch()
        out, _ = client.communicate(timeout=20)

    assert out == " second\n"
    assert time.monotonic() - seen < 10


def test_the_request_is_recorded_before_the_process_starts(penstock: Penstock) -> None:
    penstock("run", "behaviours.py:succeed", "--run-id", "one", "-p", "number=3", "--timeout", "1h30m")
    request = json.loads(RunDirectory("one").attempt().request_file.read_bytes())

    assert (request["parameters"], request["run_seconds"], request["attempt"]) == ({"number": "3"}, 5400.0, 1)
