"""What is kept of a preview, whatever Pulumi writes: a script stands in its place here.

The real one runs in test_workflows.py.
"""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from stacks.review.reading.preview_file import read
from stacks.review.report import Report
from stacks.review.run_preview import main
from stacks.review.writing.report_json import from_json

SCRIPT = """#!/bin/sh
echo "$@" >> {calls}
case "$*" in
  *" version") echo v3.260.0 ;;
  *" stack export "*) {export} ;;
  *" preview "*) cat {out}; cat {err} >&2; exit {code} ;;
esac
"""
PASSWORD = "correct horse battery staple"  # noqa: S105 opens nothing
UPDATED = {
    "steps": [
        {
            "op": "update",
            "urn": "urn:pulumi:flights::penstock::penstock:index:LocalEnvironment::flights",
            "oldState": {"inputs": {"log": {"level": "INFO"}, "password": PASSWORD}},
            "newState": {"inputs": {"log": {"level": "DEBUG"}, "password": PASSWORD}},
        }
    ],
    "changeSummary": {"update": 1},
}

Run = Callable[..., tuple[int, Report]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Preview the stack `flights` with a Pulumi that writes what is given; exit code and report."""

    def run(out: str, *, err: str = "", code: int = 0, export: str = "echo '{}'") -> tuple[int, Report]:
        (tmp_path / "out").write_text(out)
        (tmp_path / "err").write_text(err)
        files = {name: tmp_path / name for name in ("calls", "out", "err")}
        (tmp_path / "pulumi").write_text(SCRIPT.format(code=code, export=export, **files))
        (tmp_path / "pulumi").chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
        report = tmp_path / "reports" / "flights.json"
        ended = main(["flights", str(report)])
        found = read(report.read_text(), "report")
        assert isinstance(found, dict)
        return ended, from_json(found)

    return run


def test_the_report_is_kept_and_nothing_else(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    code, report = run(json.dumps(UPDATED))

    assert code == 0
    (row,) = report.rows
    assert [(field.path, field.before, field.after) for field in row.fields] == [("log.level", "INFO", "DEBUG")]
    assert capsys.readouterr() == ("", f"The report about flights is in {tmp_path}/reports/flights.json.\n")
    assert {file.name for file in tmp_path.rglob("*")} == {"calls", "err", "out", "pulumi", "reports", "flights.json"}
    assert PASSWORD not in (tmp_path / "reports" / "flights.json").read_text()
    assert (tmp_path / "calls").read_text().splitlines() == [
        "--non-interactive --color=never stack export --stack flights",
        "--non-interactive --color=never preview --json --stack flights",
        "--non-interactive --color=never version",
    ]


@pytest.mark.parametrize(
    ("out", "err", "code", "ended", "error"),
    [
        ("", "error: nobody is logged in\n", 6, 6, "nobody is logged in"),
        ("", "", 137, 137, "flights is empty, expected a preview. Make it again with `pulumi preview --json`."),
        (
            json.dumps(UPDATED)[:60],
            "",
            137,
            137,
            "flights ends in the middle of its JSON, in line 1. Make it again with `pulumi preview --json`.",
        ),
        ('{"kind": "something"}', "", 0, 65, "Pulumi has written something that is no preview"),
        ("Updating (flights)", "", 0, 65, None),
    ],
    ids=["refused", "killed", "killed later", "something else", "no JSON"],
)
def test_a_preview_that_fails_has_a_report_that_says_why(
    run: Run, capsys: pytest.CaptureFixture[str], out: str, err: str, code: int, ended: int, error: str | None
) -> None:
    found, report = run(out, err=err, code=code)

    assert found == ended
    (stack,) = report.stacks
    assert (stack.stack, stack.complete, len(stack.errors)) == ("flights", False, 1)
    assert error is None or stack.errors == (error,)
    assert capsys.readouterr().err.startswith(f"flights: {stack.errors[0]}\nThe report about flights is in ")


@pytest.mark.parametrize(
    ("export", "error"),
    [
        ("echo \"error: no stack named 'flights' found\" >&2; exit 6", "no stack named 'flights' found"),
        ("exit 6", "Its state cannot be read"),
    ],
    ids=["told", "untold"],
)
def test_a_stack_that_is_not_there_is_not_previewed(run: Run, tmp_path: Path, export: str, error: str) -> None:
    code, report = run(json.dumps(UPDATED), export=export)

    assert (code, report.stacks[0].errors, report.rows) == (6, (error,), ())
    assert " preview " not in (tmp_path / "calls").read_text()


@pytest.mark.parametrize("export", ["echo '{}'", "echo '[]'", """echo '{"deployment": null}'""", "echo '{'"])
def test_a_state_that_does_not_tell_its_version_is_no_obstacle(run: Run, export: str) -> None:
    assert run(json.dumps(UPDATED), export=export)[0] == 0


def test_without_pulumi(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["flights", str(tmp_path / "report.json")]) == 69
    assert capsys.readouterr().err == (
        "PATH has no `pulumi`. Put the folder on PATH that `python3 -m tools.pulumi_cli` prints.\n"
    )


def test_wrong_use(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["flights"]) == 64
    assert capsys.readouterr().err == (
        "The following arguments are required: REPORT.json. See `python -m stacks.review.run_preview --help`.\n"
    )
