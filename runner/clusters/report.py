"""Keeps what Dask did with the run: its performance report, and a picture of its task stream."""

import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path

import dask
import distributed

from runner.clusters.task_records import Worker
from runner.clusters.task_stream import picture
from runner.outcome import REPORT_ARTIFACT, TASK_STREAM_ARTIFACT

LONGEST_SECONDS = 15
"""How long a cluster that does not answer any more keeps the run from its end, for each of the two."""
KEPT_RECORDS = tuple(f"distributed.scheduler.dashboard.{page}.task-stream-length" for page in ("status", "tasks"))
"""Dask's settings for how many records a scheduler keeps; the larger one counts."""


@contextmanager
def performance_report(folder: str) -> Iterator[None]:
    """Record what the cluster does, and write both files into the folder; one that fails does not fail the run."""
    with (
        _by_product("performance report", _report(Path(folder))),
        _by_product("picture of the task stream", _task_stream(Path(folder))),
    ):
        yield


@contextmanager
def _report(folder: Path) -> Iterator[None]:
    if find_spec("bokeh") is None:
        print(
            "penstock: no performance report, since bokeh is not installed; run `pip install 'penstock[dask]'` "
            "or set performance_report to false in the executor.",
            file=sys.stderr,
        )
        yield
        return
    client = distributed.get_client()
    report = distributed.performance_report(filename=str(folder / REPORT_ARTIFACT))
    client.sync(report.__aenter__, callback_timeout=LONGEST_SECONDS)
    yield
    _check_open(client)
    # Without code, it would show that of this file.
    client.sync(report.__aexit__, None, None, None, code="", callback_timeout=LONGEST_SECONDS)


@contextmanager
def _task_stream(folder: Path) -> Iterator[None]:
    client = distributed.get_client()
    stream = distributed.get_task_stream(client)
    client.sync(stream.__aenter__, callback_timeout=LONGEST_SECONDS)
    yield
    _check_open(client)
    client.sync(stream.__aexit__, None, None, None, callback_timeout=LONGEST_SECONDS)
    known = client.scheduler_info(n_workers=-1)["workers"]
    workers = {
        address: Worker(name=str(worker["name"]), threads=worker["nthreads"]) for address, worker in known.items()
    }
    drawn = picture(stream.data, workers, limit=max(map(dask.config.get, KEPT_RECORDS)))
    (folder / TASK_STREAM_ARTIFACT).write_text(drawn, encoding="utf-8")


def _check_open(client: distributed.Client) -> None:
    if client.status == "closed":
        raise ConnectionError("the flow has closed the Dask client of its run")


@contextmanager
def _by_product(what: str, recording: AbstractContextManager[None]) -> Iterator[None]:
    """Record beside the flow, however that ends; where it cannot be, one sentence says so."""
    recorded = _done(what, recording.__enter__)
    try:
        yield
    finally:
        if recorded:
            _done(what, lambda: recording.__exit__(None, None, None))


def _done(what: str, step: Callable[[], object]) -> bool:
    try:
        step()
    except Exception as error:  # noqa: BLE001 how the flow ended stays as it was
        reason = f"{type(error).__name__}{f': {error}' if str(error) else ''}"
        print(f"penstock: no {what} ({reason})", file=sys.stderr)
        return False
    return True
