"""`penstock cancel`: ask a run to stop, and wait until it has."""

import argparse

from runner import contract
from runner.cli import environments
from runner.cli.command import add_json, print_json, say, wants_json
from runner.cli.launchers import launcher_of
from runner.cli.render import headline


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("run_id", metavar="RUN", help="id of the run")
    environments.add_place(parser, "environment that it ran in (default: it is looked for)")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Cancel the run; one that has ended stays as it is."""
    launcher = launcher_of(options)
    before = launcher.find(options.run_id).outcome
    if not before.state.ended:
        say(f"penstock: asking {options.run_id} to stop; it has its grace to end.")
        launcher.stop(options.run_id)
    outcome = launcher.follow(options.run_id, lambda _: None)
    say(f"penstock: {headline(outcome)}{'; it had ended before' if before.state.ended else ''}")
    if wants_json(options):
        print_json(contract.encode(outcome))
    return 0
