from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NoReturn

import pytest

from tools import go_tools, pulumi_cli, pulumi_ways
from tools.errors import CommandError, UnavailableError, printed


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Pulumi, network and Go."""

    def unreachable(_: Path) -> NoReturn:
        raise CommandError("its official installer cannot be reached from here")

    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(pulumi_ways, "install", unreachable)
    monkeypatch.setattr(go_tools, "missing", lambda: "Go 1.26 is not installed")
    return programs


def _program(file: Path, prints: str = "") -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\necho '{prints}'\n")
    file.chmod(0o755)
    return file


def _fill(folder: Path) -> None:
    _program(folder / "bin" / "pulumi")


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("v3.259.0\n", (3, 259, 0)),
        ("3.230.0-alpha.1", (3, 230, 0)),
        ("warning: A new version\nv3.240.1", (3, 240, 1)),
        ("unknown", None),
    ],
)
def test_versions(text: str, version: tuple[int, int, int] | None) -> None:
    assert pulumi_cli.parse_version(text) == version


def test_first_the_users_own(place: Path) -> None:
    _program(place / "pulumi", "v3.230.0")
    _program(place / "pulumi-language-python")
    _fill(pulumi_ways.cache_folder())
    assert pulumi_cli.obtain() == pulumi_cli.at_hand() == place


def test_a_link_on_path_leads_to_its_language_host(place: Path, tmp_path: Path) -> None:
    real = _program(tmp_path / "opt" / "pulumi", "v3.300.0")
    _program(tmp_path / "opt" / "pulumi-language-python")
    (place / "pulumi").symlink_to(real)
    assert pulumi_cli.obtain() == place


@pytest.mark.parametrize(
    ("version", "host", "reason"),
    [
        ("v3.229.9", True, "is v3.229.9 where 3.230.0 is needed"),
        ("v3.259.0", False, "comes without pulumi-language-python"),
        ("dev", True, "is dev where"),
    ],
)
def test_then_the_cached_one_when_the_users_own_will_not_do(place: Path, version: str, host: bool, reason: str) -> None:
    _program(place / "pulumi", version)
    if host:
        _program(place / "pulumi-language-python")
    with pytest.raises(CommandError, match=reason):
        pulumi_cli.on_path()
    _fill(pulumi_ways.cache_folder())
    assert pulumi_cli.obtain() == pulumi_cli.at_hand() == pulumi_ways.cache_folder() / "bin"


def test_then_the_installer(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pulumi_cli.at_hand() is None
    monkeypatch.setattr(pulumi_ways, "install", _fill)
    assert pulumi_cli.obtain() == pulumi_ways.cache_folder() / "bin"


def test_then_the_build(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(go_tools, "missing", lambda: None)
    monkeypatch.setattr(pulumi_ways, "build", _fill)
    assert pulumi_cli.obtain() == pulumi_ways.cache_folder() / "bin"


def test_none_is_one_message_that_names_the_three_ways(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(pulumi_cli.obtain) == 69
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "There is no usable Pulumi CLI: PATH has none, its official installer cannot be reached from here, "
        "and Go 1.26 is not installed. Install Pulumi 3.230.0 or newer, let its installer reach the internet, "
        "or install Go 1.26 or newer to have it built; everything that needs no engine still works.\n"
    )


def test_a_way_that_fails_leaves_nothing_in_the_cache(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(folder: Path) -> NoReturn:
        _fill(folder)
        raise CommandError("its official installer failed (no space)")

    monkeypatch.setattr(pulumi_ways, "install", half)
    with pytest.raises(UnavailableError, match=r"failed \(no space\)"):
        pulumi_cli.obtain()
    assert pulumi_cli.at_hand() is None


@pytest.mark.engine
def test_the_real_one_runs(tmp_path: Path) -> None:
    folder = pulumi_cli.at_hand()
    assert folder is not None
    printed = subprocess.run(
        [folder / "pulumi", "version"], capture_output=True, text=True, check=True, env={"HOME": str(tmp_path)}
    )
    assert (pulumi_cli.parse_version(printed.stdout) or ()) >= pulumi_cli.MINIMUM_CLI
