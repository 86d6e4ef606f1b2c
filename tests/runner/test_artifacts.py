"""The files that a run leaves behind: listed, and the small ones read."""

import os
import random
from pathlib import Path

import pytest

from runner.artifacts import MAX_CONTENT_BYTES, MAX_LIST_BYTES, contents, listed, make_folder
from runner.compression import MAX_EXPANDED_BYTES, compressed, expanded
from runner.contract import to_bytes
from runner.errors import UnavailableError
from runner.outcome import Artifact


def test_the_folder_is_made_with_those_above_it_and_is_the_users_own(tmp_path: Path) -> None:
    folder = tmp_path / "penstock" / "artifacts"

    make_folder(str(folder))
    make_folder(str(folder))

    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(UnavailableError) as caught:
        make_folder(str(tmp_path / "file" / "artifacts"))

    assert str(caught.value) == (
        f"The folder {tmp_path}/file/artifacts for the run's artifacts cannot be made (Not a directory). "
        "Name one that can be made, below a volume that the run may write to."
    )


def test_files_are_listed_in_order_with_their_places(tmp_path: Path) -> None:
    for name in ("b", "a/c", "a b", "ü"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")).touch()

    assert listed(str(tmp_path)) == tuple(
        Artifact(name=name, path=f"{tmp_path}/{name}") for name in ("\\xff", "a b", "a/c", "b", "ü")
    )


@pytest.mark.parametrize("letter", ["x", "\x01"])
def test_no_more_is_listed_than_an_outcome_can_carry(tmp_path: Path, letter: str) -> None:
    for number in range(1000):
        (tmp_path / f"{number:04}{letter * 200}").touch()

    found = listed(str(tmp_path))

    assert found[0].name == f"0000{letter * 200}"
    size = len(to_bytes(list(found)))
    assert MAX_LIST_BYTES - 4000 < size <= MAX_LIST_BYTES + 1


def noise(size: int) -> bytes:
    """Bytes that no compression makes fewer."""
    return random.Random(size).randbytes(size)  # noqa: S311 no secret


def kept(folder: Path) -> dict[str, bytes | None]:
    """What travels of the files in the folder, as it was before."""
    return {name: expanded(data, MAX_EXPANDED_BYTES) for name, data in contents(listed(str(folder))).items()}


@pytest.mark.parametrize(("less", "taken"), [(0, ["b", "c/d", "e", "f"]), (400, ["a", "b", "c/d", "e", "f"])])
def test_contents_are_those_of_the_smallest_files_as_long_as_there_is_room(
    tmp_path: Path, less: int, taken: list[str]
) -> None:
    half = MAX_CONTENT_BYTES // 2
    sizes = {"a": half - less, "b": 10, "c/d": half - 200, "e": 0, "f": 9, "huge": MAX_CONTENT_BYTES}
    (tmp_path / "c").mkdir()
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(noise(size))

    assert kept(tmp_path) == {name: noise(sizes[name]) for name in taken}
    assert sum(map(len, contents(listed(str(tmp_path))).values())) <= MAX_CONTENT_BYTES


def test_a_file_that_compresses_well_may_be_much_larger_than_the_room(tmp_path: Path) -> None:
    report = b"<html>" + b"".join(b"%d, " % number for number in range(600_000))
    (tmp_path / "report.html").write_bytes(report)

    assert len(report) > 4 * MAX_CONTENT_BYTES
    assert contents(listed(str(tmp_path))) == {}
    (tmp_path / "report.html").write_bytes(report[: len(report) // 3])
    assert kept(tmp_path) == {"report.html": report[: len(report) // 3]}


def test_no_more_is_read_than_a_reader_expands(tmp_path: Path) -> None:
    sizes = {"a": MAX_EXPANDED_BYTES // 2, "b": MAX_EXPANDED_BYTES // 2, "c": 1, "d": MAX_EXPANDED_BYTES + 1}
    for name, size in sizes.items():
        (tmp_path / name).write_bytes(bytes(size))

    assert {name: len(data or b"") for name, data in kept(tmp_path).items()} == {"c": 1, "a": MAX_EXPANDED_BYTES // 2}
    (tmp_path / "c").unlink()
    assert list(kept(tmp_path)) == ["a", "b"]


def test_files_that_do_not_fit_cost_no_more_than_the_others(tmp_path: Path) -> None:
    for number in range(20):
        (tmp_path / f"{number:02}").write_bytes(noise(2 * MAX_CONTENT_BYTES))
    (tmp_path / "small").write_bytes(b"x")

    assert kept(tmp_path) == {"small": b"x"}


def test_what_is_no_file_and_what_is_gone_have_no_contents(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "broken").symlink_to("nowhere")
    (tmp_path / "latest").symlink_to("real")
    (tmp_path / "real").write_bytes(b"x")
    gone = Artifact(name="gone", path=f"{tmp_path}/gone")

    assert contents([*listed(str(tmp_path)), gone]) == {"latest": compressed(b"x"), "real": compressed(b"x")}


def test_a_file_without_an_end_takes_no_more_than_there_is_room(tmp_path: Path) -> None:
    (tmp_path / "endless").symlink_to("/proc/kallsyms")  # it shows a size of 0, and has megabytes
    (tmp_path / "real").write_bytes(b"x")

    assert kept(tmp_path).get("real") == b"x"
