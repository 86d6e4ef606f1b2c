"""Counting the kernel's out-of-memory kills, with folders that look as cgroups do."""

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from runner import memory

V2 = "low 0\nhigh 3\nmax 12\noom 5\noom_kill 4\noom_group_kill 1\n"
V1 = "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"

Cgroups = Callable[[str, Mapping[str, str]], None]


@pytest.fixture
def cgroups(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cgroups:
    """Makes what /proc/self/cgroup says, and the files below /sys/fs/cgroup."""

    def make(own: str, files: Mapping[str, str]) -> None:
        (tmp_path / "own").write_text(own)
        for name, text in files.items():
            path = tmp_path / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    monkeypatch.setattr(memory, "OWN_CGROUPS", str(tmp_path / "own"))
    monkeypatch.setattr(memory, "CGROUP_ROOT", str(tmp_path / "root"))
    return make


@pytest.mark.parametrize(
    ("own", "files", "kills"),
    [
        ("0::/system/run 7\n", {"system/run 7/memory.events": V2, "memory.events": "oom_kill 99\n"}, 4),
        ("0::/kubepods/pod1\n", {"memory.events": V2}, 4),
        ("0::/\n", {"memory.events": V2}, 4),
        ("5:cpu,cpuacct:/a\n4:memory:/docker/b\n", {"memory/docker/b/memory.oom_control": V1}, 2),
        ("4:memory:/docker/b\n", {"memory/memory.oom_control": V1}, 2),
        ("4:memory,hugetlb:/b:c\n0::/d\n", {"memory/b:c/memory.oom_control": V1, "d/memory.events": V2}, 2),
        ("4:memory:/b\n0::/d\n", {"d/memory.events": V2}, 4),
        ("4:memory:/b\n", {"memory/memory.oom_control": "oom_kill_disable 0\nunder_oom 0\n"}, 0),
        ("0::/\n", {}, 0),
        ("1:name=systemd:/\n", {"memory.events": V2}, 0),
        ("", {"memory.events": V2}, 0),
    ],
    ids=[
        "version 2",
        "version 2, the host's path in a container",
        "version 2, a cgroup namespace",
        "version 1",
        "version 1, the host's path in a container",
        "both, with memory in version 1",
        "both, with memory in version 2",
        "version 1 of a kernel before 4.13, without the counter",
        "no counter anywhere",
        "no memory controller",
        "no cgroups",
    ],
)
def test_the_counter_is_found(cgroups: Cgroups, own: str, files: Mapping[str, str], kills: int) -> None:
    cgroups(own, files)

    assert memory.oom_kills() == kills


def test_a_system_without_cgroups_has_no_kills(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(memory, "OWN_CGROUPS", str(tmp_path / "none"))

    assert memory.oom_kills() == 0


def test_this_systems_own_counter_is_a_number() -> None:
    assert memory.oom_kills() >= 0
