"""What the runner is started with: documents from variables, options that fit together, refusals with a record."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.testbed.runner_process import BEHAVIOURS, Ended, environment_document, run_flow, run_request


@pytest.fixture
def from_variables(tmp_path: Path) -> Any:
    """Run a flow whose documents stand in environment variables."""

    def run(flow: str, **options: Any) -> Ended:
        words = {"--environment": "env:PENSTOCK_INPUT_ENVIRONMENT", "--request": "env:PENSTOCK_INPUT_REQUEST"}

        def from_variables(line: list[str]) -> list[str]:
            return [words.get(line[place - 1], word) for place, word in enumerate(line)]

        variables = {
            "PENSTOCK_INPUT_ENVIRONMENT": environment_document(options.pop("environment", {})),
            "PENSTOCK_INPUT_REQUEST": run_request(flow, {}, options.pop("request", {})),
            **options.pop("variables", {}),
        }
        return run_flow(tmp_path, flow, variables=variables, wrap=from_variables, **options)

    return run


def test_documents_come_from_variables_that_the_flow_does_not_see(tmp_path: Path, from_variables: Any) -> None:
    (tmp_path / "look.py").write_text(
        "import os, subprocess\n"
        "def main():\n"
        "    with open('/proc/self/environ', 'rb') as own, open(f'/proc/{os.getppid()}/environ', 'rb') as runners:\n"
        "        shown = own.read() + runners.read()\n"
        "    return [[name for name in os.environ if 'INPUT' in name], shown.count(b'schema_version'),\n"
        "            subprocess.run(['env'], capture_output=True).stdout.count(b'schema_version')]\n"
    )
    environment = {"metadata": {"note": "ü" * 20_000}, "env": {"COLOUR": "blue"}}

    ended = from_variables(f"{tmp_path}/look.py:main", environment=environment)

    assert (ended.exit_code, ended.outcome["result"]) == (0, [[], 0, 0])


def test_a_variable_that_is_not_there_or_holds_something_else_is_refused(from_variables: Any) -> None:
    ended = from_variables(f"{BEHAVIOURS}:succeed", variables={"PENSTOCK_INPUT_ENVIRONMENT": "{}"})

    assert ended.exit_code == 65
    assert ended.outcome["failure"]["message"].startswith("environment document: schema_version is missing")


@pytest.mark.parametrize(
    ("request_", "options", "sentence"),
    [
        (
            {"bundle": {"sha256": "0" * 64, "size": 7}},
            (),
            "run request: bundle is given, expected its file in the option --bundle.",
        ),
        (
            {},
            ("--bundle", "/nowhere"),
            "run request: bundle is missing, expected the size and hash of the option --bundle.",
        ),
    ],
)
def test_a_bundle_and_a_request_that_do_not_belong_together_are_refused(
    tmp_path: Path, request_: dict[str, Any], options: tuple[str, ...], sentence: str
) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", request=request_, options=options)

    assert (ended.exit_code, ended.failure_class) == (65, "config")
    assert ended.outcome["failure"]["message"] == (
        f"{sentence} Start the run with `penstock run` of the same version as the runner."
    )
    assert (ended.outcome["run_id"], ended.outcome["flow"]) == ("test-run", f"{BEHAVIOURS}:succeed")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--trailer", "no"), "--trailer no, expected yes or awslogs, or no such option."),
        (("--outcome-limit", "many"), "--outcome-limit many, expected 1024 to 4096 bytes."),
        (("--outcome-limit", "4097"), "--outcome-limit 4097, expected 1024 to 4096 bytes."),
        (("--outcome-limit", "1023"), "--outcome-limit 1023, expected 1024 to 4096 bytes."),
    ],
)
def test_options_that_cannot_be_are_refused(tmp_path: Path, options: tuple[str, ...], words: str) -> None:
    ended = run_flow(tmp_path, f"{BEHAVIOURS}:succeed", options=options)

    assert ended.exit_code == 64
    assert ended.output.decode() == (
        f"penstock: The runner was called with {words} Start runs with `penstock run`, which calls it.\n"
    )


def test_the_help_of_python_itself_starts_no_run() -> None:
    """The options are read in pairs; one without its value is refused like an unknown one."""
    done = subprocess.run(
        [sys.executable, "-m", "runner", "--trailer"], capture_output=True, text=True, check=False, timeout=20
    )

    assert done.returncode == 64
    assert done.stderr.startswith("penstock: The runner was called with ['--trailer'], expected --environment VALUE")
