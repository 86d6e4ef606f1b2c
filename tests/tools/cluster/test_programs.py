from __future__ import annotations

from pathlib import Path

import pytest

from tools.cluster import programs
from tools.errors import CommandError


def _put(folder: Path, name: str, script: str = "") -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only folder on PATH besides the shell's; with everything but containerd's `ctr`, and no tool in the cache."""
    folder = tmp_path / "path"
    folder.mkdir()
    (folder / "sh").symlink_to("/bin/sh")
    for name in ("containerd", "runc", "present"):
        _put(folder, name)
    monkeypatch.setattr(programs, "PACKAGES", {"runc": "runc", "ctr": "containerd", "present": "package"})
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return folder


def test_what_is_missing_is_named_where_it_cannot_be_installed(path: Path) -> None:
    with pytest.raises(CommandError, match=r"^Programs of these Debian packages were not found: containerd\. Install"):
        programs.obtain()


def test_only_the_missing_packages_are_installed_and_then_go_is_asked_for(path: Path) -> None:
    calls = path / "calls"
    _put(path, "apt-get", f'echo "$DEBIAN_FRONTEND $*" >>{calls}')
    with pytest.raises(CommandError, match=r"^Kubernetes is to be built, and Go 1\.26 is not installed\. Install Go"):
        programs.obtain()
    assert calls.read_text().splitlines() == [
        "noninteractive update -q",
        "noninteractive install -q -y --no-install-recommends containerd",
    ]


def test_the_programs_are_built_once(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _put(path, "ctr")
    calls = path / "calls"
    _put(
        path, "go", f'case "$1" in env) echo go1.26.1;; *) echo "${{PWD##*/}} $*" >>{calls}; : >"$GOBIN/server";; esac'
    )
    folder = programs.obtain()
    assert programs.obtain() == folder
    assert programs.kubectl() == folder / "kubectl"
    assert (folder / "etcd").is_file()
    first, second = calls.read_text().splitlines()
    assert first.startswith("etcd install ")
    assert second.startswith("kubernetes install ")
    assert "version.gitVersion=v1.36.3 " in second
    assert "Building Kubernetes 1.36.3" in capsys.readouterr().err


def test_with_the_programs_of_this_machine_nothing_is_missing_that_has_no_package() -> None:
    assert {
        "containerd",
        "containernetworking-plugins",
        "iproute2",
        "iptables",
        "openssl",
        "runc",
        "util-linux",
    } == set(programs.PACKAGES.values())
