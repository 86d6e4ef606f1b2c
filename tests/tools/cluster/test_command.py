from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tools.cluster import __main__ as command
from tools.cluster.kind import KindCluster
from tools.cluster.node import Node


class Recorded(KindCluster):
    """A cluster that prints what it is asked for."""

    def up(self) -> None:
        print("up")

    def down(self) -> None:
        print("down")

    def load(self, archives: Sequence[Path]) -> None:
        print("load", *archives)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The state folder of a cluster that was never made."""
    monkeypatch.setattr(command, "current", lambda: Node(state=tmp_path / "cluster"))
    return tmp_path / "cluster"


@pytest.mark.parametrize(
    ("words", "output"),
    [
        (["up"], "up\nload\n{}/kubeconfig\n"),
        (["up", "--image", "a.tar", "--image", "b.tar"], "up\nload a.tar b.tar\n{}/kubeconfig\n"),
        (["load", "a.tar", "b.tar"], "load a.tar b.tar\n"),
        (["down"], "down\n"),
    ],
)
def test_the_verbs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], words: list[str], output: str
) -> None:
    monkeypatch.setattr(command, "current", lambda: Recorded(state=tmp_path))
    assert command.main(words) == 0
    assert capsys.readouterr().out == output.format(tmp_path)


@pytest.mark.parametrize("words", [["status"], ["load", "image.tar"]])
def test_without_a_cluster_the_next_step_is_said(
    state: Path, capsys: pytest.CaptureFixture[str], words: list[str]
) -> None:
    assert command.main(words) == 69
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == f"No test cluster is running in {state}. Start it with `make cluster-up`.\n"


def test_down_without_a_cluster_is_done_at_once(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["down"]) == 0
    assert capsys.readouterr() == ("", "")
    assert not state.exists()


def test_who_is_not_root_and_has_no_docker_is_told_what_is_needed(
    state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert command.main(["up"]) == 69
    assert capsys.readouterr().err == (
        "Neither root on Linux nor a Docker engine with kind and kubectl was found; the cluster needs either. "
        "Run this as root, or install and start those.\n"
    )
