"""Keeps the files that runs in containers leave behind: they come with the run's record, or out of a bucket."""

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from runner.launch.folders import state_folder
from runner.outcome import Artifact, Outcome


def keep(
    outcome: Outcome,
    files: Mapping[str, bytes],
    *,
    stored: Mapping[str, str] = MappingProxyType({}),
    fetch: Callable[[str], bytes | None] = lambda _: None,
) -> Outcome:
    """Write the run's files on this machine; the result is the outcome with the places where they are now.

    Args:
        outcome: how the run ended.
        files: those that came with its record.
        stored: SHA-256 of those that are elsewhere, by name.
        fetch: gives the bytes of one of these, by its name; null where it is not to be had.
    """
    digests = {**stored, **{name: hashlib.sha256(data).hexdigest() for name, data in files.items()}}
    if not digests:
        return outcome
    folder = _folder(outcome.run_id) / str(outcome.attempt)

    def get(name: str) -> bytes | None:
        return files[name] if name in files else fetch(name)

    kept = [Artifact(name=item.name, path=_kept(folder, item, digests, get)) for item in outcome.artifacts]
    return replace(outcome, artifacts=tuple(kept))


def remove(run_id: str) -> None:
    """Remove what is kept of a run."""
    shutil.rmtree(_folder(run_id), ignore_errors=True)


def _folder(run_id: str) -> Path:
    return state_folder() / "artifacts" / run_id


def _kept(folder: Path, item: Artifact, digests: Mapping[str, str], get: Callable[[str], bytes | None]) -> str:
    """Write one file whole; the result is its place, where the run left it when it is not to be had."""
    target = folder / item.name
    digest = digests.get(item.name)
    # The name comes from the container: it must not lead out of the folder.
    if digest is None or not target.resolve().is_relative_to(folder.resolve()):
        return item.path
    if not (target.is_file() and hashlib.sha256(target.read_bytes()).hexdigest() == digest):
        data = get(item.name)
        if data is None or hashlib.sha256(data).hexdigest() != digest:
            return item.path
        target.parent.mkdir(parents=True, exist_ok=True)
        # Of this writer alone: a run may be followed more than once, and each keeps its files.
        partial = target.with_name(f"{target.name}.{os.urandom(6).hex()}.part")
        partial.write_bytes(data)
        partial.replace(target)
    return str(target)
