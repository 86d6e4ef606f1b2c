"""`penstock env`, `doctor`, `init` and `completion`."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import environment
from tests.runner.cli.conftest import DOCUMENT, Penstock
from tests.testbed.runner_process import FLOWS


def test_pull_from_stdin_and_from_a_file(penstock: Penstock, tmp_path: Path, state_home: Path) -> None:
    (tmp_path / "d.json").write_text(json.dumps({**DOCUMENT, "name": "there"}, indent=4))
    first = penstock("env", "pull", "-", stdin=json.dumps(DOCUMENT))
    second = penstock("env", "pull", str(tmp_path / "d.json"), "--json")

    stored = state_home / "penstock" / "environments"
    assert first.err == "here (local) is in the local store: penstock run FLOW --env here\n"
    assert second.json == {"name": "there", "kind": "local", "file": str(stored / "there.json")}
    assert [item["name"] for item in penstock("env", "ls", "--json").json] == ["here", "there"]
    assert sorted(path.name for path in stored.iterdir()) == ["here.json", "there.json"]
    for path in stored.iterdir():
        assert b"\n" not in path.read_bytes()
        environment.read(path.read_bytes(), warn=pytest.fail)


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (
            ["pull"],
            64,
            "`penstock env pull` takes a FILE, --stack STACK, --namespace NS or --ssm NAME. Give one of them.",
        ),
        (["pull", "-", "--stack", "x"], 64, "Give one of them."),
        (["pull", "--stack", "x", "--project", "nowhere"], 64, "--project nowhere is not a folder."),
        (["pull", "-"], 65, "environment document is not JSON"),
        (["pull", "nowhere.json"], 65, "is not readable at nowhere.json (No such file or directory)"),
        (["show", "nowhere"], 64, "There is no environment 'nowhere' in the local store."),
        (["shw"], 64, "invalid choice: 'shw'"),
    ],
)
def test_mistakes(penstock: Penstock, words: list[str], code: int, sentence: str) -> None:
    done = penstock("env", *words, stdin="")

    assert done.code == code
    assert sentence in done.err


def test_pull_from_a_stack_without_the_pulumi_cli(penstock: Penstock, tmp_path: Path) -> None:
    done = penstock("env", "pull", "--stack", "local", PATH=str(tmp_path))

    assert done.code == 69
    assert done.err.startswith("penstock: The Pulumi CLI is not on PATH. Install it,")


def test_ls_and_show(penstock: Penstock, store: Callable[..., Path]) -> None:
    store("big", routing_labels=["gpu", "fast"], producer={"version": "1", "project": "penstock", "stack": "dev"})
    store("here")

    assert [line.split() for line in penstock("env", "ls").out.splitlines()] == [
        ["NAME", "KIND", "LABELS", "EXECUTOR", "STACK"],
        ["big", "local", "gpu,fast", "inline", "penstock/dev"],
        ["here", "local", "inline"],
    ]
    assert json.loads(penstock("env", "show", "big").out)["routing_labels"] == ["gpu", "fast"]
    assert penstock("env", "show", "--label", "gpu", "--json").json["name"] == "big"


def test_ls_tells_of_a_document_that_cannot_be_read_and_goes_on(penstock: Penstock, store: Callable[..., Path]) -> None:
    store("here")
    store("old", schema_version=0)
    done = penstock("env", "ls", "--json")

    assert [item["name"] for item in done.json] == ["here"]
    assert "old.json is left out: environment document: schema_version is 0" in done.err


def test_ls_of_nothing(penstock: Penstock) -> None:
    assert "No environments. Provision one with `pulumi up`" in penstock("env", "ls").err


def test_doctor(penstock: Penstock, store: Callable[..., Path]) -> None:
    store("here", local={"python": sys.executable, "working_directory": str(FLOWS)})
    done = penstock("doctor", "--json")

    assert done.code == 0
    assert done.json["ok"] is True
    found = {check["what"]: check["level"] for check in done.json["checks"]}
    assert found["penstock"] == found["records"] == found["environments"] == found["environment here"] == "ok"


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        (
            {"local": {"working_directory": "/nowhere"}},
            "/nowhere is not a folder. Correct working_directory in",
        ),
        ({"local": {"python": "/bin/false"}}, "/bin/false has no penstock."),
        ({"local": {"python": "/nowhere/python"}}, "/nowhere/python cannot be started"),
        ({"executor": {"type": "dask", "address": "tcp://127.0.0.1:1"}}, "tcp://127.0.0.1:1 does not answer"),
    ],
)
def test_doctor_finds(penstock: Penstock, store: Callable[..., Path], fields: dict[str, object], sentence: str) -> None:
    store("here", **fields)
    done = penstock("doctor", "--env", "here")

    assert done.code == 69
    assert any(line.startswith("fail") and sentence in line for line in done.out.splitlines())


def test_init_writes_what_runs(penstock: Penstock, tmp_path: Path, store: Callable[..., Path]) -> None:
    store("dev")
    folder = tmp_path / "new"
    done = penstock("init", str(folder), "--json")
    run = penstock("run", f"{folder}/flow.py:main", "-p", "name=you", "-p", "times=2")

    assert done.json == {"written": [str(folder / "Pulumi.dev.yaml"), str(folder / "flow.py")]}
    assert (run.code, run.out) == (0, "Hello, you!\nHello, you!\n")


def test_init_overwrites_nothing(penstock: Penstock, tmp_path: Path) -> None:
    (tmp_path / "flow.py").write_text("mine")
    done = penstock("init", str(tmp_path), "--stack", "test")

    assert done.code == 0
    assert f"{tmp_path}/flow.py exists and is left as it is." in done.err
    assert (tmp_path / "flow.py").read_text() == "mine"
    assert (tmp_path / "Pulumi.test.yaml").exists()


def test_init_in_a_checkout_writes_beside_the_program(penstock: Penstock, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "stacks").mkdir()
    done = penstock("init", str(tmp_path), "--json")

    assert str(tmp_path / "stacks" / "Pulumi.dev.yaml") in done.json["written"]


def test_init_refuses_a_name_that_no_environment_can_have(penstock: Penstock, tmp_path: Path) -> None:
    done = penstock("init", str(tmp_path), "--stack", "My_Stack")

    assert (done.code, list(tmp_path.glob("*.yaml"))) == (64, [])
    assert "--stack is 'My_Stack', expected at most 63 lower-case letters" in done.err


def _complete(words: str, folder: Path) -> list[str]:
    """What bash offers for a command line, with the script in force."""
    command = Path(sys.executable).with_name("penstock")
    script = f"""
PATH={command.parent}:$PATH
eval "$(penstock completion bash)"
COMP_WORDS=({words}); [[ "{words}" == *" " ]] && COMP_WORDS+=("")
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
_penstock
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True, cwd=folder)  # noqa: S607
    return done.stdout.split()


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
def test_completion_in_bash(penstock: Penstock, store: Callable[..., Path], tmp_path: Path) -> None:
    store("here")
    penstock("run", "behaviours.py:succeed", "--run-id", "one")

    assert _complete("penstock des", tmp_path) == ["describe"]
    assert _complete("penstock describe o", tmp_path) == ["one"]
    assert _complete("penstock run flow.py:main --env h", tmp_path) == ["here"]
    assert _complete("penstock env p", tmp_path) == ["pull"]
    assert _complete("penstock run flow.py:main --run", tmp_path) == ["--run-id"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts(penstock: Penstock, shell: str) -> None:
    done = penstock("completion", shell)

    assert "penstock completion --words --" in done.out
    if shutil.which(shell):
        checked = subprocess.run([shell, "-n"], input=done.out, text=True, capture_output=True, check=False)
        assert (checked.returncode, checked.stderr) == (0, "")
