"""Files that runs leave behind, kept on this machine by whoever follows them."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from runner.launch import artifacts
from runner.outcome import Artifact, Outcome, State

DATA = b"x" * 1_000_000
OUTCOME = Outcome(
    run_id="the-run",
    state=State.SUCCEEDED,
    exit_code=0,
    artifacts=(Artifact(name="a/log.txt", path="/in/a/container"),),
)


def test_those_who_follow_a_run_at_the_same_time_all_keep_its_files(state_home: Path) -> None:
    with ThreadPoolExecutor(16) as followers:
        kept = list(followers.map(lambda _: artifacts.keep(OUTCOME, {"a/log.txt": DATA}), range(64)))

    (path,) = {outcome.artifacts[0].path for outcome in kept}
    assert Path(path).read_bytes() == DATA
    assert [file.name for file in Path(path).parent.iterdir()] == ["log.txt"]


def test_a_name_that_leads_out_of_the_folder_is_not_followed(state_home: Path) -> None:
    item = Artifact(name="../../../escaped", path="/in/a/container")

    kept = artifacts.keep(Outcome(run_id="the-run", state=State.SUCCEEDED, artifacts=(item,)), {item.name: DATA})

    assert kept.artifacts == (item,)
    assert not list(state_home.rglob("escaped"))
