"""The steps of a run: callbacks and their order, what the flow sees, scripts, results."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from runner.environment import Callbacks, Environment, Executor, ExecutorType
from runner.errors import ContractError
from runner.execute import _end_of, _Loaded, _on_execute
from runner.flow import Script
from runner.parameters import Bound
from runner.request import WorkerCount
from tests.runner.attempts import attempt_of, dask_pods
from tests.testbed.runner_process import BEHAVIOURS, Ended, run_flow

ALL = {"on_execute": "callbacks:on_execute", "on_start": "callbacks:on_start", "on_exit": "callbacks:on_exit"}


@pytest.fixture
def run(tmp_path: Path) -> Any:
    def run(flow: str, parameters: dict[str, Any] | None = None, **options: Any) -> tuple[Ended, list[str]]:
        notes = tmp_path / "notes"
        ended = run_flow(tmp_path, flow, parameters, variables={"NOTES": str(notes)}, **options)
        return ended, notes.read_text().splitlines() if notes.exists() else []

    return run


def test_callbacks_are_called_in_order(run: Any) -> None:
    ended, notes = run("callbacks:flow", {"number": 5}, environment={"callbacks": ALL})

    assert ended.exit_code == 0
    assert notes == ["on_execute {'number': 5} {}", "on_start", "flow 5", "on_exit succeeded 0 None"]


def test_on_execute_cannot_change_the_parameters_unseen(run: Any) -> None:
    ended, _ = run("callbacks:flow", {"number": 5}, environment={"callbacks": ALL})

    assert ended.outcome["result"] == 5


def test_callbacks_of_the_request_win_one_by_one(run: Any) -> None:
    request = {"callbacks": {"on_start": "callbacks:raises"}}
    ended, notes = run("callbacks:flow", environment={"callbacks": ALL}, request=request)

    assert ended.exit_code == 1
    assert notes == ["on_execute {} {}", "raises", "on_exit failed 1 flow"]


@pytest.mark.parametrize("role", ["on_execute", "on_start"])
def test_a_callback_that_raises_fails_the_run_and_on_exit_is_called(run: Any, role: str) -> None:
    callbacks = {role: "callbacks:raises", "on_exit": "callbacks:on_exit"}
    ended, notes = run("callbacks:flow", environment={"callbacks": callbacks})

    assert (ended.exit_code, ended.failure_class) == (1, "flow")
    assert ended.outcome["failure"]["message"] == f"The callback {role} raised RuntimeError: the callback is broken"
    assert notes == ["raises", "on_exit failed 1 flow"]


@pytest.mark.parametrize("broken", ["raises", "exits", "crashes"])
@pytest.mark.parametrize(("flow", "code"), [("flow", 0), ("failing_flow", 1)])
def test_on_exit_that_fails_hides_nothing(run: Any, broken: str, flow: str, code: int) -> None:
    ended, notes = run(f"callbacks:{flow}", environment={"callbacks": {"on_exit": f"callbacks:{broken}"}})

    assert ended.exit_code == code
    assert ended.outcome["exit_code"] == code
    assert notes[-1] == broken
    assert notes.count(broken) == 1


def test_on_exit_that_raises_is_told_in_the_log(run: Any) -> None:
    ended, _ = run("callbacks:flow", environment={"callbacks": {"on_exit": "callbacks:raises"}})

    assert "RuntimeError: the callback is broken" in ended.output.decode()
    assert "on_exit failed; the run's outcome stays as it was." in ended.output.decode()


def test_on_exit_is_called_for_a_flow_whose_process_died(run: Any) -> None:
    ended, notes = run("callbacks:crashing_flow", environment={"callbacks": {"on_exit": "callbacks:on_exit"}})

    assert ended.exit_code == 9
    assert notes == ["crashing_flow", "on_exit failed 9 flow"]


@pytest.mark.parametrize(
    ("callbacks", "sentence"),
    [
        ({"on_start": "nowhere:function"}, "The callback on_start cannot be used. There is no module 'nowhere'"),
        ({"on_exit": "callbacks:on_exot"}, "has no function 'on_exot'. Did you mean 'on_exit'?"),
        ({"on_start": "callbacks:NOTES"}, "callbacks:NOTES is of type PosixPath, expected a function."),
        ({"on_exit": "callbacks:wants_three"}, "callbacks:wants_three cannot be called as on_exit"),
        ({"on_start": "callbacks:wants_three"}, "It is given no arguments."),
    ],
)
def test_a_callback_that_cannot_be_used(run: Any, callbacks: dict[str, str], sentence: str) -> None:
    ended, notes = run("callbacks:flow", environment={"callbacks": callbacks})

    assert ended.exit_code == 66
    assert sentence in ended.outcome["failure"]["message"]
    assert notes == []
    assert b"Traceback" not in ended.output


def test_what_the_flow_sees(run: Any) -> None:
    ended, _ = run(
        f"{BEHAVIOURS}:show_environment",
        environment={"env": {"COLOUR": "blue"}, "timeouts": {"run_seconds": 3600}, "name": "here"},
        request={"attempt": 3},
    )

    seen = {name: value for name, value in ended.outcome["result"].items() if name not in os.environ}
    assert seen["PENSTOCK_DEADLINE"].endswith("Z")
    assert {name: seen[name] for name in seen if name != "PENSTOCK_DEADLINE"} == {
        "COLOUR": "blue",
        "PENSTOCK_ARTIFACTS": str(ended.folder / "artifacts"),
        "PENSTOCK_ATTEMPT": "3",
        "PENSTOCK_ENVIRONMENT": "here",
        "PENSTOCK_RUN_ID": "test-run",
    }


def test_log_options(run: Any) -> None:
    options = {"log": {"level": "INFO", "extra_loggers": ["chatty"]}}
    ended, _ = run(f"{BEHAVIOURS}:log_something", environment=options)

    lines = [line.split(" ", 2)[2] for line in ended.output.decode().splitlines()]
    assert lines == ["INFO    mine: at info", "DEBUG   chatty.library: library at debug"]


def test_the_log_level_of_the_request_wins(run: Any) -> None:
    ended, _ = run(f"{BEHAVIOURS}:log_something", request={"log": {"level": "ERROR"}})

    assert ended.output == b""


def test_a_result_that_is_not_json(run: Any) -> None:
    ended, _ = run(f"{BEHAVIOURS}:not_json")

    assert (ended.exit_code, ended.outcome["result"]) == (0, None)
    assert ended.outcome["result_repr"] == "{1, 2, 3}: not JSON (Object of type set is not JSON serializable)"


def test_a_result_that_is_too_large_is_kept_as_an_artifact(run: Any) -> None:
    ended, _ = run(f"{BEHAVIOURS}:large")

    assert (ended.exit_code, ended.outcome["result"]) == (0, None)
    assert "300,002 bytes of JSON, more than the 262,144 that an outcome carries" in ended.outcome["result_repr"]
    assert [item["name"] for item in ended.outcome["artifacts"]] == ["result.json"]
    assert json.loads((ended.folder / "artifacts" / "result.json").read_bytes()) == "x" * 300_000


def _script(folder: Path, text: str) -> str:
    path = folder / "script.py"
    path.write_text(text)
    return str(path)


def test_a_script_is_run_as_python_would(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("WORD = 'beside'")
    text = "import sys, beside\nif __name__ == '__main__': print(sys.argv[1:], beside.WORD, __file__)"
    script = _script(tmp_path, text)
    ended = run_flow(tmp_path, script, request={"arguments": ["--month", "3"]})

    assert ended.exit_code == 0
    assert ended.output.decode() == f"['--month', '3'] beside {script}\n"


def test_a_script_can_start_processes_of_its_own_file(tmp_path: Path) -> None:
    text = """
