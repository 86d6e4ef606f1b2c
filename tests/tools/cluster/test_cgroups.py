from __future__ import annotations

from pathlib import Path

import pytest

from tools.cluster import cgroups


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in place of the machine's hierarchies."""
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    return tmp_path


def test_of_version_1_every_hierarchy_gets_one_and_loses_it_with_all_below(root: Path) -> None:
    for name in ("cpu", "memory"):
        (root / name).mkdir()
        (root / name / "cgroup.procs").touch()
    (root / "cpuacct").symlink_to("cpu")
    (root / "not-mounted").mkdir()
    cgroups.create("thing")
    cgroups.create("thing")
    (root / "memory" / "thing" / "kubepods" / "pod1").mkdir(parents=True)
    (root / "memory" / "other").mkdir()
    assert sorted(root.glob("*/thing")) == [
        root / "cpu" / "thing",
        root / "cpuacct" / "thing",
        root / "memory" / "thing",
    ]
    cgroups.remove("thing")
    cgroups.remove("thing")
    assert list(root.glob("*/thing")) == []
    assert (root / "memory" / "other").is_dir()


def test_of_version_2_it_gets_every_controller(root: Path) -> None:
    (root / "cgroup.procs").touch()
    (root / "cgroup.controllers").write_text("cpu memory pids\n")
    cgroups.create("thing")
    assert (root / "thing").is_dir()
    assert (root / "cgroup.subtree_control").read_text() == "+cpu +memory +pids"
    cgroups.remove("thing")
    assert not (root / "thing").exists()
