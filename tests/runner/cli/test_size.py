"""`penstock run --cpu --memory`: what is refused before anything is started."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.runner.cli.conftest import Penstock
from tests.runner.test_environment_on_ecs import SMALLEST


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize("words", [["--cpu", "500"], ["--memory", "512"], ["--cpu", "500", "--memory", "512"]])
def test_a_local_run_has_no_size_of_its_own(penstock: Penstock, words: list[str]) -> None:
    done = penstock("run", "behaviours.py:succeed", "--env", "here", *words)

    assert (done.code, done.out) == (64, "")
    assert done.err == (
        "penstock: --cpu or --memory is given, expected neither: here is this machine, which limits nothing. "
        "Leave it out.\n"
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--cpu", "0"], "--cpu is 0, expected a whole number of at least 1. Correct that option."),
        (["--cpu", "1.5"], '--cpu is "1.5", expected a whole number of at least 1. Correct that option.'),
        (["--memory", "2Gi"], '--memory is "2Gi", expected a whole number of at least 1. Correct that option.'),
        (["--memory=-1"], '--memory is "-1", expected a whole number of at least 1. Correct that option.'),
    ],
)
def test_a_size_that_is_none_is_refused_by_its_option(
    penstock: Penstock, tmp_path: Path, words: list[str], sentence: str
) -> None:
    document = tmp_path / "flows.json"
    document.write_text(json.dumps(SMALLEST))
    keys: dict[str, Any] = {"AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "s"}

    # Nothing listens there, and nothing is asked.
    done = penstock(
        *("run", "behaviours.py:succeed", "--environment", str(document), *words),
        AWS_ENDPOINT_URL="http://127.0.0.1:1",
        **keys,
    )

    assert (done.code, done.out) == (64, "")
    assert done.err.splitlines()[-1] == f"penstock: {sentence}"
