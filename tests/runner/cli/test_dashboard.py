"""`--dashboard`: who can have Dask's dashboard, and how it is reached."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.cli import doctor_kubernetes
from runner.cli.check import Level
from runner.environment import Executor, ExecutorType
from runner.launch.base import Reach
from runner.launch.local import LocalLauncher
from runner.sections import DaskKubernetes, Kind, Resources
from tests.runner.cli.conftest import Penstock, start
from tests.runner.kubernetes.api_server import Exchange
from tests.runner.kubernetes.replies import client_of
from tests.runner.launch.kubernetes.objects import TEMPLATE, environment

DASK = {"type": "dask", "workers": 1, "threads_per_worker": 1, "memory_limit_mib": 512, "performance_report": False}
FLOW = """
import time
from distributed import Client

def main(client: Client, until: float = 0.0):
    print("up", flush=True)
    while time.time() < until:
        time.sleep(0.05)
"""


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (
            [],
            "the run's executor is inline, and the dashboard is Dask's. Leave it out, or give --executor dask as well.",
        ),
        (
            ["--executor", "tcp://scheduler:8786"],
            "the run uses the Dask cluster at tcp://scheduler:8786. Leave it out, and open the dashboard of",
        ),
    ],
)
def test_a_run_without_a_cluster_of_its_own_has_none(
    penstock: Penstock, here: Path, words: list[str], sentence: str
) -> None:
    done = penstock("run", "behaviours.py:succeed", "--dashboard", "--run-id", "one", *words)

    assert done.code == 64
    assert done.err.startswith(f"penstock: --dashboard is given, expected none: {sentence}")
    assert list(LocalLauncher().runs()) == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--dashboard"], "--dashboard is for as long as a run is followed, and -f is not given. Give both."),
        (
            ["--dashboard", "-f"],
            "The run one serves no dashboard, since it was started without. Follow it without --dashboard, or start",
        ),
        (
            ["--dashboard", "-f", "--workers"],
            "--dashboard goes with the run's own output, and --workers shows another. Give one of them.",
        ),
    ],
)
def test_a_run_that_was_started_without(penstock: Penstock, here: Path, words: list[str], sentence: str) -> None:
    penstock("run", "behaviours.py:succeed", "--run-id", "one")

    done = penstock("logs", "one", *words)

    assert done.code == 64
    assert done.err.startswith(f"penstock: {sentence}")


@pytest.mark.parametrize("executor", [["--executor", "dask"], []])
def test_it_is_switched_on_in_the_executor_in_force(
    penstock: Penstock, store: Callable[..., Path], state_home: Path, executor: list[str]
) -> None:
    store(executor={**DASK, "workers": 3})

    done = penstock("run", "nowhere.py:main", "--dashboard", "--workers", "1", *executor, "--run-id", "one")

    assert done.code == 66
    (request,) = (state_home / "penstock" / "runs" / "one").glob("**/request.json")
    assert json.loads(request.read_bytes())["executor"] == {**DASK, "dashboard": True, "address": None, "tls": None}


@pytest.mark.dask
@pytest.mark.timeout(120)
def test_a_local_run_says_where_it_is_and_followers_see_it(
    penstock: Penstock, store: Callable[..., Path], tmp_path: Path
) -> None:
    store(executor=DASK)
    (tmp_path / "flow.py").write_text(FLOW)
    words = ["flow.py:main", "--dashboard", "-p", "until=9999999999", "--run-id", "one"]

    done = penstock("run", *words, "--detach", cwd=tmp_path)
    assert "  See Dask's dashboard with `penstock logs -f one --dashboard`.\n" in done.err
    with start("logs", "-f", "one", "--dashboard") as follower:
        assert follower.stdout is not None
        said = follower.stdout.readline()
        assert said.startswith("penstock: Dask dashboard at http://127.0.0.1:")
        with urllib.request.urlopen(said.split()[-1]) as page:  # noqa: S310 it is http
            assert page.status == 200
            assert b"Dask" in page.read()
        penstock("cancel", "one")
        follower.wait(30)


@pytest.fixture
def rules() -> list[dict[str, Any]]:
    return [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]


@pytest.fixture
def _cluster(rules: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A cluster in which the account may do what the rules say."""

    def reply(exchange: Exchange) -> None:
        answers: dict[str, Any] = {
            "version": {"gitVersion": "v1.36.3"},
            "selfsubjectrulesreviews": {"status": {"resourceRules": rules}},
        }
        exchange.json(200, answers.get(exchange.asked.place.rsplit("/", 1)[-1], {"items": []}))

    with client_of(reply) as (client, _):
        monkeypatch.setattr(doctor_kubernetes, "client", lambda *_, **__: client)
        monkeypatch.setattr("runner.cli.doctor_kubernetes.documents.document", lambda *_: b"")
        yield


@pytest.mark.usefixtures("_cluster")
def test_the_doctor_notes_that_it_cannot_be_reached(rules: list[dict[str, Any]]) -> None:
    size = Resources(cpu_millicores=50, memory_mib=256)
    section = DaskKubernetes(
        namespace="flows", job=TEMPLATE, worker={}, worker_resources=size, min_workers=1, max_workers=1
    )
    executor = Executor(type=ExecutorType.DASK)
    with_workers = environment(
        kind=Kind.DASK_KUBERNETES, kubernetes_job=None, dask_kubernetes=section, executor=executor
    )

    assert "dashboard" not in [each.what for each in doctor_kubernetes.checks(with_workers, Reach())]
    rules[:] = [
        {"apiGroups": ["", "batch"], "resources": ["jobs", "pods", "pods/log", "events"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["configmaps"], "verbs": ["*"]},
        {"apiGroups": [""], "resources": ["pods/portforward"], "verbs": ["get"]},
    ]
    found = {each.what: each for each in doctor_kubernetes.checks(with_workers, Reach())}

    assert found["rights"].level is Level.OK
    assert found["dashboard"].level is Level.NOTE
    assert found["dashboard"].found == (
        "this account may not create pods/portforward in flows, so --dashboard cannot be used"
    )
    assert "dashboard" not in [each.what for each in doctor_kubernetes.checks(environment(), Reach())]
