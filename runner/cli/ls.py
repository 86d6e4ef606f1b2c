"""`penstock ls`: list runs."""

import argparse

from runner.cli import environments
from runner.cli.command import add_json, print_json, say, wants_json
from runner.cli.launchers import all_runs
from runner.cli.render import short, table
from runner.outcome import State


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    environments.add_place(parser, "only runs in this environment")
    parser.add_argument("--state", choices=[state.value for state in State], help="only runs in this state")
    parser.add_argument(
        "-n", "--limit", type=int, default=50, metavar="N", help="at most N runs (default 50, 0 for all)"
    )
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """List runs, the newest first."""
    records = [
        record
        for record in all_runs(options)
        if options.env in {None, record.outcome.environment} and options.state in {None, record.outcome.state}
    ]
    shown = records[: options.limit or None]
    if wants_json(options):
        print_json([short(record.outcome) for record in shown])
        return 0
    if not records:
        say("No runs. `penstock run FLOW` starts one.")
        return 0
    print(table(shown))
    if len(shown) < len(records):
        say(f"{len(records) - len(shown)} older runs are not shown; -n 0 shows all.")
    return 0
