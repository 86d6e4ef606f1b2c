"""`penstock gc`: remove records of runs that ended long ago."""

import argparse
from collections.abc import Callable

from runner.cli import environments
from runner.cli.command import add_json, print_json, say, wants_json
from runner.cli.launchers import elsewhere, in_parallel, local_launcher
from runner.errors import PenstockError
from runner.launch.base import Collected, Launcher


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    environments.add_place(parser, "only records of this environment, and not those on this machine")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Remove the records of runs that ended longer ago than their environment's retention."""
    places = ([] if options.env else [("this machine", local_launcher())]) + elsewhere(options)
    answers = in_parallel([_collecting(each, dry_run=options.dry_run) for _, each in places])
    for (name, _), answer in zip(places, answers, strict=True):
        if isinstance(answer, PenstockError):
            say(f"penstock: {name} was left as it is. {answer}")
    done = [answer for answer in answers if isinstance(answer, Collected)]
    for sentence in (sentence for each in done for sentence in each.troubles):
        say(f"penstock: {sentence}")
    removed = [run_id for each in done for run_id in each.runs]
    leftovers = [name for each in done for name in each.leftovers]
    kept = sum(each.kept for each in done)
    if wants_json(options):
        print_json({"dry_run": options.dry_run, "removed": removed, "leftovers": leftovers, "kept": kept})
        return 0
    for name in removed:
        print(name)
    done_words = "would be removed" if options.dry_run else "removed"
    if leftovers:
        say(f"Of no run any more, and {done_words}: {', '.join(leftovers)}.")
    say(f"{len(removed)} runs {done_words}, {kept} kept.")
    return 0


def _collecting(place: Launcher, *, dry_run: bool) -> Callable[[], Collected]:
    return lambda: place.collect(dry_run=dry_run)
