"""What all tests share: golden files, required suites, folders of Penstock's own."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest_plugins = ["tests.testbed.aws.fixtures"]

REQUIRED = frozenset(filter(None, os.environ.get("PENSTOCK_REQUIRE", "").split(",")))
"""Markers whose tests must run here: one that is skipped fails. CI sets it, so that no suite is missing unseen."""

SLOW = ("engine", "aws", "dask")
"""Markers of tests that take long, the longest first."""
LAST_WORDS_SECONDS = 2.0

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # As for whatever a shell starts in the background; the commands under test would inherit it and be deaf to Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--update-golden", action="store_true", help="write golden files instead of comparing with them")


def pytest_runtest_setup(item: pytest.Item) -> None:
    reason = os.environ.get("PENSTOCK_NO_ENGINE")
    if reason and item.get_closest_marker("engine"):
        pytest.skip(reason)
    if item.get_closest_marker("cluster") and "PENSTOCK_TEST_KUBECONFIG" not in os.environ:
        pytest.skip("no cluster is given by PENSTOCK_TEST_KUBECONFIG; `make test-cluster` starts one")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(session: pytest.Session, items: list[pytest.Item]) -> None:
    """Fail a whole run in which a required suite has no test at all; begin with what takes longest."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        # A stack or a server is as slow in the end as in the beginning, and then nothing is left to do beside it.
        items.sort(key=_quickness)
    # Only whole runs are spread over processes, which are then given the folders by name.
    is_whole = session.config.args_source is not pytest.Config.ArgsSource.ARGS or "PYTEST_XDIST_WORKER" in os.environ
    if not session.config.args or is_whole:
        missing = REQUIRED - {mark.name for item in items for mark in item.iter_markers()}
        if missing:
            raise pytest.UsageError(f"No test is marked {', '.join(sorted(missing))}, which PENSTOCK_REQUIRE asks for.")


def _quickness(item: pytest.Item) -> int:
    return min((SLOW.index(mark.name) for mark in item.iter_markers() if mark.name in SLOW), default=len(SLOW))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    needed = sorted(REQUIRED & {mark.name for mark in item.iter_markers()})
    if report.skipped and needed and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"It needs {', '.join(needed)}, which must be there (PENSTOCK_REQUIRE): {report.longrepr}"


@pytest.fixture(scope="session", autouse=True)
def nothing_is_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail when a process outlives the tests: each names a folder of this session, or works in one."""
    yield
    place = str(tmp_path_factory.getbasetemp())
    until = time.monotonic() + LAST_WORDS_SECONDS
    while (left := _processes_of(place)) and time.monotonic() < until:
        time.sleep(0.05)  # a runner has recorded the end a moment before its own
    assert left == []


def _processes_of(place: str) -> list[str]:
    left = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            left += [words] if place in words or str((process / "cwd").readlink()).startswith(place) else []
    return left


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, bytes], None]:
    """Compare bytes with a file in the folder `golden` beside the test; `--update-golden` writes it."""

    def compare(name: str, data: bytes) -> None:
        path = request.path.parent / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
        assert path.exists(), f"{path} is missing; --update-golden writes it"
        assert data == path.read_bytes()

    return compare


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that the test starts are as users have them, also while coverage is measured."""
    for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS_")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of the test's own, so that no test sees or leaves records of the user's."""
    folder = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(folder))
    monkeypatch.delenv("PENSTOCK_ENVIRONMENT", raising=False)
    return folder