from multiprocessing import get_context

def square(number):
    return number * number

if __name__ == "__main__":
    with get_context("spawn").Pool(2) as pool:
        print(pool.map(square, [1, 2, 3]))
"""
    ended = run_flow(tmp_path, _script(tmp_path, text))

    assert (ended.exit_code, ended.output) == (0, b"[1, 4, 9]\n")


@pytest.mark.parametrize(("text", "code"), [("raise SystemExit(7)", 7), ("1/0", 1), ("", 0), ("def (", 66)])
def test_how_a_script_ends(tmp_path: Path, text: str, code: int) -> None:
    assert run_flow(tmp_path, _script(tmp_path, text)).exit_code == code


def test_parameters_are_not_for_scripts(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, _script(tmp_path, ""), {"month": 3})

    assert ended.exit_code == 66
    assert "is a script, which takes no -p. Put its arguments behind --." in ended.outcome["failure"]["message"]


def test_arguments_are_not_for_functions(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", request={"arguments": ["3"]})

    assert ended.exit_code == 66
    assert (
        "is a function, which takes no arguments behind --. Use -p name=value." in (ended.outcome["failure"]["message"])
    )


def test_a_traceback_shows_the_users_frames_only(tmp_path: Path) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:fail")

    lines = ended.output.decode().splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: the input is empty"
    assert [line.split(", ")[0] for line in lines if "File" in line] == [f'  File "{BEHAVIOURS}"']
    assert ended.outcome["failure"]["detail"] == ended.output.decode()


def test_the_ledger_is_in_order(tmp_path: Path) -> None:
    ledger = run_flow(tmp_path, f"{BEHAVIOURS}:answer", {"seconds": 0.2}).outcome["ledger"]

    assert sorted(ledger, key=ledger.__getitem__) == ["started", "flow_called", "flow_ended", "finished"]
    assert 0.2 <= ledger["flow_ended"] - ledger["flow_called"] < 5


def test_a_bug_of_the_runner_is_told_apart_from_the_users_errors(capsys: pytest.CaptureFixture[str]) -> None:
    end = _end_of(KeyError("oops"))

    assert end.failure is not None
    assert (end.exit_code, end.failure.failure_class) == (70, "internal")
    assert end.failure.message == "The runner has a bug, please report it: KeyError: 'oops'"
    assert "KeyError: 'oops'" in capsys.readouterr().err


def sized(environment: Environment, changes: object, **request: Any) -> tuple[tuple[Executor, WorkerCount | None], Any]:
    """What `on_execute` makes of the cluster when it returns the changes, and the options that it was given."""
    seen: list[dict[str, object]] = []

    def on_execute(_: object, options: dict[str, object]) -> object:
        seen.append(dict(options))
        options.clear()  # what it does to them is of no effect
        return changes

    loaded = _Loaded(
        flow=Script(path="flow.py", code=compile("", "flow.py", "exec")),
        bound=Bound(arguments={}, clients=(), positional_only=()),
        callbacks={"on_execute": on_execute},
    )
    callbacks = Callbacks(on_execute="hooks:sizes")
    attempt = attempt_of(environment, request={"callbacks": callbacks, **request})
    return _on_execute(attempt.executor, attempt.workers, loaded, attempt), seen[0]


PODS = Executor(type=ExecutorType.DASK)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (None, (2, 4)),
        ({}, (2, 4)),
        ({"min_workers": 0}, (0, 4)),
        ({"max_workers": 3}, (2, 3)),
        ({"min_workers": 3, "max_workers": 3}, (3, 3)),
    ],
)
def test_on_execute_sizes_a_cluster_of_pods(changes: dict[str, int] | None, expected: tuple[int, int]) -> None:
    found, options = sized(dask_pods(), changes)

    assert options == {"min_workers": 2, "max_workers": 4}
    assert found == (PODS, WorkerCount(min_workers=expected[0], max_workers=expected[1]))


def test_on_execute_sees_the_size_that_the_run_was_asked_for() -> None:
    found, options = sized(dask_pods(), {"max_workers": 2}, workers=WorkerCount(min_workers=1, max_workers=3))

    assert options == {"min_workers": 1, "max_workers": 3}
    assert found == (PODS, WorkerCount(min_workers=1, max_workers=2))


@pytest.mark.parametrize("executor", [Executor(), Executor(type=ExecutorType.DASK, address="tcp://other:8786")])
def test_on_execute_has_nothing_to_size_where_no_cluster_is_opened(executor: Executor) -> None:
    found, options = sized(dask_pods(), None, executor=executor)

    assert (found, options) == ((executor, None), {})
    with pytest.raises(ContractError, match=r"is \['max_workers'\], expected a mapping with some of \[\], or None"):
        sized(dask_pods(), {"max_workers": 2}, executor=executor)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"workers": 2},
            (
                "what hooks:sizes returned is ['workers'], expected a mapping with some of "
                "['max_workers', 'min_workers'], or None. Return only the options to change."
            ),
        ),
        (
            {"max_workers": 5},
            (
                "what hooks:sizes returned: max_workers is 5, expected at most the 4 that the stack allows. "
                "Ask for fewer, or raise max_workers of the stack and `pulumi up`."
            ),
        ),
        ({"min_workers": 5}, "what hooks:sizes returned: min_workers is 5, expected at most the 4 of max_workers."),
        (
            {"max_workers": 0, "min_workers": 0},
            "what hooks:sizes returned: max_workers is 0, expected a whole number of at least 1.",
        ),
        (
            {"min_workers": "2"},
            'what hooks:sizes returned: min_workers is "2", expected a whole number of at least 0.',
        ),
        (
            7,
            (
                "what hooks:sizes returned is 7, expected a mapping with some of ['max_workers', 'min_workers'], "
                "or None. Return only the options to change."
            ),
        ),
    ],
)
def test_a_size_that_a_cluster_of_pods_cannot_have(changes: object, sentence: str) -> None:
    with pytest.raises(ContractError) as caught:
        sized(dask_pods(), changes)

    assert str(caught.value) == sentence
