"""With stand-ins for docker, kind and kubectl that write down how they are called."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tools import cluster
from tools.cluster.kind import KindCluster
from tools.cluster.node import Node
from tools.errors import CommandError


@dataclasses.dataclass(frozen=True)
class Machine:
    """A folder with stand-ins, and the file in which `kind` keeps its clusters."""

    path: Path

    @property
    def calls(self) -> list[str]:
        file = self.path / "calls"
        text = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        return text.splitlines()

    def put(self, name: str, script: str = "") -> None:
        program = self.path / name
        program.write_text(f'#!/bin/sh\ncd {self.path}\necho "{name} $*" >>calls\n{script}\n')
        program.chmod(0o755)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    machine = Machine(tmp_path / "path")
    machine.path.mkdir()
    machine.put("docker")
    machine.put("kubectl")
    machine.put(
        "kind",
        'case "$1" in get) cat clusters 2>/dev/null;; create) echo penstock >clusters;; delete) : >clusters;; esac; :',
    )
    monkeypatch.setenv("PATH", f"{machine.path}:/usr/bin:/bin")
    return machine


@pytest.fixture
def kind(tmp_path: Path, machine: Machine) -> KindCluster:
    return KindCluster(state=tmp_path / "state" / "cluster")


def test_kind_is_used_where_a_docker_engine_answers(machine: Machine) -> None:
    assert isinstance(cluster.current(), KindCluster)
    machine.put("docker", "exit 1")
    assert isinstance(cluster.current(), Node)


def test_without_kind_no_engine_is_asked(machine: Machine) -> None:
    (machine.path / "kind").unlink()
    assert isinstance(cluster.current(), Node)
    assert machine.calls == []


def test_it_is_created_once(kind: KindCluster, machine: Machine) -> None:
    kind.up()
    wait = f"kubectl --kubeconfig {kind.kubeconfig} wait"
    assert machine.calls == [
        "kind get clusters",
        f"kind create cluster --name=penstock --wait=120s --kubeconfig={kind.kubeconfig}",
        f"{wait} --for=create --timeout=60s serviceaccount/default",
    ]
    kind.up()
    assert machine.calls == [
        "kind get clusters",
        f"kind export kubeconfig --name=penstock --kubeconfig={kind.kubeconfig}",
        f"{wait} --for=condition=Ready --timeout=10s node/penstock-control-plane",
    ]


def test_one_whose_node_is_not_ready_is_made_anew(kind: KindCluster, machine: Machine) -> None:
    kind.up()
    machine.put("kubectl", 'case "$*" in *Ready*) exit 1;; esac')
    assert len(machine.calls) == 3
    kind.up()
    assert [call.split(" --")[0] for call in machine.calls if call.startswith("kind")] == [
        "kind get clusters", "kind export kubeconfig", "kind delete cluster", "kind create cluster"
    ]  # fmt: skip


def test_nothing_is_left_of_it(kind: KindCluster, machine: Machine) -> None:
    kind.up()
    kind.down()
    assert "kind delete cluster --name=penstock" in machine.calls[-1]
    assert not kind.state.exists()
    kind.down()


def test_images_and_processes_of_the_node(kind: KindCluster, machine: Machine) -> None:
    kind.load([Path("/one.tar"), Path("/two.tar")])
    kind.stop_component("kubelet")
    kind.start_component("kubelet")
    assert machine.calls == [
        "kind load image-archive --name=penstock /one.tar",
        "kind load image-archive --name=penstock /two.tar",
        "docker exec penstock-control-plane systemctl stop kubelet",
        "docker exec penstock-control-plane systemctl start kubelet",
    ]


def test_what_kind_says_when_it_fails_is_passed_on(kind: KindCluster, machine: Machine) -> None:
    machine.put("kind", 'case "$1" in get) ;; *) echo no space left >&2; exit 1;; esac')
    with pytest.raises(CommandError, match=r"(?s)`kind create cluster .*no space left"):
        kind.up()
