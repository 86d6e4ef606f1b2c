"""`penstock logs`: show what a run printed."""

import argparse
import sys

from runner.cli import environments
from runner.cli.command import add_json, print_json, wants_json
from runner.cli.following import pass_on_to_end, pass_on_workers_to_end, tell
from runner.cli.launchers import launcher_of
from runner.errors import UsageError
from runner.launch.base import Launcher


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("run_id", metavar="RUN", help="id of the run")
    environments.add_place(parser, "environment that it ran in (default: it is looked for)")
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on until the run has ended; Ctrl-C only stops looking"
    )
    parser.add_argument("--dashboard", action="store_true", help="with -f: lead to Dask's dashboard meanwhile")
    parser.add_argument("--tail", type=_count, metavar="N", help="only the last N lines that there are now")
    parser.add_argument("--attempt", type=int, metavar="N", help="of this attempt (default: the last)")
    parser.add_argument("--workers", action="store_true", help="what the run's Dask workers printed, instead")
    add_json(parser)


def _count(text: str) -> int:
    if not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines")
    return int(text)


def run(options: argparse.Namespace) -> int:
    """Show the output; with --json as one object when all of it is there."""
    launcher = launcher_of(options)
    if options.follow and options.attempt is not None:
        raise UsageError("-f follows the last attempt, and --attempt shows one that has ended. Give one of them.")
    if options.dashboard and not options.follow:
        raise UsageError("--dashboard is for as long as a run is followed, and -f is not given. Give both.")
    if options.dashboard and options.workers:
        raise UsageError("--dashboard goes with the run's own output, and --workers shows another. Give one of them.")
    if options.workers:
        return _workers(launcher, options)
    if wants_json(options):
        if options.follow:
            launcher.follow(options.run_id, lambda _: None, notice=tell, dashboard=options.dashboard)
        text = launcher.log(options.run_id, tail=options.tail, attempt=options.attempt).decode(errors="replace")
        print_json({"run_id": options.run_id, "log": text})
        return 0
    shown = launcher.log(options.run_id, tail=options.tail, attempt=options.attempt)
    sys.stdout.buffer.write(shown)
    sys.stdout.flush()
    if options.follow:
        before = len(launcher.log(options.run_id)) if options.tail is not None else len(shown)
        pass_on_to_end(launcher, options.run_id, skip=before, dashboard=options.dashboard)
    return 0


def _workers(launcher: Launcher, options: argparse.Namespace) -> int:
    """Show the output of the run's workers: all that there is, or with --follow what comes, from the beginning on."""
    if options.follow and not wants_json(options) and options.tail is None:
        pass_on_workers_to_end(launcher, options.run_id)
        return 0
    if options.follow:
        launcher.follow(options.run_id, lambda _: None)
    lines = launcher.worker_log(options.run_id, attempt=options.attempt).splitlines(keepends=True)
    shown = b"".join(lines if options.tail is None else lines[max(0, len(lines) - options.tail) :])
    if wants_json(options):
        print_json({"run_id": options.run_id, "log": shown.decode(errors="replace")})
    else:
        sys.stdout.buffer.write(shown)
        sys.stdout.flush()
    return 0
