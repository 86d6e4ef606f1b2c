"""`python -m stacks.review` as a command: what it reads, writes and ends with."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from stacks.review import __main__ as command
from stacks.review.writing.markdown import comment
from stacks.review.writing.report_json import from_json
from tests.stacks.review.steps import urn
from tests.testbed.pulumi_engine import CHECKOUT

PREVIEWS = Path(__file__).parent / "previews"
DANGER, QUIET, FAILED = "dask-prod-everything", "dask-prod-same", "dask-prod-wrong"
BAD, WRONG_USE, FOUND = 65, 64, 1


def preview(name: str) -> str:
    return str(PREVIEWS / f"{name}.json")


def reviewed(*arguments: str, given: bytes = b"", seed: str = "0") -> subprocess.CompletedProcess[bytes]:
    """The command in a process of its own, in the checkout."""
    return subprocess.run(
        [sys.executable, "-m", "stacks.review", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, "PYTHONHASHSEED": seed},
        input=given,
        capture_output=True,
        check=False,
        timeout=30,
    )


def ended(capsysbinary: pytest.CaptureFixture[bytes], arguments: Sequence[str]) -> tuple[int, str, str]:
    """Exit code and output of the command in this process."""
    code = command.main(arguments)
    out, err = capsysbinary.readouterr()
    return code, out.decode(), err.decode()


def test_it_needs_nothing_but_the_standard_library_and_the_same_input_gives_the_same_bytes() -> None:
    bare = [sys.executable, "-I", "-S", "-c"]
    program = (
        "import runpy, sys; sys.path.insert(0, sys.argv.pop(1)); sys.argv[0] = 'review';"
        "runpy.run_module('stacks.review', run_name='__main__')"
    )
    isolated = subprocess.run(
        [*bare, program, str(CHECKOUT), preview(DANGER)], capture_output=True, check=True, timeout=30, cwd=CHECKOUT
    )

    for seed in ("1", "2"):
        again = reviewed(preview(DANGER), seed=seed)
        assert (again.returncode, again.stderr) == (0, b"")
        assert again.stdout == isolated.stdout
    assert again.stdout.startswith(b"<!-- penstock-review -->\n")


@pytest.mark.parametrize(
    ("name", "limit", "code"),
    [
        (DANGER, "none", 0),
        (DANGER, "notice", FOUND),
        (DANGER, "danger", FOUND),
        (QUIET, "notice", 0),
        (FAILED, "none", 0),
        (FAILED, "danger", FOUND),
        ("dask-prod-create-summary", "none", 0),
        ("dask-prod-create-summary", "danger", FOUND),
        ("flights-create", "warning", 0),
        ("flights-create", "notice", FOUND),
    ],
)
def test_fail_on_decides_the_exit_code(
    name: str, limit: str, code: int, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert ended(capsysbinary, [preview(name), "--fail-on", limit])[0] == code


def test_reports_of_single_stacks_make_the_same_comment_as_their_previews(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    names = (DANGER, "jobs-prod-pod-security", "flights-public-address", "beside-kubernetes-load-balancer")
    _, whole, _ = ended(capsysbinary, [preview(name) for name in names])
    for name in names:
        _, text, _ = ended(capsysbinary, [preview(name), "--json"])
        (tmp_path / f"{name}.json").write_text(text)

    _, joined, err = ended(capsysbinary, [str(tmp_path / f"{name}.json") for name in reversed(names)])

    assert joined == whole
    assert err == ""


def test_json_is_a_report_that_makes_the_same_comment(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    _, text, _ = ended(capsysbinary, [preview(DANGER), "--json"])
    _, markdown, _ = ended(capsysbinary, [preview(DANGER), "--format", "markdown"])

    report = json.loads(text)
    assert report["headline"]["word"] == "Danger"
    assert comment(from_json(report)) == markdown


def test_a_preview_comes_from_stdin_also_as_windows_writes_it() -> None:
    text = Path(preview(DANGER)).read_text()
    expected = reviewed(preview(DANGER)).stdout

    assert reviewed("-", given=text.encode()).stdout == expected
    assert reviewed("-", given=b"\xef\xbb\xbf" + text.encode()).stdout == expected
    assert reviewed("-", given=text.encode("utf-16")).stdout == expected


def test_the_line_of_the_stacks_file_is_told(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    (tmp_path / "Pulumi.dask-prod.yaml").write_text(
        "config:\n  penstock:kind: x\n  penstock:egress:\n    - {cidr: y}\n"
    )

    _, out, _ = ended(capsysbinary, [preview("dask-prod-egress"), "--stack-files", str(tmp_path)])

    assert "`stacks/Pulumi.dask-prod.yaml:3` `penstock:egress`" in out


def test_another_price_table_and_the_versions_of_the_engine_are_used(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    table = (CHECKOUT / "stacks" / "review" / "costs" / "prices.toml").read_text().replace('"USD"', '"EUR"')
    (tmp_path / "prices.toml").write_text(table)

    _, out, _ = ended(
        capsysbinary,
        [
            preview("dask-prod-max-workers"),
            "--prices",
            str(tmp_path / "prices.toml"),
            "--engine-before",
            "3.259.0",
            "--engine-after",
            "v4.0.0",
        ],
    )

    assert " EUR" in out
    assert "3.259.0" in out
    assert "4.0.0" in out


def test_what_can_be_wrong_is_one_line_on_stderr_and_a_code(
    tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    (tmp_path / "broken.json").write_text('{"steps": [')
    (tmp_path / "latin.json").write_bytes(b'{"steps": "\xe9"}')
    (tmp_path / "report.json").write_text('{"kind": "penstock-review", "schema_version": 1}')
    (tmp_path / "policy.toml").write_text("schema_version = 7")
    (empty := tmp_path / "empty").mkdir()
    broken, latin = str(tmp_path / "broken.json"), str(tmp_path / "latin.json")

    for arguments, code, message in (
        ([broken], BAD, f"{broken} ends in the middle of its JSON, in line 1."),
        ([latin], BAD, f"{latin} is not in UTF-8, from byte 11 on."),
        ([str(tmp_path / "report.json")], BAD, f"{tmp_path / 'report.json'} is no report that can be read: "),
        ([preview(QUIET), "--policy", str(tmp_path / "policy.toml")], BAD, "schema_version"),
        ([preview(QUIET), "--prices", str(tmp_path / "policy.toml")], BAD, "schema_version of "),
        (
            [str(tmp_path / "none.json")],
            WRONG_USE,
            f"{tmp_path / 'none.json'} cannot be read: No such file or directory.",
        ),
        ([str(tmp_path)], BAD, f"{broken} ends in the middle of its JSON, in line 1."),
        ([str(empty)], WRONG_USE, f"{empty} has no file *.json, expected previews or reports. Name another folder."),
        ([preview(QUIET), preview(DANGER)], WRONG_USE, "Two of the files are about the stack dask-prod,"),
        ([preview(QUIET), "--fail-on", "much"], WRONG_USE, "Argument --fail-on: invalid choice: 'much'"),
        ([preview(QUIET), "--today", "tomorrow"], WRONG_USE, "Argument --today: expected a date as 2030-12-31,"),
        ([], WRONG_USE, "The following arguments are required: PREVIEW.json"),
    ):
        found, out, err = ended(capsysbinary, arguments)
        assert (found, out) == (code, ""), arguments
        assert err.startswith(message) or message in err, err
        assert err.count("\n") == 1
        assert "Traceback" not in err


def test_text_that_no_encoding_has_is_written_all_the_same(tmp_path: Path) -> None:
    step = {"op": "create", "urn": urn("aws:iam/role:Role", "\ud800name"), "newState": {"inputs": {"name": "\ud800"}}}
    (tmp_path / "surrogate.json").write_text(json.dumps({"steps": [step]}))

    for form in ("markdown", "terminal", "json"):
        done = reviewed(str(tmp_path / "surrogate.json"), "--format", form)
        assert (done.returncode, done.stderr) == (0, b"")
        done.stdout.decode()


def test_a_stack_that_was_expected_and_is_not_there_is_told_and_does_not_pass(
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    arguments = [preview(QUIET), "--expect", "dask-prod", "dask-test", "--fail-on", "danger"]
    code, out, _ = ended(capsysbinary, [*arguments, "--json"])

    assert code == FOUND
    stacks = {stack["stack"]: stack for stack in json.loads(out)["stacks"]}
    assert list(stacks) == ["dask-prod", "dask-test"]
    assert stacks["dask-prod"]["complete"] is True
    assert stacks["dask-test"]["complete"] is False
    assert stacks["dask-test"]["errors"] == [
        "There is no report about it: its job broke off before the preview, or did not run. See that job's log."
    ]
    markdown = ended(capsysbinary, [*arguments, "--format", "markdown"])[1]
    assert markdown.splitlines()[1] == "### ❌ Failed: the preview of `dask-test` could not be completed"
    assert ended(capsysbinary, [preview(QUIET), "--expect", "dask-prod", "--fail-on", "danger"])[0] == 0


def test_a_folder_stands_for_all_that_is_in_it(tmp_path: Path, capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    for name in ("dask-prod-everything", "flights-create"):
        (tmp_path / f"{name}.json").write_bytes(Path(preview(name)).read_bytes())
    (tmp_path / "notes.txt").write_text("no preview")

    both = ended(capsysbinary, [preview("dask-prod-everything"), preview("flights-create")])
    assert ended(capsysbinary, [str(tmp_path)]) == both
