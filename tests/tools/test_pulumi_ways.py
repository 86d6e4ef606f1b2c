from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import pytest

from tools import pulumi_ways
from tools.errors import CommandError


def _installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> Path:
    """Puts a Python in place of that of .venv which runs `body` as the installer."""
    script = tmp_path / "script.py"
    script.write_text(f"import sys, time, pathlib\nroot = pathlib.Path(sys.argv[-1])\n{body}\n")
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(script))} "$@"\n')
    python.chmod(0o755)
    monkeypatch.setattr(pulumi_ways, "PYTHON", python)
    target = tmp_path / "target"
    target.mkdir()
    return target


SAY = "print('asking', flush=True); print('answered', flush=True)\n"


def test_the_installer_fills_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body = SAY + "(root / 'bin').mkdir(); (root / 'bin' / 'pulumi-language-python').touch()"
    target = _installer(tmp_path, monkeypatch, body)
    pulumi_ways.install(target)
    assert (target / "bin" / "pulumi-language-python").exists()


def test_an_installer_that_gets_no_answer_is_given_up_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulumi_ways, "ANSWER_SECONDS", 0.2)
    target = _installer(tmp_path, monkeypatch, "print('asking', flush=True); time.sleep(60)")
    start = time.monotonic()
    with pytest.raises(CommandError, match=r"^its official installer cannot be reached from here$"):
        pulumi_ways.install(target)
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise SystemExit('no network')", "cannot be reached"),
        (SAY + "raise SystemExit('disk full')", r"failed \(disk full\)"),
        (SAY + "time.sleep(60)", "was not done after"),
        (SAY, "left no Python language host"),
    ],
)
def test_an_installer_that_fails_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, reason: str
) -> None:
    monkeypatch.setattr(pulumi_ways, "DOWNLOAD_SECONDS", 0.3)
    target = _installer(tmp_path, monkeypatch, body)
    with pytest.raises(CommandError, match=reason):
        pulumi_ways.install(target)


def test_without_the_set_up_there_is_no_installer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi_ways, "PYTHON", tmp_path / "python")
    with pytest.raises(CommandError, match="needs the set-up of this checkout"):
        pulumi_ways.install(tmp_path)


def test_a_build_puts_the_scripts_of_the_sdk_beside_the_programs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sdk = tmp_path / "sdk" / "python"
    source = sdk / "cmd" / "pulumi-language-python" / "main.go"
    source.parent.mkdir(parents=True)
    source.write_text("func (host) RunPlugin() {}")
    source.chmod(0o444)
    for script in ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python"):
        (sdk / script).parent.mkdir(exist_ok=True)
        (sdk / script).write_text("a script")
        (sdk / script).chmod(0o444)
    go = tmp_path / "go"
    go.write_text(
        f'#!/bin/sh\ncase "$1" in list) echo {sdk.parent};; *) f="$GOBIN/$(basename "$PWD")"; cp ./*.go {tmp_path}; '
        'printf \'#!/bin/sh\\n\' >"$f"; chmod +x "$f";; esac\n'
    )
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    target = tmp_path / "target"
    target.mkdir()
    pulumi_ways.build(target)
    built = {file.name: file.stat().st_mode & 0o777 for file in (target / "bin").iterdir()}
    assert set(built) == {
        "pulumi", "pulumi-language-python", "pulumi-language-python-exec", "pulumi-resource-pulumi-python"
    }  # fmt: skip
    assert built["pulumi-language-python-exec"] == 0o755
    assert (tmp_path / "main.go").read_text() == "func (host) runNamedPlugin() {}"
    assert (tmp_path / "plugins.go").read_text().count(".runNamedPlugin(") == 2


def test_another_sdk_is_another_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders = set()
    for version in ("3.1.0", "3.2.0"):
        (tmp_path / "requirements.lock").write_text(f"grpcio==1\npulumi=={version} \\\n    --hash=x\n")
        monkeypatch.setattr(pulumi_ways, "CHECKOUT", tmp_path)
        folders.add(pulumi_ways.cache_folder())
    assert len(folders) == 2
