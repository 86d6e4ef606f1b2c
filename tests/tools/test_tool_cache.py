from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tools import paths, tool_cache


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


def _fill(folder: Path) -> None:
    (folder / "program").write_text("whole")


def test_the_folder_is_in_the_users_cache_and_depends_on_every_pin(tmp_path: Path) -> None:
    folder = tool_cache.folder_for("thing", [b"a", b"bc"])
    assert folder.parent == tmp_path / "penstock" / "tools"
    assert folder.name.startswith("thing-")
    assert len({folder, tool_cache.folder_for("thing", [b"ab", b"c"]), tool_cache.folder_for("thing", [b"a"])}) == 3


def test_a_relative_cache_setting_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert paths.tool_cache() == Path.home() / ".cache" / "penstock" / "tools"


def test_a_tool_is_got_once() -> None:
    folder = tool_cache.folder_for("thing", [])
    calls = []

    def fill(target: Path) -> None:
        calls.append(target)
        _fill(target)

    assert tool_cache.obtain(folder, fill) == tool_cache.obtain(folder, fill) == folder
    assert len(calls) == 1
    assert (folder / "program").read_text() == "whole"
    assert folder.stat().st_mode & 0o777 == 0o755


def test_half_a_tool_is_never_there_and_leaves_nothing() -> None:
    folder = tool_cache.folder_for("thing", [])

    def break_off(target: Path) -> None:
        _fill(target)
        assert not folder.exists()
        raise RuntimeError("no space")

    with pytest.raises(RuntimeError, match="no space"):
        tool_cache.obtain(folder, break_off)
    assert [entry.name for entry in folder.parent.iterdir()] == [f"{folder.name}.lock"]
    assert tool_cache.obtain(folder, _fill).is_dir()


def test_what_a_killed_process_left_is_removed() -> None:
    folder = tool_cache.folder_for("thing", [])
    left = folder.with_name(f"{folder.name}.abc.partial")
    left.mkdir(parents=True)
    tool_cache.obtain(folder, _fill)
    assert not left.exists()


def test_of_two_at_a_time_one_gets_it_and_the_other_waits(capsys: pytest.CaptureFixture[str]) -> None:
    folder = tool_cache.folder_for("thing", [])
    calls = []
    begun, go_on = threading.Event(), threading.Event()

    def fill(target: Path) -> None:
        calls.append(target)
        begun.set()
        assert go_on.wait(5)
        _fill(target)

    threads = [threading.Thread(target=tool_cache.obtain, args=(folder, fill)) for _ in range(2)]
    threads[0].start()
    assert begun.wait(5)
    threads[1].start()
    threads[1].join(0.1)
    assert threads[1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join(5)
    assert len(calls) == 1
    assert f"Another process is getting {folder.name}; waiting for it" in capsys.readouterr().err
