from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tools import pulumi_cli, pulumi_env
from tools.errors import UnavailableError
from tools.paths import CHECKOUT, VENV


@pytest.fixture(autouse=True)
def _private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi_env, "PRIVATE", tmp_path / "private")


def test_our_python_comes_first_then_the_cli_then_the_users_programs() -> None:
    path = pulumi_env.search_path(Path("/cli"), "/usr/bin:/bin")
    assert path.split(os.pathsep) == [str(VENV / "bin"), "/cli", "/usr/bin", "/bin"]
    assert pulumi_env.search_path(None, "") == str(VENV / "bin")


def test_pulumi_keeps_to_the_checkout_and_asks_nothing(tmp_path: Path) -> None:
    env = pulumi_env.pulumi_environment(Path("/cli"), {"HOME": "/home/me", "PULUMI_HOME": "/home/me/.pulumi"})
    assert env["HOME"] == "/home/me"
    assert env["PULUMI_HOME"] == str(tmp_path / "private" / "pulumi-home")
    assert env["PULUMI_BACKEND_URL"] == f"file://{tmp_path}/private/state"
    assert env["PULUMI_CONFIG_PASSPHRASE"] == ""
    assert (tmp_path / "private" / "state").is_dir()


def test_a_command_takes_the_place_of_the_process(tmp_path: Path) -> None:
    program = tmp_path / "pulumi"
    program.write_text('#!/bin/sh\n[ "$1" = version ] && echo v3.300.0 || echo "$PULUMI_SKIP_UPDATE_CHECK $*"\n')
    program.chmod(0o755)
    (tmp_path / "pulumi-language-python").symlink_to(program)
    env = {"PATH": f"{tmp_path}:/usr/bin:/bin"}
    command = [sys.executable, "-m", "tools.pulumi_env", "pulumi", "stack", "ls"]
    done = subprocess.run(command, env=env, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert done.stdout == "1 stack ls\n"


def test_without_a_command_or_a_cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def none() -> Path:
        raise UnavailableError("There is none.")

    assert pulumi_env.main([]) == 64
    monkeypatch.setattr(pulumi_cli, "obtain", none)
    assert pulumi_env.main(["pulumi", "up"]) == 69
    assert capsys.readouterr().err.endswith("There is none.\n")


@pytest.mark.engine
def test_the_real_engine_accepts_the_backend_also_with_a_space_in_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi_env, "PRIVATE", tmp_path / "with space")
    folder = pulumi_cli.at_hand()
    assert folder is not None
    env, pulumi = pulumi_env.pulumi_environment(folder), str(folder / "pulumi")
    project = tmp_path / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: p\nruntime: python\n")
    (project / "__main__.py").write_text("import pulumi\npulumi.export('answer', 42)\n")
    for command in ("stack init s", "up --yes --skip-preview --non-interactive --stack s"):
        subprocess.run([pulumi, *command.split()], cwd=project, env=env, capture_output=True, check=True)
    output = [pulumi, "stack", "output", "answer", "--stack", "s"]
    assert subprocess.run(output, cwd=project, env=env, capture_output=True, text=True, check=True).stdout == "42\n"
    assert list((tmp_path / "with space" / "state").rglob("s.json"))
