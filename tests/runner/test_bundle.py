"""Unpacking the user's code: what was packed comes out, and nothing else ever comes out of anything else."""

import contextlib
import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.bundle import MAX_BUNDLE_BYTES, MAX_FILES, MAX_UNPACKED_BYTES, unpack
from runner.errors import LoadError
from runner.launch.pack import pack
from runner.outcome import ExitCode
from runner.request import Bundle
from tests.runner import strategies  # noqa: F401 sets hypothesis up

AGAIN = "Start the run anew with `penstock run`, which packs and sends the code again."
REGULAR = stat.S_IFREG | 0o644


def entry(name: str, mode: int = REGULAR, **fields: Any) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    for field, value in fields.items():
        setattr(info, field, value)
    return info


@pytest.mark.filterwarnings("ignore:Duplicate name")
def zipped(*entries: tuple[zipfile.ZipInfo, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for info, data in entries:
            archive.writestr(info, data)
    return whole.getvalue()


def unpacked(folder: Path, data: bytes) -> dict[str, bytes]:
    """What comes out of a zip, by name; folders end in a slash."""
    (folder / "bundle.zip").write_bytes(data)
    place = folder / "code"
    unpack(str(folder / "bundle.zip"), Bundle(sha256=hashlib.sha256(data).hexdigest(), size=len(data)), str(place))
    return {
        f"{path.relative_to(place)}{'/' if path.is_dir() else ''}": b"" if path.is_dir() else path.read_bytes()
        for path in place.rglob("*")
    }


def refusal(folder: Path, data: bytes) -> str:
    with pytest.raises(LoadError) as caught:
        unpacked(folder, data)
    assert caught.value.exit_code is ExitCode.CANNOT_LOAD
    return str(caught.value)


def test_what_was_packed_comes_out_with_its_modes(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "pkg" / "deep").mkdir(parents=True)
    (source / "flow.py").write_text("main = print\n")
    (source / "pkg" / "__init__.py").touch()
    (source / "pkg" / "deep" / "größe 1.bin").write_bytes(bytes(range(256)) * 100)
    (source / "run.sh").write_text("#!/bin/sh\n")
    (source / "run.sh").chmod(0o750)

    packed = pack(source, flow="flow.py:main")

    assert unpacked(tmp_path, packed.data) == {
        "flow.py": b"main = print\n",
        "pkg/": b"",
        "pkg/__init__.py": b"",
        "pkg/deep/": b"",
        "pkg/deep/größe 1.bin": bytes(range(256)) * 100,
        "run.sh": b"#!/bin/sh\n",
    }
    modes = {name: (tmp_path / "code" / name).stat().st_mode & 0o777 for name in (".", "pkg", "flow.py", "run.sh")}
    assert modes == {".": 0o700, "pkg": 0o755, "flow.py": 0o644, "run.sh": 0o755}


def test_a_zip_without_anything_in_it_gives_an_empty_folder(tmp_path: Path) -> None:
    assert unpacked(tmp_path, zipped()) == {}
    assert (tmp_path / "code").is_dir()


def test_folders_of_their_own_and_stored_files_come_out_too(tmp_path: Path) -> None:
    stored = entry("a/b", compress_type=zipfile.ZIP_STORED)
    data = zipped((entry("empty/", stat.S_IFDIR | 0o755), b""), (entry("a/", 0), b""), (stored, b"x"))

    assert unpacked(tmp_path, data) == {"empty/": b"", "a/": b"", "a/b": b"x"}


@pytest.mark.parametrize("other", ["size", "hash"])
def test_another_zip_than_the_request_names_is_refused_with_both_sizes_and_hashes(tmp_path: Path, other: str) -> None:
    data = zipped((entry("a"), b"x"))
    found = hashlib.sha256(data).hexdigest()
    asked = Bundle(size=len(data) + 1, sha256=found) if other == "size" else Bundle(size=len(data), sha256="0" * 64)
    (tmp_path / "bundle.zip").write_bytes(data)

    with pytest.raises(LoadError) as caught:
        unpack(str(tmp_path / "bundle.zip"), asked, str(tmp_path / "code"))

    assert str(caught.value) == (
        f"The bundle of code has {len(data)} bytes with the SHA-256 {found}, "
        f"expected {asked.size} bytes with {asked.sha256}. {AGAIN}"
    )
    assert not (tmp_path / "code").exists()


def test_a_bundle_that_is_missing_or_too_large_is_told(tmp_path: Path) -> None:
    asked = Bundle(sha256="0" * 64, size=1)
    with pytest.raises(
        LoadError, match=r"^The bundle of code cannot be read at .*/gone \(No such file or directory\)\."
    ):
        unpack(str(tmp_path / "gone"), asked, str(tmp_path / "code"))
    (tmp_path / "large").write_bytes(bytes(MAX_BUNDLE_BYTES + 1))
    with pytest.raises(LoadError, match=r"^The bundle of code has more than the 1,000,000 bytes that one may have\."):
        unpack(str(tmp_path / "large"), asked, str(tmp_path / "code"))


NOT_INSIDE = "which is no path inside of it"
NOT_PLAIN = "which is not a plain file"


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (entry("/etc/passwd"), NOT_INSIDE),
        (entry("../a"), NOT_INSIDE),
        (entry("a/../../b"), NOT_INSIDE),
        (entry("a/./b"), NOT_INSIDE),
        (entry("a//b"), NOT_INSIDE),
        (entry("a//"), NOT_INSIDE),
        (entry("/"), NOT_INSIDE),
        (entry(".."), NOT_INSIDE),
        (entry("link", stat.S_IFLNK | 0o777), NOT_PLAIN),
        (entry("link/", stat.S_IFLNK | 0o777), NOT_PLAIN),
        (entry("device", stat.S_IFCHR | 0o600), NOT_PLAIN),
        (entry("device", stat.S_IFBLK | 0o600), NOT_PLAIN),
        (entry("pipe", stat.S_IFIFO | 0o600), NOT_PLAIN),
        (entry("socket", stat.S_IFSOCK | 0o600), NOT_PLAIN),
        (entry("folder", stat.S_IFDIR | 0o755), NOT_PLAIN),
        (entry("file/", REGULAR), NOT_PLAIN),
        (entry("a", compress_type=zipfile.ZIP_LZMA), "which is compressed in a way that bundles are not"),
        (entry("a", compress_type=zipfile.ZIP_BZIP2), "which is compressed in a way that bundles are not"),
    ],
    ids=lambda value: value.filename if isinstance(value, zipfile.ZipInfo) else "",
)
def test_what_is_no_plain_file_inside_of_the_bundle_is_refused(
    tmp_path: Path, info: zipfile.ZipInfo, reason: str
) -> None:
    said = refusal(tmp_path, zipped((info, b"x" if not info.is_dir() else b"")))

    assert said == f"The bundle of code holds {info.filename!r}, {reason}. {AGAIN}"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle.zip", "code"]
    assert list((tmp_path / "code").iterdir()) == []


