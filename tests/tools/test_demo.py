from __future__ import annotations

from pathlib import Path

import pytest

from tools import demo, pulumi_cli, pulumi_env, setup


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout that is set up, with programs that write down how they are called."""
    programs = tmp_path / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("pulumi", "penstock"):
        script = f'#!/bin/sh\necho "{name} $*" >>{tmp_path}/calls\necho said\n. {tmp_path}/behaviour\n'
        (programs / name).write_text(script)
        (programs / name).chmod(0o755)
    (tmp_path / "behaviour").touch()
    for module in (demo, pulumi_env):
        monkeypatch.setattr(module, "CHECKOUT", tmp_path)
        monkeypatch.setattr(module, "PRIVATE", tmp_path / ".penstock")
        monkeypatch.setattr(module, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(setup, "seconds_needed", lambda: 0)
    monkeypatch.setattr(setup, "prepare", lambda: None)
    monkeypatch.setattr(pulumi_cli, "at_hand", lambda: programs)
    monkeypatch.setattr(pulumi_cli, "obtain", lambda: programs)
    return tmp_path


def test_the_steps_in_order_and_where_the_picture_lies(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (checkout / "behaviour").write_text(
        '[ "$1" = run ] && mkdir -p "$XDG_STATE_HOME/penstock/runs/r1/artifacts" '
        '&& touch "$XDG_STATE_HOME/penstock/runs/r1/artifacts/delays.svg"; true\n'
    )
    assert demo.main() == 0
    calls = (checkout / "calls").read_text().splitlines()
    assert [" ".join(call.split()[:3]) for call in calls] == [
        "pulumi stack select", "pulumi up --yes", "penstock env pull", "penstock run examples/flights/flow.py:main"
    ]  # fmt: skip
    assert calls[3].endswith("--env local -p minimum_delay=15")
    printed = capfd.readouterr()
    assert printed.out == "said\n"
    lines = printed.err.splitlines()
    assert lines[0].endswith(": about 15 s.")
    assert lines[1].startswith("1/4 set-up … ")
    assert lines[-1] == "Picture: .penstock/state-home/penstock/runs/r1/artifacts/delays.svg"


@pytest.mark.parametrize(("verb", "calls"), [("up", 2), ("env", 3), ("run", 4)])
def test_the_first_failure_ends_the_demo_with_its_code(checkout: Path, verb: str, calls: int) -> None:
    (checkout / "behaviour").write_text(f'[ "$1" != {verb} ] || exit 9\n')
    assert demo.main() == 9
    assert len((checkout / "calls").read_text().splitlines()) == calls


def test_pictures_of_earlier_runs_are_not_shown(checkout: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (checkout / "behaviour").write_text(
        '[ "$1" = run ] && mkdir -p "$XDG_STATE_HOME/penstock/runs/new/artifacts" '
        '&& touch "$XDG_STATE_HOME/penstock/runs/new/artifacts/new.png" '
        '&& touch "$XDG_STATE_HOME/penstock/runs/new/artifacts/new.txt"; true\n'
    )
    earlier = checkout / ".penstock" / "state-home" / "penstock" / "runs" / "old" / "artifacts"
    earlier.mkdir(parents=True)
    (earlier / "old.png").touch()

    assert demo.main() == 0

    shown = [line for line in capfd.readouterr().err.splitlines() if line.startswith("Picture:")]
    assert shown == ["Picture: .penstock/state-home/penstock/runs/new/artifacts/new.png"]
