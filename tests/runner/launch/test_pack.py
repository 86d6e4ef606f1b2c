"""Packing the user's code: what belongs to it, the same bytes for the same files, and what is too much."""

import hashlib
import io
import os
import shutil
import socket
import stat
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.bundle import MAX_BUNDLE_BYTES, MAX_FILES, MAX_UNPACKED_BYTES
from runner.errors import UsageError
from runner.launch.pack import Packed, pack

NEXT_STEP = (
    "Leave files out with .penstockignore, put data or code into the image and use --no-bundle, "
    "or read data from storage."
)
Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes files into the folder to pack, which has a flow."""

    def write(*names: str, data: bytes = b"x") -> None:
        for name in names:
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(data)

    write("flow.py")
    return write


def names(packed: Packed) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(packed.data)).namelist()


def test_a_bundle_is_a_zip_that_is_known_by_its_size_and_hash(tmp_path: Path, write: Write) -> None:
    write("pkg/__init__.py", "data/größe.csv", "a b")

    packed = pack(tmp_path, flow="flow.py:main")

    assert names(packed) == ["a b", "data/größe.csv", "flow.py", "pkg/__init__.py"]
    assert packed.files == 4
    assert packed.bundle.size == len(packed.data)
    assert packed.bundle.sha256 == hashlib.sha256(packed.data).hexdigest()
    assert zipfile.ZipFile(io.BytesIO(packed.data)).testzip() is None


def test_the_same_files_give_the_same_bytes_whatever_their_times_order_and_owners(tmp_path: Path) -> None:
    def make(folder: Path, order: list[str]) -> Path:
        for name in order:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(name.encode() * 50)
            os.utime(folder / name, (time.time() - len(order), 1_500_000_000 + len(name)))
        (folder / "run.sh").chmod(0o700 if order[0] == "run.sh" else 0o755)
        return folder

    files = ["flow.py", "run.sh", "a/z", "a/b/c", "z"]
    first = pack(make(tmp_path / "first", files), flow="flow.py:main")
    second = pack(make(tmp_path / "second", files[::-1]), flow="flow.py:main")

    assert first == second
    infos = zipfile.ZipFile(io.BytesIO(first.data)).infolist()
    assert {info.date_time for info in infos} == {(1980, 1, 1, 0, 0, 0)}
    assert {info.filename: oct(info.external_attr >> 16) for info in infos} == {
        **dict.fromkeys(["a/b/c", "a/z", "flow.py", "z"], oct(stat.S_IFREG | 0o644)),
        "run.sh": oct(stat.S_IFREG | 0o755),
    }


def test_another_content_name_or_mode_is_another_bundle(tmp_path: Path, write: Write) -> None:
    seen = {pack(tmp_path, flow="flow.py:main").bundle.sha256}
    write("flow.py", data=b"y")
    seen.add(pack(tmp_path, flow="flow.py:main").bundle.sha256)
    (tmp_path / "flow.py").chmod(0o755)
    seen.add(pack(tmp_path, flow="flow.py:main").bundle.sha256)
    (tmp_path / "flow.py").rename(tmp_path / "flows.py")
    seen.add(pack(tmp_path, flow="flows.py:main").bundle.sha256)

    assert len(seen) == 4


def test_what_is_no_code_of_the_user_is_left_out_by_itself(tmp_path: Path, write: Write) -> None:
    write(".git/config", ".venv/bin/python", ".penstock/x", ".env", ".hidden/a", "pkg/.secret", "pkg/.x/y")
    write("__pycache__/a.pyc", "pkg/__pycache__/b.pyc", "old.pyc", "venv/pyvenv.cfg", "web/node_modules/m/index.js")
    write("pkg/__init__.py", "pkg/venv.py", "node_modules.txt", "docs/venv")

    assert names(pack(tmp_path, flow="flow.py:main")) == [
        "docs/venv",
        "flow.py",
        "node_modules.txt",
        "pkg/__init__.py",
        "pkg/venv.py",
    ]


def test_links_stay_when_they_lead_to_something_in_the_folder(tmp_path: Path, write: Write) -> None:
    outside = tmp_path / "outside"
    folder = tmp_path / "folder"
    write("outside/secret", "folder/flow.py", "folder/real/data", data=b"content")
    (folder / "file").symlink_to("real/data")
    (folder / "absolute").symlink_to(folder / "real" / "data")
    (folder / "again").symlink_to("real")
    (folder / "real" / "up").symlink_to("..")
    (folder / "itself").symlink_to(".")
    (folder / "real" / "deep").mkdir()
    (folder / "real" / "deep" / "loop").symlink_to("../../real")
    (folder / "broken").symlink_to("nowhere")
    (folder / "round").symlink_to("round")
    (folder / "leaves").symlink_to(outside / "secret")
    (folder / "leaves-too").symlink_to("../outside")
    (folder / "sibling").symlink_to(shutil.copytree(outside, tmp_path / "folder2"))

    packed = pack(folder, flow="flow.py:main")

    assert names(packed) == ["absolute", "again/data", "file", "flow.py", "real/data"]
    archive = zipfile.ZipFile(io.BytesIO(packed.data))
    assert {archive.read(name) for name in archive.namelist()} == {b"content"}
    assert {stat.S_IFMT(info.external_attr >> 16) for info in archive.infolist()} == {stat.S_IFREG}


def test_a_folder_that_is_named_by_a_link_is_packed_like_the_folder(tmp_path: Path, write: Write) -> None:
    write("folder/flow.py", "folder/a/b")
    (tmp_path / "folder" / "link").symlink_to("a")
    (tmp_path / "link").symlink_to("folder")

    assert pack(tmp_path / "link", flow="flow.py:main") == pack(tmp_path / "folder", flow="flow.py:main")


def test_pipes_sockets_and_empty_folders_are_left_out(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path)  # the path of a socket is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("socket")

        assert names(pack(tmp_path, flow="flow.py:main")) == ["flow.py"]


def test_the_ignore_file_leaves_out_more_and_takes_in_again(tmp_path: Path, write: Write) -> None:
    write("data/a.csv", "data/keep.csv", "a.csv", "build/x", "sub/build/y", "sub/build.txt", "docs/a.md", "docs/b/c.md")
    write("secret", "sub/secret", ".streamlit/config", "notes[1]", "Data.csv", "sub/only.log/x", "only.log", "windows")
    lines = ["# comments and empty lines", "", "*.csv", "!keep.csv", "build/", "/secret", "docs/*.md", "  *.log  "]
    lines += ["!only.log/", "!.streamlit", "[nN]otes[[]1]", "windows\r"]
    write(".penstockignore", data="\n".join(lines).encode())

    assert names(pack(tmp_path, flow="flow.py:main")) == [
        ".streamlit/config",
        "data/keep.csv",
        "flow.py",
        "sub/build.txt",
        "sub/only.log/x",
        "sub/secret",
    ]


def test_an_ignore_file_in_any_coding_is_read(tmp_path: Path, write: Write) -> None:
    write("ü", "Ã¼", "b")
    write(".penstockignore", data="ü\nb".encode() + b"\n\xff\n")

    assert names(pack(tmp_path, flow="flow.py:main")) == ["flow.py", "Ã¼"]


def test_folders_that_are_left_out_are_not_even_looked_at(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder in (".venv/lib", "venv/lib", "data"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "file").touch()
    write(".penstockignore", data=b"data/\n")
    looked_at: list[str] = []
    real = os.scandir

    def scandir(path: str) -> Any:
        looked_at.append(os.path.relpath(path, tmp_path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)

    assert names(pack(tmp_path, flow="flow.py:main")) == ["flow.py"]
    assert looked_at == ["."]


def test_ten_thousand_files_that_a_pattern_leaves_out_take_a_moment(tmp_path: Path, write: Write) -> None:
    (tmp_path / "data").mkdir()
    for number in range(10_000):
        (tmp_path / "data" / f"{number}.bin").touch()
    write(".penstockignore", data=b"*.bin\n")

    began = time.process_time()
    packed = pack(tmp_path, flow="flow.py:main")

    assert names(packed) == ["flow.py"]
    assert time.process_time() - began < 1  # some 60 ms


@pytest.mark.parametrize(
    "flow", ["flow.py:main", "./flow.py:main", "flow.py", "sub/../flow.py:main", "flow.py:Class.run"]
)
def test_a_flow_file_that_is_packed_is_fine_however_it_is_named(tmp_path: Path, write: Write, flow: str) -> None:
    assert names(pack(tmp_path, flow=flow)) == ["flow.py"]


def test_a_flow_in_a_module_may_be_in_the_image(tmp_path: Path, write: Write) -> None:
    assert pack(tmp_path, flow="installed.package:main").files == 1


@pytest.mark.parametrize(
    ("flow", "sentence"),
    [
        (
            "{folder}/flow.py:main",
            (
                "The flow file {folder}/flow.py is not in {folder}, whose files travel with the run. "
                "Name the folder that it is in with --bundle, or say --no-bundle when it is in the image."
            ),
        ),
        (
            "../flow.py",
            (
                "The flow file ../flow.py is not in {folder}, whose files travel with the run. "
                "Name the folder that it is in with --bundle, or say --no-bundle when it is in the image."
            ),
        ),
        (
            "flwo.py:main",
            (
                "The flow file flwo.py does not exist in {folder}. Did you mean 'flow.py'? "
                "Give the path from that folder, or say --no-bundle when it is in the image."
            ),
        ),
        (
            ".flow.py:main",
            (
                "The flow file .flow.py is left out of the code that travels with the run: by its name, by "
                ".penstockignore, or since it is a link that leads out of the folder. "
                "Give it another name or place, or take it in there."
            ),
        ),
    ],
)
def test_a_flow_file_that_would_not_be_there_is_told(tmp_path: Path, write: Write, flow: str, sentence: str) -> None:
    write(".flow.py")

    with pytest.raises(UsageError) as caught:
        pack(tmp_path, flow=flow.format(folder=tmp_path))

    assert str(caught.value) == sentence.format(folder=tmp_path)


def test_too_large_a_bundle_is_told_with_the_files_that_make_it_so(tmp_path: Path, write: Write) -> None:
    for size, name in ((400_000, "b.bin"), (500_000, "data/a.bin"), (300_000, "c.bin"), (1000, "d.bin")):
        write(name, data=os.urandom(size))
    write("zeros.bin", data=bytes(10_000_000))

    with pytest.raises(UsageError) as caught:
        pack(tmp_path, flow="flow.py:main")

    said = str(caught.value)
    assert said.startswith(f"The code in {tmp_path} packs to 1,21")
    assert " bytes, more than the 1,000,000 that travel with a run; its largest files are data/a.bin (500," in said
    order = [said.index(name) for name in ("data/a.bin (500,", "b.bin (400,", "c.bin (300,")]
    assert order == sorted(order)
    assert "d.bin" not in said
    assert said.endswith(f". {NEXT_STEP}")


def test_the_largest_bundle_is_packed(tmp_path: Path, write: Write) -> None:
    write("data.bin", data=os.urandom(MAX_BUNDLE_BYTES - 1000))

    assert MAX_BUNDLE_BYTES - 1000 < pack(tmp_path, flow="flow.py:main").bundle.size <= MAX_BUNDLE_BYTES


def test_code_that_unpacks_to_too_much_is_refused_before_it_is_read(tmp_path: Path, write: Write) -> None:
    for name in ("a.bin", "b.bin"):
        with (tmp_path / name).open("wb") as file:
            file.truncate(MAX_UNPACKED_BYTES * 1000)  # sparse: reading it would take a while

    with pytest.raises(UsageError) as caught:
        pack(tmp_path, flow="flow.py:main")

    assert str(caught.value) == (
        f"The code in {tmp_path} is 134,217,728,001 bytes, more than the 67,108,864 that travel with a run; its "
        f"largest files are a.bin (67,108,864,000 bytes), b.bin (67,108,864,000 bytes), flow.py (1 bytes). {NEXT_STEP}"
    )


def test_too_many_files_are_told_with_the_folders_that_they_are_in(tmp_path: Path, write: Write) -> None:
    for folder, count in (("img", 3000), ("deep/data", 1500)):
        (tmp_path / folder).mkdir(parents=True)
        for number in range(count):
            (tmp_path / folder / f"{number}").touch()

    with pytest.raises(UsageError) as caught:
        pack(tmp_path, flow="flow.py:main")

    said = str(caught.value)
    assert said.startswith(f"The code in {tmp_path} is more than {MAX_FILES:,} files and folders, most of them in ")
    assert "img (" in said
    assert said.endswith(NEXT_STEP)


def test_a_file_name_that_is_not_utf_8_is_told(tmp_path: Path, write: Write) -> None:
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()

    with pytest.raises(UsageError) as caught:
        pack(tmp_path, flow="flow.py:main")

    assert str(caught.value) == (
        "The file name '\\udcff' is not UTF-8. Rename the file, or leave it out with .penstockignore."
    )


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        pack(tmp_path / "gone", flow="flow.py:main")

    assert str(caught.value) == (
        f"The code in {tmp_path}/gone cannot be packed: {tmp_path}/gone/ cannot be read (No such file or directory). "
        "Make it readable, or leave it out with .penstockignore."
    )
