"""An image registry that has nothing, and says so in different ways, on the cluster's node.

An image `127.0.0.1:<port>/missing:1` is not there, `denied` may not be had, `busy` is asked for too often, `down` meets
an error of the server.
"""

import contextlib
from collections.abc import Iterator

from tests.testbed.node_process import on_node

PORT = 5017
SERVER = """
import http.server, sys, threading
STATUS = {"missing": 404, "denied": 403, "busy": 429, "down": 503}
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        word = self.path.split("/")[2] if self.path.count("/") > 2 else ""
        self.send_response(STATUS.get(word, 200))
        self.send_header("Content-Length", "0")
        self.end_headers()
    do_HEAD = do_GET
    def log_message(self, *_): pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
"""


@contextlib.contextmanager
def registry() -> Iterator[str]:
    """The registry's address as an image's name begins with it; the registry is gone on leaving."""
    with on_node(SERVER, str(PORT)):
        yield f"127.0.0.1:{PORT}"
