"""Every exit code, each by a real run of a real flow."""

import hashlib
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.testbed.runner_process import BEHAVIOURS, await_file, run_flow, started


@pytest.mark.parametrize(
    ("function", "parameters", "code", "state", "failure_class"),
    [
        ("succeed", {}, 0, "succeeded", None),
        ("answer", {}, 0, "succeeded", None),
        ("exit_with", {"code": 0}, 0, "succeeded", None),
        ("fail", {}, 1, "failed", "flow"),
        ("exit_with", {"code": "7"}, 7, "failed", "flow"),
        ("exit_with", {"code": 63}, 63, "failed", "flow"),
        ("exit_with", {"code": 64}, 1, "failed", "flow"),
        ("exit_with", {"code": -1}, 1, "failed", "flow"),
        ("exit_with_words", {}, 1, "failed", "flow"),
        ("exit_at_once", {"code": 9}, 9, "failed", "flow"),
        ("exit_at_once", {"code": 0}, 1, "failed", "crash"),
        ("exit_at_once", {"code": 70}, 1, "failed", "crash"),
        ("crash", {}, 139, "failed", "crash"),
        ("kill_itself", {}, 137, "failed", "crash"),
        ("kill_itself", {"number": int(signal.SIGABRT)}, 134, "failed", "crash"),
        ("exit_with", {"code": "many"}, 66, "failed", "flow"),
        ("exit_with", {}, 66, "failed", "flow"),
        ("no_such_function", {}, 66, "failed", "flow"),
    ],
)
def test_exit_code(
    tmp_path: Path, function: str, parameters: dict[str, Any], code: int, state: str, failure_class: str | None
) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:{function}", parameters)

    assert ended.exit_code == code
    assert ended.outcome["exit_code"] == code
    assert ended.outcome["state"] == state
    assert ended.failure_class == failure_class
    assert ended.outcome["log"]["sha256"] == hashlib.sha256(ended.output).hexdigest()


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [(signal.SIGTERM, 143, "The run was terminated."), (signal.SIGINT, 130, "The run was interrupted.")],
)
@pytest.mark.parametrize("function", ["wait", "wait_async"])
def test_a_signal_cancels(tmp_path: Path, function: str, number: signal.Signals, code: int, words: str) -> None:
    ready = tmp_path / "ready"
    with started(tmp_path, f"{BEHAVIOURS}:{function}", {"ready": str(ready)}) as runner:
        await_file(ready)
        runner.signal(number)
        ended = runner.wait()

    assert ended.exit_code == code
    assert ended.outcome["state"] == "cancelled"
    assert ended.failure_class == "cancelled"
    assert ended.outcome["failure"]["message"] == words


def test_deadline(tmp_path: Path) -> None:
    ended = run_flow(
        tmp_path,
        f"{BEHAVIOURS}:wait",
        {"ready": str(tmp_path / "ready")},
        environment={"timeouts": {"run_seconds": 0.5, "grace_seconds": 5}},
    )

    assert ended.exit_code == 124
    assert ended.failure_class == "deadline"
    assert ended.outcome["failure"]["message"] == "The flow ran for longer than its 0.5 seconds."
    assert ended.outcome["ledger"]["finished"] < 5


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def main(:", "line 1 is not valid Python"),
        ("import nowhere_at_all", "imports 'nowhere_at_all', which is not installed."),
        ("x = 1\n1 / 0", "raised ZeroDivisionError while it was imported, in line 2 of broken.py: division by zero."),
        ("main = 3", "main is of type int, expected a function."),
        ("def mian(): pass", "has no function 'main'. Did you mean 'mian'?"),
    ],
)
def test_a_flow_that_cannot_be_loaded_is_told_in_a_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "broken.py").write_text(text)
    ended = run_flow(tmp_path, f"{tmp_path}/broken.py:main")

    assert ended.exit_code == 66
    assert sentence in ended.output.decode()
    assert len(ended.output.splitlines()) == 1


@pytest.mark.parametrize("broken", ["environment", "request"])
def test_a_document_that_is_none(tmp_path: Path, broken: str) -> None:
    def spoil(words: list[str]) -> list[str]:
        (tmp_path / f"{broken}.json").write_text("nonsense")
        return words

    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", wrap=spoil)

    assert ended.exit_code == 65
    assert f"{broken.replace('request', 'run request').replace('environment', 'environment document')} is not JSON" in (
        ended.output.decode()
    )
    assert b"Traceback" not in ended.output
    assert ended.failure_class == "config"


def test_a_document_that_is_missing(tmp_path: Path) -> None:
    def remove(words: list[str]) -> list[str]:
        (tmp_path / "environment.json").unlink()
        return words

    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", wrap=remove)

    assert ended.exit_code == 65
    assert b"No such file or directory" in ended.output


def test_wrong_usage_of_the_runner_itself(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", wrap=lambda words: [*words, "--wat", "1"])

    assert ended.exit_code == 64
    assert b"Start runs with `penstock run`" in ended.output


def test_a_request_for_workers_that_the_environment_does_not_have(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", request={"workers": {"min_workers": 1, "max_workers": 1}})

    assert (ended.exit_code, ended.failure_class) == (65, "config")
    assert ended.outcome["failure"]["message"] == (
        "run request: workers is given, expected none: the environment provisions no workers. "
        "Ask for fewer, or raise max_workers of the stack and `pulumi up`."
    )
