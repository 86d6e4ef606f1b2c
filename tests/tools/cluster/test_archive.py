from __future__ import annotations

import hashlib
import io
import json
import tarfile
from pathlib import Path

import pytest

from tools.cluster.archive import image_ids, write_image
from tools.errors import CommandError
from tools.images.archive import TIME


def _write(target: Path, *, program: bytes = b"\x7fELF") -> Path:
    files = {"pause": program, "etc/motd": b"hello\n"}
    write_image(target, name="penstock.local/thing:1", files=files, entrypoint=["/pause"])
    return target


def test_the_same_image_is_the_same_bytes(tmp_path: Path) -> None:
    first, second, other = (_write(tmp_path / name) for name in ("first.tar", "second.tar", "other.tar"))
    _write(other, program=b"\x7fELF2")
    assert first.read_bytes() == second.read_bytes()
    assert first.read_bytes() != other.read_bytes()


def test_an_archive_holds_what_it_was_given_and_names_it_by_its_digests(tmp_path: Path) -> None:
    with tarfile.open(_write(tmp_path / "image.tar")) as archive:
        parts = {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]
    [image] = json.loads(parts.pop("manifest.json"))
    assert image["RepoTags"] == ["penstock.local/thing:1"]
    config = parts.pop(image["Config"])
    assert image["Config"] == hashlib.sha256(config).hexdigest() + ".json"
    [(layer_name, layer)] = parts.items()
    assert image["Layers"] == [layer_name]
    written = json.loads(config)
    assert written["rootfs"] == {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(layer).hexdigest()]}
    assert written["config"] == {"Entrypoint": ["/pause"]}
    with tarfile.open(fileobj=io.BytesIO(layer)) as files:
        found = {member.name: (member.mode, member.mtime, member.uid, member.size) for member in files}
    assert found == {"etc/motd": (0o755, TIME, 0, 6), "pause": (0o755, TIME, 0, 4)}


def test_an_image_is_known_by_its_name_and_its_configuration(tmp_path: Path) -> None:
    image = _write(tmp_path / "image.tar")
    with tarfile.open(image) as archive:
        [config] = [name for name in archive.getnames() if name.endswith(".json") and name != "manifest.json"]
    assert image_ids(image) == {"penstock.local/thing:1": f"sha256:{config.removesuffix('.json')}"}


def test_an_archive_of_docker_is_read_as_well_and_one_of_another_kind_has_no_names(tmp_path: Path) -> None:
    manifest = [
        {"Config": "blobs/sha256/0123", "RepoTags": ["a:1", "b:1"], "Layers": []},
        {"Config": "blobs/sha256/4567", "RepoTags": None, "Layers": []},
    ]
    for name, member in (("docker.tar", "manifest.json"), ("other.tar", "index.json")):
        data = json.dumps(manifest).encode()
        entry = tarfile.TarInfo(member)
        entry.size = len(data)
        with tarfile.open(tmp_path / name, "w") as archive:
            archive.addfile(entry, io.BytesIO(data))
    assert image_ids(tmp_path / "docker.tar") == {"a:1": "sha256:0123", "b:1": "sha256:0123"}
    assert image_ids(tmp_path / "other.tar") == {}


def test_a_file_that_is_no_archive_is_named(tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("text")
    for name, reason in (("text.tar", "it is not in the tar format"), ("none.tar", "No such file or directory")):
        with pytest.raises(CommandError, match=rf"{name} cannot be read \({reason}\)\. Name an archive"):
            image_ids(tmp_path / name)
