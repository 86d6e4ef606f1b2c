"""Files that runs leave behind, kept on this machine by whoever follows them."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("said", "fetched", "is_kept"), [(DATA, DATA, True), (DATA, b"something else", False), (DATA, None, False)]
)
def test_a_file_that_is_elsewhere_is_fetched_once_and_compared_with_its_hash(
    state_home: Path, said: bytes, fetched: bytes | None, is_kept: bool
) -> None:
    stored = {"a/log.txt": hashlib.sha256(said).hexdigest()}
    asked: list[str] = []

    def fetch(name: str) -> bytes | None:
        asked.append(name)
        return fetched

    first = artifacts.keep(OUTCOME, {}, stored=stored, fetch=fetch)
    second = artifacts.keep(OUTCOME, {}, stored=stored, fetch=fetch)

    assert first == second
    assert len(asked) == (1 if is_kept else 2)
    (item,) = first.artifacts
    assert (Path(item.path).read_bytes() == DATA) if is_kept else (first == OUTCOME)


def test_what_came_along_wins_over_what_is_elsewhere_and_a_new_file_over_an_old_one(state_home: Path) -> None:
    stored = {"a/log.txt": hashlib.sha256(DATA).hexdigest()}

    artifacts.keep(OUTCOME, {"a/log.txt": b"old"})
    kept = artifacts.keep(OUTCOME, {"a/log.txt": b"new"}, stored=stored)

    assert Path(kept.artifacts[0].path).read_bytes() == b"new"
