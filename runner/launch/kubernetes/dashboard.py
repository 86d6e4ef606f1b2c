"""Leads from this machine to Dask's dashboard, which listens on the loopback address of the run's pod only."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from runner.errors import PenstockError
from runner.kubernetes.client import Client
from runner.kubernetes.errors import ConnectionLost, NotFound, NotListening
from runner.launch.kubernetes import status
from runner.sections import DASHBOARD_PORT

if TYPE_CHECKING:
    from runner.kubernetes.port_forward import PortForward


class Dashboard:
    """A port of this machine that leads to the dashboard of one run, in whichever pod that is, until it is left.

    Args:
        client: the cluster.
        namespace: of the run.
        notice: called, by any thread, with a sentence about where the dashboard is, or why it cannot be reached.
        wanted: whether there is to be such a port at all.
    """

    def __init__(self, client: Client, namespace: str, notice: Callable[[str], object], *, wanted: bool) -> None:
        self._client, self._namespace, self._notice = client, namespace, notice
        self._wanted = wanted
        self._pod: str | None = None
        self._forward: PortForward | None = None
        self._told: set[str] = set()

    def __enter__(self) -> "Dashboard":
        return self

    def __exit__(self, *_: object) -> None:
        if self._forward is not None:
            self._forward.close()

    def see(self, pod: Mapping[str, Any]) -> None:
        """Take note of the pod that the run is in, as it is now. The port is there from when its container is up."""
        if not self._wanted:
            return
        is_up = "running" in status.flow_status(pod).get("state", {})
        self._pod = pod["metadata"]["name"] if is_up else None
        if is_up and self._forward is None:
            self._open()

    def _open(self) -> None:
        from runner.kubernetes.port_forward import PortForward  # not for runs that nobody looks at

        try:
            self._forward = PortForward(
                self._client,
                self._namespace,
                lambda: self._pod,
                DASHBOARD_PORT,
                preferred=DASHBOARD_PORT,
                failed=self._explain,
            )
        except OSError as error:
            self._wanted = False
            self._notice(f"Dask's dashboard is not shown, since this machine gives no port for it ({error.strerror}).")
            return
        where = f"http://127.0.0.1:{self._forward.local_port}/status"
        self._notice(f"Dask's dashboard is at {where} while this follows the run.")

    def _explain(self, error: PenstockError) -> None:
        """Say once why a page does not come; one that breaks off with its pod needs no word."""
        if isinstance(error, ConnectionLost | NotFound):
            return
        sentence = f"Dask's dashboard cannot be reached. {error}"
        if isinstance(error, NotListening):
            sentence = "Dask's dashboard does not answer: the flow's cluster is not up now. Reload the page when it is."
        if sentence not in self._told:
            self._told.add(sentence)
            self._notice(sentence)
