"""The files that start the tools: Makefile, .ci/run, the GitHub workflow."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest
import yaml

from tools.paths import CHECKOUT

MAKE = shutil.which("make") or "make"
BASH = shutil.which("bash") or "bash"
WORKFLOW = CHECKOUT / ".github" / "workflows" / "ci.yml"


def _make(*arguments: str) -> str:
    # `make test` itself tells a make below it, by these variables, to print where it is.
    env = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = [MAKE, *arguments]
    return subprocess.run(command, cwd=CHECKOUT, env=env, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_target() -> None:
    makefile = (CHECKOUT / "Makefile").read_text()
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    listed = [line.split()[1] for line in _make().splitlines()]
    assert listed == targets
    assert set(targets) == set(re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE)[0].split())


@pytest.mark.parametrize("target", ["demo", "test", "lint", "bench"])
def test_every_module_that_make_starts_exists(target: str) -> None:
    for module in re.findall(r"-m (tools\.\w+)", _make("--dry-run", target)):
        assert (CHECKOUT / f"{module.replace('.', '/')}.py").is_file()


def test_an_old_python_gets_one_sentence() -> None:
    # The version check is the first thing that runs, whatever module is asked for.
    program = "import sys; sys.version_info = (3, 9, 2); import tools.setup"
    done = subprocess.run([sys.executable, "-c", program], cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Python 3.9 was found where 3.11 or newer is needed. Install a newer one")
    assert done.stderr.count("\n") == 1


def test_ci_is_a_correct_script() -> None:
    script = CHECKOUT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run([BASH, "-n", script], check=True)


def test_the_workflow_pins_every_action_gives_no_rights_away_and_ends() -> None:
    text = WORKFLOW.read_text()
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use) for use in re.findall(r"uses: (.*)", text))
    workflow = yaml.safe_load(text)
    assert workflow["permissions"] == {}
    jobs = workflow["jobs"]
    assert all("timeout-minutes" in job for job in jobs.values())
    assert {job for name in jobs for job in jobs[name].get("needs", [])} == set(jobs) - {"all-green"}
    assert all(set(job.get("permissions", {})) <= {"contents"} for job in jobs.values())
