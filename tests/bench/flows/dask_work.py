"""What the bench has a Dask cluster do. The same text is the flow of a run, and the program of a raw pod.

The raw pod is told the protocol of its scheduler and the file with its keys, or nothing of either.
"""

import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 8000
TASKS = 2000


def opening(parameters, options):
    """Note the time; this is called right before the cluster opens."""
    os.environ["BENCH_OPENING"] = str(time.time())


def up(workers):
    """Wait for the workers; when the cluster began to open, and when they were there."""
    from distributed import get_client

    return {"opening": float(os.environ["BENCH_OPENING"]), "connected": connected(get_client().cluster, workers)}


def serve():
    """Work for the run's cluster until somebody asks for the end."""
    from distributed import get_client

    client = get_client()
    answer(client.cluster, client)


def connected(cluster, workers):
    """Wait until exactly so many workers are connected; the time then."""
    # Client.wait_for_workers looks ten times a second only.
    while len(cluster.scheduler.workers) != workers:
        time.sleep(0.002)
    return time.time()


def tasks(cluster, client):
    """Seconds that tasks without work take; all of them are forgotten when this returns."""
    began = time.perf_counter()
    client.gather(client.map(int, range(TASKS), pure=False))
    seconds = time.perf_counter() - began
    while cluster.scheduler.tasks:
        time.sleep(0.002)
    return seconds


def answer(cluster, client):
    """Answer GET /connected/N and GET /tasks until GET /end."""
    over = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            match self.path.strip("/").split("/"):
                case ["connected", workers]:
                    said = connected(cluster, int(workers))
                case ["tasks"]:
                    said = tasks(cluster, client)
                case _:
                    said = 0.0
            body = str(said).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            if self.path == "/end":
                over.set()

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("", PORT), Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        over.wait()
        server.shutdown()


def main(protocol="tcp", keys=None):
    """Be a scheduler and a client that answer, without workers of their own."""
    from distributed import Client, Scheduler, Security, SpecCluster

    security = None
    if keys is not None:
        roles = ("client", "scheduler", "worker")
        files = {f"tls_{role}_{what}": keys for role in roles for what in ("cert", "key")}
        security = Security(tls_ca_file=keys, require_encryption=True, **files)
    options = {
        "protocol": f"{protocol}://",
        "host": os.environ["POD_IP"],
        "port": 8786,
        "security": security,
        "dashboard": False,
        "dashboard_address": "127.0.0.1:0",
    }
    scheduler = {"cls": Scheduler, "options": options}
    with SpecCluster(scheduler=scheduler, security=security, name="raw") as cluster, Client(cluster) as client:
        answer(cluster, client)


if __name__ == "__main__":
    main(*sys.argv[1:])
