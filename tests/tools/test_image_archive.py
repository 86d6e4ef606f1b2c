from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tools.images import archive, debian


def _layer() -> bytes:
    layer = archive.Layer()
    layer.folder("app")
    layer.file("app/flow.py", b"print()\n")
    layer.link("bin", "usr/bin")
    return layer.finish()


def test_the_same_files_are_the_same_bytes(tmp_path: Path) -> None:
    for name in ("first", "second"):
        archive.write(tmp_path / name, _layer(), name="example.org/thing:1", config={"Cmd": ["sh"]})
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_an_engine_finds_name_command_and_files(tmp_path: Path) -> None:
    archive.write(tmp_path / "image.tar", _layer(), name="example.org/thing:1", config={"Cmd": ["sh"]})
    with tarfile.open(tmp_path / "image.tar") as tar:
        files = {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]
    (manifest,) = json.loads(files["manifest.json"])
    assert manifest["RepoTags"] == ["example.org/thing:1"]
    assert manifest["Config"] == f"{hashlib.sha256(files[manifest['Config']]).hexdigest()}.json"
    description = json.loads(files[manifest["Config"]])
    (layer,) = (files[name] for name in manifest["Layers"])
    assert description["config"] == {"Cmd": ["sh"]}
    assert description["rootfs"]["diff_ids"] == [f"sha256:{hashlib.sha256(layer).hexdigest()}"]
    with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
        members = {member.name: (member.mode, member.mtime, member.uid, member.linkname) for member in tar}
    assert members == {
        "app": (0o755, archive.TIME, 0, ""),
        "app/flow.py": (0o644, archive.TIME, 0, ""),
        "bin": (0o777, archive.TIME, 0, "usr/bin"),
    }


@pytest.mark.parametrize(
    ("name", "merged"),
    [
        ("./", ""),
        ("./bin/busybox", "usr/bin/busybox"),
        ("./lib/x86_64-linux-gnu/libc.so.6", "usr/lib/x86_64-linux-gnu/libc.so.6"),
        ("./library/", "library"),
        ("./usr/lib/python3.11/", "usr/lib/python3.11"),
    ],
)
def test_files_of_packages_lie_where_debian_has_them_now(name: str, merged: str) -> None:
    assert debian._merged(name) == merged


@pytest.mark.parametrize(
    ("path", "trimmed"),
    [
        ("usr/share/doc/libc6/copyright", True),
        ("usr/share/doc", True),
        ("usr/share/docbook", False),
        ("usr/lib/x86_64-linux-gnu/gconv/IBM1371.so", True),
        ("usr/lib/python3.11/test/support/__init__.py", True),
        ("usr/lib/python3.11/unittest/case.py", False),
        ("usr/lib/python3.11/EXTERNALLY-MANAGED", True),
        ("usr/share/zoneinfo/Europe/Zurich", False),
    ],
)
def test_what_no_flow_needs_is_left_out(path: str, trimmed: bool) -> None:
    assert bool(debian.TRIMMED.match(path)) is trimmed