def test_a_name_with_a_nul_is_refused_rather_than_cut_off(tmp_path: Path) -> None:
    data = zipped((entry("flow.pyXhidden"), b"x")).replace(b"flow.pyX", b"flow.py\0")

    assert refusal(tmp_path, data) == f"The bundle of code holds 'flow.py\\x00hidden', {NOT_INSIDE}. {AGAIN}"


def test_an_encrypted_entry_is_refused(tmp_path: Path) -> None:
    data = bytearray(zipped((entry("a"), b"x")))
    data[6] |= 1  # flags of the local header
    data[data.index(b"PK\x01\x02") + 8] |= 1  # and of the directory

    assert refusal(tmp_path, bytes(data)) == f"The bundle of code holds 'a', which is encrypted. {AGAIN}"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize(
    "names", [("a", "a"), ("a/b", "a/b"), ("a", "a/b"), ("a/b", "a"), ("a", "a/"), ("a/b/c", "a/b")]
)
def test_a_name_that_stands_for_two_things_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    entries = [(entry(name, 0), b"") for name in names]

    assert refusal(tmp_path, zipped(*entries)) == f"The bundle of code holds {names[-1]!r} twice. {AGAIN}"


def test_as_many_files_and_folders_as_allowed_come_out_and_no_more(tmp_path: Path) -> None:
    files = [(entry(f"f/{number}"), b"") for number in range(MAX_FILES - 1)]

    assert len(unpacked(tmp_path, zipped(*files))) == MAX_FILES
    (tmp_path / "more").mkdir()
    said = refusal(tmp_path / "more", zipped(*files, (entry("g"), b"")))
    assert said == f"The bundle of code holds more than 4,096 files and folders. {AGAIN}"


def test_folders_that_only_paths_name_are_counted(tmp_path: Path) -> None:
    deep = [(entry(f"{number}/" + "d/" * 99 + "f"), b"") for number in range(60)]

    assert "holds more than 4,096 files and folders" in refusal(tmp_path, zipped(*deep))
    assert sum(1 for _ in (tmp_path / "code").rglob("*")) <= MAX_FILES + 101


def test_a_path_that_no_system_takes_is_told(tmp_path: Path) -> None:
    said = refusal(tmp_path, zipped((entry("n" * 300), b"")))

    assert said.startswith(f"The bundle of code cannot be unpacked into {tmp_path}/code (File name too long).")


