from __future__ import annotations

from pathlib import Path

import pytest

from tools import go_tools
from tools.errors import CommandError
from tools.paths import GO_PINS


def _fake_go(folder: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    go = folder / "go"
    go.write_text(f"#!/bin/sh\n{script}\n")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


@pytest.mark.parametrize(
    ("text", "version"),
    [("go1.26.8\n", (1, 26)), ("go1.30rc1", (1, 30)), ("devel go1.27-abc", None), ("", None)],
)
def test_go_versions(text: str, version: tuple[int, int] | None) -> None:
    assert go_tools.parse_go_version(text) == version


@pytest.mark.parametrize(
    ("version", "reason"),
    [("go1.26.8", None), ("go2.0", None), ("go1.22.1", "go1.22.1 is installed where Go 1.26 is needed")],
)
def test_go_must_be_new_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str, reason: str | None
) -> None:
    _fake_go(tmp_path, f"echo {version}", monkeypatch)
    assert go_tools.missing() == reason


def test_no_go_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert go_tools.missing() == "Go 1.26 is not installed"


def test_a_build_is_pinned_and_for_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_go(tmp_path, 'echo "$PWD $* $GOBIN $GOTOOLCHAIN [$GOOS] $GOPROXY" >"$GOBIN/calls"', monkeypatch)
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOPROXY", "the-machine's-own")
    go_tools.GoTool("actionlint", tags="some").build(tmp_path)
    call = (tmp_path / "calls").read_text()
    assert call.startswith(f"{GO_PINS}/actionlint install ")
    assert "-mod=readonly" in call
    assert "-tags=some" in call
    assert call.endswith(f" tool {tmp_path} local [] the-machine's-own\n")


def test_a_build_shows_how_far_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(go_tools, "NOTE_EVERY_SECONDS", 0)
    _fake_go(tmp_path, "echo go: downloading a/module >&2; echo a/package >&2", monkeypatch)
    go_tools.GoTool("actionlint").build(tmp_path)
    assert capsys.readouterr().err.splitlines()[-1].endswith("1 packages compiled")


def test_a_failed_build_shows_its_last_lines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fake_go(tmp_path, "echo checksum mismatch >&2; exit 1", monkeypatch)
    with pytest.raises(CommandError, match=r"(?s)exit code 1:\nchecksum mismatch$"):
        go_tools.GoTool("actionlint").build(tmp_path)


@pytest.mark.parametrize("name", ["pulumi", "pulumi-language-python", "actionlint", "kubernetes", "etcd"])
def test_what_is_built_depends_on_the_pin_files_and_flags(name: str) -> None:
    tool, other = go_tools.GoTool(name), go_tools.GoTool(name, link="-X a=b")
    assert tool.pins != other.pins
    mod, checksums = tool.pins[:2]
    assert b"\ntool " in mod
    assert b" h1:" in checksums


def test_what_is_built_depends_on_our_own_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_tools, "GO_PINS", tmp_path)
    source = tmp_path / "thing" / "cmd" / "main.go"
    source.parent.mkdir(parents=True)
    for name in ("go.mod", "go.sum", "cmd/main.go"):
        (tmp_path / "thing" / name).touch()
    before = go_tools.GoTool("thing").pins
    source.write_text("package main\n")
    assert go_tools.GoTool("thing").pins != before
