"""Outcomes as people read them."""

from runner.cli.render import summary
from runner.outcome import Artifact, Outcome, State


def test_dasks_files_are_told_by_what_they_are() -> None:
    names = ("charts/dask-task-stream.svg", "dask-performance-report.html", "dask-task-stream.svg", "table.csv")
    outcome = Outcome(
        run_id="nightly-7",
        environment="batch",
        state=State.SUCCEEDED,
        exit_code=0,
        result=[1],
        artifacts=tuple(Artifact(name=name, path=f"/kept/{name}") for name in names),
    )

    assert summary(outcome).splitlines() == [
        "nightly-7 in batch: succeeded, exit code 0",
        "  result     [1]",
        "  artifact   /kept/charts/dask-task-stream.svg",
        "  report     /kept/dask-performance-report.html",
        "  stream     /kept/dask-task-stream.svg",
        "  artifact   /kept/table.csv",
    ]