def test_a_zip_that_unpacks_to_more_than_is_allowed_is_stopped_on_the_way(tmp_path: Path) -> None:
    data = zipped((entry("small"), b"x"), (entry("zeros"), bytes(MAX_UNPACKED_BYTES)))

    assert len(data) < 100_000
    assert refusal(tmp_path, data) == f"The bundle of code unpacks to more than 67,108,864 bytes. {AGAIN}"
    assert (tmp_path / "code" / "zeros").stat().st_size <= MAX_UNPACKED_BYTES


def test_sizes_that_the_zip_says_of_itself_are_not_believed(tmp_path: Path) -> None:
    """Entries that all show the same compressed megabytes: small by their headers' sum, large in truth."""
    zeros = bytes(16 * 1024 * 1024)
    data = bytearray(zipped(*((entry(f"{number}"), zeros) for number in range(5))))
    for at in (at for at in range(len(data)) if bytes(data[at : at + 4]) in {b"PK\x01\x02", b"PK\x03\x04"}):
        struct.pack_into("<I", data, at + (24 if data[at + 2] == 1 else 22), 10)

    said = refusal(tmp_path, bytes(data))

    assert "is not a sound zip" in said
    assert sum(path.stat().st_size for path in (tmp_path / "code").iterdir()) <= 10 * 5


def test_entries_that_share_their_compressed_data_count_as_often_as_they_come(tmp_path: Path) -> None:
    """A zip of 10 KB in which each entry of the directory leads to the same compressed 8 MiB."""
    zeros = bytes(8 * 1024 * 1024)
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(zeros) + packer.flush()
    crc, name = zlib.crc32(zeros), b"a"
    sizes = struct.pack("<III", crc, len(packed), len(zeros))
    local = b"PK\x03\x04" + struct.pack("<HHHHH", 20, 0, 8, 0, 0x21) + sizes + struct.pack("<HH", 1, 0)
    data = local + name + packed
    directory = b""
    for letter in b"abcdefghijkl":
        directory += b"PK\x01\x02" + struct.pack("<HHHHHH", 20, 20, 0, 8, 0, 0x21) + sizes
        directory += struct.pack("<HHHHHII", 1, 0, 0, 0, 0, 0, 0) + bytes([letter])
    end = b"PK\x05\x06" + struct.pack("<HHHHIIH", 0, 0, 12, 12, len(directory), len(data), 0)

    refusal(tmp_path, data + directory + end)

    assert sum(path.stat().st_size for path in (tmp_path / "code").iterdir()) <= MAX_UNPACKED_BYTES


@pytest.mark.parametrize("data", [b"", b"PK", b"not a zip at all", zipped((entry("a"), b"x" * 99))[:-9]])
def test_what_is_no_zip_is_told(tmp_path: Path, data: bytes) -> None:
    if not data:  # a bundle of no bytes cannot even be asked for
        (tmp_path / "bundle.zip").touch()
        with pytest.raises(LoadError, match="has 0 bytes"):
            unpack(str(tmp_path / "bundle.zip"), Bundle(sha256="0" * 64, size=1), str(tmp_path / "code"))
        return
    assert refusal(tmp_path, data) == f"The bundle of code is not a sound zip (File is not a zip file). {AGAIN}"


def test_a_damaged_file_is_told(tmp_path: Path) -> None:
    data = bytearray(zipped((entry("a", compress_type=zipfile.ZIP_STORED), b"content")))
    data[data.index(b"content")] ^= 1

    assert refusal(tmp_path, bytes(data)) == (
        f"The bundle of code is not a sound zip (Bad CRC-32 for file 'a'). {AGAIN}"
    )


def test_a_folder_that_is_there_already_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / "mine").touch()

    said = refusal(tmp_path, zipped((entry("a"), b"x")))

    assert said == (
        f"The bundle of code cannot be unpacked into {tmp_path}/code (File exists). "
        "Give the run room in its temporary folder, or name another one with TMPDIR."
    )
    assert [path.name for path in (tmp_path / "code").iterdir()] == ["mine"]


SOUND = zipped((entry("a/b.py"), b"x = 1\n" * 50), (entry("c", compress_type=zipfile.ZIP_STORED), b"\0" * 30))


@given(
    st.lists(st.tuples(st.integers(0, len(SOUND) - 1), st.integers(0, 255)), min_size=1, max_size=6),
    st.integers(0, len(SOUND)),
)
def test_whatever_is_damaged_the_only_error_is_a_load_error_and_nothing_is_outside(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[int, int]], length: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    data = bytearray(SOUND)
    for place, value in changes:
        data[place] = value
    with contextlib.suppress(LoadError):  # anything else fails the test
        unpacked(folder, bytes(data[:length] if length % 3 == 0 and length else data))
    assert {path.name for path in folder.iterdir()} <= {"bundle.zip", "code"}
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    assert os.path.lexists(folder / "bundle.zip")
