"""`penstock retry`: start the next attempt of a run that has ended."""

import argparse

from runner.cli import environments
from runner.cli.command import add_json, say, wants_json
from runner.cli.following import detached, follow_to_end
from runner.cli.launchers import launcher_of


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("run_id", metavar="RUN", help="id of the run")
    environments.add_place(parser, "environment that it ran in (default: it is looked for)")
    parser.add_argument("-d", "--detach", action="store_true", help="print the run id and return at once")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Start the attempt, with what was asked for the first time, and follow it."""
    launcher = launcher_of(options)
    number = launcher.retry(options.run_id)
    say(f"penstock: attempt {number} of {options.run_id}")
    if options.detach:
        return detached(launcher, options.run_id, as_json=wants_json(options))
    return follow_to_end(launcher, options.run_id, as_json=wants_json(options))
