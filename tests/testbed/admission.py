"""Admission webhooks for the pods of one namespace, and a server that denies whatever it is asked."""

import contextlib
import json
import time
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path

from runner.kubernetes.client import Client, path
from runner.kubernetes.errors import ApiError
from runner.launch.kubernetes.job import render
from runner.request import RunRequest
from tests.runner.kubernetes.certificates import Authority
from tests.testbed.kubernetes_cluster import environment
from tests.testbed.node_process import on_node

GROUP = "admissionregistration.k8s.io/v1"
PODS = [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}]
PORT = 5018
SERVER = """
import http.server, json, ssl, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answer = {"uid": asked["request"]["uid"], "allowed": False, "status": {"message": sys.argv[3]}}
        body = json.dumps({"apiVersion": asked["apiVersion"], "kind": asked["kind"], "response": answer}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""


@contextlib.contextmanager
def webhook(client: Client, namespace: str, url: str, *, authority: str = "") -> Iterator[str]:
    """A webhook that is asked about each pod of the namespace; its name."""
    name = f"{namespace}.penstock.dev"
    hook = {
        "name": name,
        "clientConfig": {"url": url, "caBundle": b64encode(authority.encode()).decode()},
        "rules": PODS,
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "failurePolicy": "Fail",
    }
    kind = "ValidatingWebhookConfiguration"
    hooks = path(GROUP, "validatingwebhookconfigurations")
    client.create(hooks, {"apiVersion": GROUP, "kind": kind, "metadata": {"name": name}, "webhooks": [hook]})
    try:
        yield name
    finally:
        client.delete(f"{hooks}/{name}")


@contextlib.contextmanager
def denying(client: Client, namespace: str, folder: Path, message: str) -> Iterator[str]:
    """A webhook that denies each pod of the namespace with a message; its name."""
    authority = Authority()
    pair = authority.server()
    file = folder / "webhook.pem"
    file.write_text(pair.certificate + pair.key)
    url = f"https://127.0.0.1:{PORT}/"
    with (
        on_node(SERVER, str(PORT), str(file), message),
        webhook(client, namespace, url, authority=authority.certificate) as name,
    ):
        yield name


def await_refusal(client: Client, namespace: str, text: str) -> None:
    """Wait until the API server refuses a pod with these words: admission takes effect some time after it is made."""
    # A pod that nothing else is against.
    job = render(environment(namespace), RunRequest(run_id="probe", accepted_at=0.0, flow="json:dumps"))
    metadata = {"generateName": "probe-"}
    spec = job["spec"]["template"]["spec"]
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
    pods = path("v1", "pods", namespace=namespace)
    with Client(client.access, budget_seconds=0.2) as hasty:  # some refusals look as if they would pass
        for _ in range(100):
            try:
                hasty.raw("POST", pods, body=json.dumps(pod).encode(), dryRun="All")
            except ApiError as error:
                if text in error.message:
                    return
            time.sleep(0.1)  # the API server gives no event of that
    raise TimeoutError(f"no pod of {namespace} was refused with {text!r}")
