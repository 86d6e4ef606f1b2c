"""`penstock describe`: show one run."""

import argparse

from runner import contract
from runner.cli import environments
from runner.cli.command import add_json, print_json, wants_json
from runner.cli.launchers import launcher_of
from runner.cli.render import moment, summary


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("run_id", metavar="RUN", help="id of the run")
    environments.add_place(parser, "environment that it ran in (default: it is looked for)")
    parser.add_argument("--attempt", type=int, metavar="N", help="this attempt (default: the last)")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Show how the run stands, or how it ended."""
    record = launcher_of(options).find(options.run_id, attempt=options.attempt)
    if wants_json(options):
        print_json(contract.encode(record.outcome))
        return 0
    print(summary(record.outcome))
    print(f"  flow       {record.outcome.flow}")
    print(f"  accepted   {moment(record.accepted_at)}")
    if record.outcome.state.ended:
        print(f"  log        {record.outcome.log.lines} lines, sha256 {record.outcome.log.sha256}")
    if record.outcome.failure is not None and record.outcome.failure.detail:
        print(f"\n{record.outcome.failure.detail.rstrip()}")
    return 0
