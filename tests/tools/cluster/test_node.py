"""A node of the tests' own, which they break."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tools.cluster import cgroups, namespaces, programs
from tools.cluster.archive import write_image
from tools.cluster.node import CTR, Node
from tools.cluster.process_table import Process, processes
from tools.paths import CHECKOUT

pytestmark = pytest.mark.cluster

JOB = f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: greeting}}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - name: main
          image: {programs.PAUSE_IMAGE}
          args: [hello, from, the, node]
          resources: {{limits: {{cpu: 100m, memory: 32Mi}}}}
"""
# What Kubernetes and containerd would make outside their own folders.
ELSEWHERE = ("/var/lib/kubelet", "/var/lib/cni", "/var/log/pods", "/opt/containerd", "/usr/libexec/kubernetes")


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    # Far longer than the path of a socket can be.
    folder = tmp_path_factory.mktemp("node") / ("a-folder-with-a-long-name" * 5) / "cluster"
    yield folder
    Node(state=folder).down()


@pytest.fixture
def node(state: Path) -> Node:
    node = Node(state=state)
    node.up()
    return node


def _holders(state: Path) -> list[Process]:
    return [process for process in processes() if process.words[:1] == ("unshare",) and str(state) in process.words]


def _until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)  # other processes come and go without telling


def _machine() -> list[object]:
    """What of the machine the node has no business with."""
    mounts = Path("/proc/mounts").read_text().splitlines()
    rules = [line for line in _output("iptables-save").splitlines() if not line.startswith("#")]
    return [mounts, rules, socket.if_nameindex(), [path for path in ELSEWHERE if Path(path).exists()]]


def _output(program: str) -> str:
    return subprocess.run([program], capture_output=True, text=True, check=True).stdout


def test_a_job_runs_to_its_end(node: Node, tmp_path: Path) -> None:
    (tmp_path / "job.yaml").write_text(JOB)
    node.kubectl("apply", "-f", tmp_path / "job.yaml")
    try:
        node.kubectl("wait", "--for=condition=Complete", "--timeout=30s", "job/greeting")
        assert node.kubectl("logs", "job/greeting") == "hello from the node\n"
    finally:
        node.kubectl("delete", "job", "greeting", "--wait=false")


def test_an_image_is_loaded_when_it_is_another_than_before(node: Node, tmp_path: Path) -> None:
    def digest_after(content: bytes) -> str:
        archive = tmp_path / "image.tar"
        write_image(archive, name="penstock.local/thing:1", files={"thing": content}, entrypoint=["/thing"])
        node.load([archive])
        listed = node.run(*CTR, "images", "list", "name==penstock.local/thing:1").splitlines()
        return listed[1].split()[2]

    first = digest_after(b"first")
    assert digest_after(b"first") == first
    assert digest_after(b"second") != first
    assert digest_after(b"first") == first


def test_a_crash_is_repaired_and_nothing_is_lost(node: Node, capsys: pytest.CaptureFixture[str]) -> None:
    before = namespaces.find(node.state)
    node.kubectl("create", "configmap", "kept", "--from-literal=a=b")
    for name in ("kubelet", "kube-apiserver", "etcd", "containerd", "door"):
        node.stop_component(name)
    capsys.readouterr()
    node.up()
    assert "Repairing the test cluster" in capsys.readouterr().err
    assert namespaces.find(node.state) == before
    assert node.kubectl("get", "configmap", "kept", "--output=jsonpath={.data.a}") == "b"
    node.kubectl("delete", "configmap", "kept")


@pytest.mark.parametrize("victim", ["the first process inside", "its parent"])
def test_when_the_namespaces_are_gone_there_is_a_new_cluster(node: Node, victim: str) -> None:
    [holder] = _holders(node.state)
    old = namespaces.find(node.state)
    assert old
    server = node.kubectl("config", "view", "--output=jsonpath={.clusters[0].cluster.server}")
    os.kill(holder.pid if victim == "its parent" else old.first, signal.SIGKILL)
    node.up()
    [new] = _holders(node.state)
    assert new.pid != holder.pid
    assert node.kubectl("config", "view", "--output=jsonpath={.clusters[0].cluster.server}") == server
    assert node.kubectl("get", "nodes", "--output=name") == "node/node1\n"


@pytest.mark.parametrize("moment", ["unshare", "etcd", "kubelet"])
def test_an_up_that_was_killed_halfway_is_completed(state: Path, moment: str) -> None:
    node = Node(state=state)
    node.down()
    program = "import pathlib, sys; from tools.cluster.node import Node; Node(state=pathlib.Path(sys.argv[1])).up()"

    def begun() -> bool:
        inside = [process.pid for process in _holders(state)]
        inside += [found.first] if (found := namespaces.find(state)) else []
        return any(
            p.words and p.words[0].endswith(moment) for p in processes() if p.pid in inside or p.parent in inside
        )

    with subprocess.Popen([sys.executable, "-c", program, state], cwd=CHECKOUT, stderr=subprocess.DEVNULL) as child:
        _until(begun)
        child.kill()
    node.up()
    assert len(_holders(state)) == 1
    assert node.kubectl("get", "nodes", "--output=name") == "node/node1\n"


def test_a_node_that_was_made_otherwise_is_made_anew(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    [before] = _holders(node.state)
    monkeypatch.setattr("tools.cluster.components.SERVICE_ADDRESSES", "10.96.0.0/20")
    node.up()
    [after] = _holders(node.state)
    assert after.pid != before.pid


def test_nothing_of_the_machine_is_touched_and_nothing_is_left(state: Path) -> None:
    node = Node(state=state)
    node.down()
    before = _machine()
    node.up()
    assert _machine() == before
    assert len(list(cgroups.ROOT.glob(f"**/{node._cgroup}/kubepods"))) >= 1
    first = node.enter[1].removeprefix("--target=")
    inside = {process.pid for process in processes() if _namespace(process.pid) == _namespace(int(first))}
    assert len(inside) >= 9
    node.down()
    assert _machine() == before
    assert not state.exists()
    assert not inside & {process.pid for process in processes()}
    assert list(cgroups.ROOT.glob(f"**/{node._cgroup}")) == []
    assert [process.words for process in processes() if any(str(state) in word for word in process.words)] == []


def _namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/pid").readlink())
    except OSError:
        return ""
