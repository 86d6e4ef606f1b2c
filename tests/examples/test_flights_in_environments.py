"""The flights example, run by the runner with each executor: the same file, the same result."""

from pathlib import Path
from typing import Any

import pytest

from tests.testbed.dask_cluster import existing_cluster
from tests.testbed.runner_process import Ended, run_flow

FLOW = Path(__file__).parents[2] / "examples" / "flights" / "flow.py"
PARAMETERS = {"minimum_delay": "30"}

pytestmark = [pytest.mark.dask, pytest.mark.timeout(120)]


def _run(folder: Path, executor: dict[str, Any]) -> tuple[Ended, bytes]:
    folder.mkdir()
    ended = run_flow(folder, f"{FLOW}:main", PARAMETERS, environment={"executor": executor})
    assert ended.exit_code == 0, ended.output.decode()
    return ended, (folder / "artifacts" / "flights.svg").read_bytes()


def test_inline_on_a_local_cluster_and_on_one_at_an_address(tmp_path: Path) -> None:
    inline, picture = _run(tmp_path / "inline", {"type": "inline"})
    local, local_picture = _run(tmp_path / "local", {"type": "dask", "workers": 2, "performance_report": False})
    (tmp_path / "cluster").mkdir()
    with existing_cluster(tmp_path / "cluster", tls=True) as executor:
        remote, remote_picture = _run(tmp_path / "remote", executor)

    assert inline.outcome["result"]["flights"] == 336_776
    assert local.outcome["result"] == remote.outcome["result"] == inline.outcome["result"]
    assert local_picture == remote_picture == picture
