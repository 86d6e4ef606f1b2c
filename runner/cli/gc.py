"""`penstock gc`: remove records of runs that ended long ago."""

import argparse
import shutil
import time

from runner.cli.command import add_json, print_json, say, wants_json
from runner.errors import PenstockError
from runner.launch.folders import runs_folder
from runner.launch.run_directory import RunDirectory
from runner.outcome import State

LEFTOVER_SECONDS = 3600
"""A partly written or partly removed folder of this age belongs to no command that still works on it."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Remove the records of runs that ended longer ago than their environment's retention."""
    folder = runs_folder()
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    leftovers = [name for name in names if name.startswith(".") and _age(name) > LEFTOVER_SECONDS]
    due = [name for name in names if not name.startswith(".") and _is_due(RunDirectory(name))]
    if not options.dry_run:
        for name in due:
            RunDirectory(name).remove()
        for name in leftovers:
            shutil.rmtree(folder / name, ignore_errors=True)
    word = "would be removed" if options.dry_run else "removed"
    if wants_json(options):
        print_json({"dry_run": options.dry_run, "removed": due, "leftovers": leftovers, "kept": len(names) - len(due)})
        return 0
    for name in due:
        print(name)
    say(f"{len(due)} runs {word}, {len(names) - len(due) - len(leftovers)} kept.")
    return 0


def _age(name: str) -> float:
    return time.time() - (runs_folder() / name).stat().st_mtime


def _is_due(run: RunDirectory) -> bool:
    try:
        attempt = run.attempt()
        outcome = attempt.outcome()
        retention = run.environment().retention
    except (PenstockError, OSError):
        return False  # damaged: nobody knows whether it is to be kept, so a person has to say
    if not outcome.state.ended:
        return False
    limit = retention.succeeded_seconds if outcome.state is State.SUCCEEDED else retention.failed_seconds
    record = attempt.outcome_file if attempt.outcome_file.exists() else attempt.request_file
    return time.time() - record.stat().st_mtime > limit
