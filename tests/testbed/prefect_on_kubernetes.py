"""Prefect's own server as a pod of a real cluster, and the image that it and Prefect flows run in."""

import json
import time
from collections import Counter
from typing import Any

from runner.kubernetes.client import Client, path
from tests.testbed.kubernetes_cluster import await_pods, the_node
from tools import image

IMAGE = image.PREFECT.name
SERVER = "prefect-server"
PORT = 4200
START = f"cp -r /opt/prefect /tmp && exec python3 -m prefect server start --host 0.0.0.0 --port {PORT}"
"""Its database begins as the image's empty one, and is where it can be written."""
VARIABLES = {
    "DO_NOT_TRACK": "1",
    "PREFECT_HOME": "/tmp/prefect",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_ENABLED": "false",
}
START_SECONDS = 90
RECORD_SECONDS = 15


def load_image() -> None:
    """Have the image built, where it is not, and make it known to the cluster."""
    the_node().load([image.archives(image.PREFECT)[IMAGE]])


def start_server(client: Client, namespace: str) -> str:
    """Start a server that lasts as long as its namespace; the address of its API, once it answers."""
    container = {
        "name": "server",
        "image": IMAGE,
        "command": ["sh", "-c", START],
        "env": [{"name": name, "value": value} for name, value in VARIABLES.items()],
        "readinessProbe": {"httpGet": {"path": "/api/health", "port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "256Mi"}, "limits": {"memory": "768Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "readOnlyRootFilesystem": True,
        },
    }
    spec = {
        "automountServiceAccountToken": False,
        "containers": [container],
        "enableServiceLinks": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "terminationGracePeriodSeconds": 1,
    }
    metadata = {"name": SERVER, "labels": {"app": SERVER}}
    client.create(
        path("v1", "pods", namespace=namespace),
        {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec},
    )
    ready: list[dict[str, Any]] = []

    def is_ready(pods: list[dict[str, Any]]) -> bool:
        ready[:] = [pod for pod in pods if _is_true(pod, "Ready")]
        return bool(ready)

    await_pods(client, namespace, is_ready, seconds=START_SECONDS, selector=f"app={SERVER}")
    # No name server is in the cluster.
    host = ready[0]["status"]["podIP"]
    return f"http://{f'[{host}]' if ':' in host else host}:{PORT}/api"


def _is_true(pod: dict[str, Any], condition: str) -> bool:
    found = pod["status"].get("conditions", [])
    return any(item["type"] == condition and item["status"] == "True" for item in found)


def await_recorded(client: Client, namespace: str, flow: str, states: dict[str, int]) -> None:
    """Wait until the server knows so many task runs of a flow in each state, and no other."""
    where = f"{path('v1', 'pods', namespace=namespace, name=f'{SERVER}:{PORT}', sub='proxy')}/api/task_runs/filter"
    asked = json.dumps({"flows": {"name": {"any_": [flow]}}}).encode()
    until = time.monotonic() + RECORD_SECONDS
    while True:
        found = Counter(run["state_type"] for run in json.loads(client.raw("POST", where, body=asked)))
        if found == states:
            return
        assert time.monotonic() < until, found
        time.sleep(0.1)  # it records what tasks have told it a while later, and tells nobody
