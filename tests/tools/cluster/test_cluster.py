"""What tests can rely on, on the cluster that all of them use: it is as healthy after each of these as before."""

from __future__ import annotations

import json
import os
import stat

import pytest

from tools import cluster
from tools.errors import CommandError

pytestmark = pytest.mark.cluster


@pytest.fixture(scope="module")
def here() -> cluster.Cluster:
    here = cluster.current()
    here.up()
    return here


def test_a_second_up_changes_nothing(here: cluster.Cluster, capsys: pytest.CaptureFixture[str]) -> None:
    before = here.kubectl("get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}")
    here.up()
    assert here.kubectl("get", "namespace", "kube-system", "--output=jsonpath={.metadata.uid}") == before
    assert capsys.readouterr() == ("", "")


def test_the_kubeconfig_is_whole_and_for_its_owner_only(here: cluster.Cluster) -> None:
    assert stat.S_IMODE(here.kubeconfig.stat().st_mode) == 0o600
    assert here.kubeconfig.stat().st_uid == os.geteuid()
    config = json.loads(here.kubectl("config", "view", "--raw", "--output=json"))
    assert config["clusters"][0]["cluster"]["server"].startswith("https://127.0.0.1:")
    assert set(config["users"][0]["user"]) == {"client-certificate-data", "client-key-data"}


def test_the_node_is_ready_and_pods_can_be_admitted(here: cluster.Cluster) -> None:
    [node] = json.loads(here.kubectl("get", "nodes", "--output=json"))["items"]
    conditions = {condition["type"]: condition["status"] for condition in node["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    found = here.kubectl("get", "serviceaccount/default", "configmap/kube-root-ca.crt", "--output=name").split()
    assert found == ["serviceaccount/default", "configmap/kube-root-ca.crt"]


def test_commands_can_be_run_on_the_node(here: cluster.Cluster) -> None:
    [name] = here.kubectl("get", "nodes", "--output=name").split()
    images = here.run("ctr", "--address=/run/containerd/containerd.sock", "--namespace=k8s.io", "images", "list", "-q")
    assert name.startswith("node/")
    assert "pause:" in images


def test_the_kubelet_can_be_stopped_and_started(here: cluster.Cluster) -> None:
    [node] = here.kubectl("get", "nodes", "--output=name").split()
    proxy = f"/api/v1/nodes/{node.removeprefix('node/')}/proxy/healthz"
    assert here.kubectl("get", f"--raw={proxy}") == "ok"
    here.stop_component("kubelet")
    try:
        with pytest.raises(CommandError, match="connection refused"):
            here.kubectl("get", f"--raw={proxy}")
    finally:
        here.start_component("kubelet")
        here.up()
    here.start_component("kubelet")
    assert here.status().splitlines()[0] == f"kubeconfig: {here.kubeconfig}"
