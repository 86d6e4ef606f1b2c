"""Keeps Dask's performance report with the run."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import distributed

REPORT = "dask-performance-report.html"


@contextmanager
def performance_report(folder: str) -> Iterator[None]:
    """Record what the cluster does, and write the report into the folder; a report that fails does not fail the run."""
    if find_spec("bokeh") is None:
        print(
            "penstock: no performance report, since bokeh is not installed; run `pip install 'penstock[dask]'` "
            "or set performance_report to false in the executor.",
            file=sys.stderr,
        )
        yield
        return
    report = distributed.performance_report(filename=str(Path(folder) / REPORT))
    report.__enter__()
    try:
        yield
    finally:
        try:
            report.__exit__(None, None, None)
        except Exception as error:  # noqa: BLE001 the report is a by-product
            print(f"penstock: no performance report ({type(error).__name__}: {error})", file=sys.stderr)
