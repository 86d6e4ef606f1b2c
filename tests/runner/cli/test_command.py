"""What holds for every verb."""

import subprocess
import sys
from pathlib import Path

import pytest

from runner import __version__
from runner.cli import VERBS
from tests.runner.cli.conftest import Penstock, start


def test_help_lists_every_verb(penstock: Penstock) -> None:
    for words in ([], ["--help"], ["-h"], ["help"]):
        done = penstock(*words)
        assert (done.code, done.err) == (0, "")
        assert all(f"\n  {verb} " in done.out for verb in VERBS)


def test_every_verb_has_a_file(penstock: Penstock) -> None:
    folder = Path(sys.modules["runner.cli"].__file__ or "").parent
    assert [verb for verb in VERBS if not (folder / f"{verb}.py").is_file()] == []


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_and_json(penstock: Penstock, verb: str) -> None:
    words = [verb, "ls"] if verb == "env" else [verb]
    done = penstock(*words, "--help")

    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(("usage: ", f"Usage: penstock {verb}"))
    assert "--json" in done.out


def test_version(penstock: Penstock) -> None:
    assert penstock("--version").out == f"penstock {__version__}\n"
    assert penstock("--version", "--json").json == {"version": __version__}


def test_a_verb_that_there_is_not(penstock: Penstock) -> None:
    done = penstock("runn", "flow.py")

    assert (done.code, done.out) == (64, "")
    assert done.err == "penstock: There is no verb 'runn'. Did you mean 'run'? `penstock --help` lists the verbs.\n"


def test_a_reader_that_goes_away_ends_it_without_a_traceback() -> None:
    with start("completion", "bash") as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        err = process.stderr.read()

    assert (process.returncode, err) == (141, "")


def test_the_installed_command_is_the_same(penstock: Penstock) -> None:
    command = Path(sys.executable).with_name("penstock")
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)

    assert done.stdout == f"penstock {__version__}\n"


@pytest.mark.usefixtures("unmeasured")
def test_help_imports_nothing_that_it_does_not_need() -> None:
    code = "import sys; from runner.cli import main; main(['--help']); print(sorted(sys.modules), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = set(eval(done.stderr))  # noqa: S307 the list that it printed
    assert not loaded & {"argparse", "json", "dataclasses", "typing", "subprocess", "logging"}
