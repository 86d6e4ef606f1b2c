"""Keeps the files that runs in containers leave behind: they come with the run's record."""

import os
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runner.launch.folders import state_folder
from runner.outcome import Artifact, Outcome


def keep(outcome: Outcome, files: Mapping[str, bytes]) -> Outcome:
    """Write the files on this machine; the result is the outcome with the places where they are now."""
    if not files:
        return outcome
    folder = _folder(outcome.run_id) / str(outcome.attempt)
    kept = [Artifact(name=item.name, path=_write(folder, item, files)) for item in outcome.artifacts]
    return replace(outcome, artifacts=tuple(kept))


def remove(run_id: str) -> None:
    """Remove what is kept of a run."""
    shutil.rmtree(_folder(run_id), ignore_errors=True)


def _folder(run_id: str) -> Path:
    return state_folder() / "artifacts" / run_id


def _write(folder: Path, item: Artifact, files: Mapping[str, bytes]) -> str:
    """Write one file whole; the result is its place, that of the container where it did not come along."""
    target = folder / item.name
    # The name comes from the container: it must not lead out of the folder.
    if item.name not in files or not target.resolve().is_relative_to(folder.resolve()):
        return item.path
    if not (target.is_file() and target.read_bytes() == files[item.name]):
        target.parent.mkdir(parents=True, exist_ok=True)
        # Of this writer alone: a run may be followed more than once, and each keeps its files.
        partial = target.with_name(f"{target.name}.{os.urandom(6).hex()}.part")
        partial.write_bytes(files[item.name])
        partial.replace(target)
    return str(target)
