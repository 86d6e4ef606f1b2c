"""The demo: provisions the local environment with Pulumi, then runs a real flow in it.

`python3 -m tools.demo`. Everything it writes stays in the checkout's `.penstock`.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from tools import estimate, pulumi_cli, setup
from tools.errors import EXIT_UNAVAILABLE, ToolError
from tools.paths import CHECKOUT, PRIVATE, VENV
from tools.processes import follow
from tools.progress import note, step
from tools.pulumi_env import pulumi_environment

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

STACK = "local"
STACK_FILE = CHECKOUT / "stacks" / f"Pulumi.{STACK}.yaml"
FLOW = "examples/flights/flow.py:main"
PARAMETERS = ("minimum_delay=15",)
OWN_SECONDS = 15
PICTURES = {".png", ".svg"}


class StepError(Exception):
    """A command of the demo failed; it has said why."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def demo_environment(cli: Path) -> dict[str, str]:
    """Returns the variables for every command of the demo: the user's own environments and runs stay untouched."""
    return pulumi_environment(cli) | {
        "XDG_STATE_HOME": str(PRIVATE / "state-home"),
        "XDG_CONFIG_HOME": str(PRIVATE / "config-home"),
    }


def pictures() -> set[Path]:
    """Finds what flows have drawn."""
    runs = PRIVATE / "state-home" / "penstock" / "runs"
    return {file for file in runs.rglob("*") if file.suffix in PICTURES and file.is_file()}


@contextlib.contextmanager
def _unchanged(file: Path) -> Iterator[None]:
    # Pulumi writes the salt of this state's passphrase into the stack's file. The state is the checkout's own, and no
    # other state can use the salt, so it must not show up as a change to commit.
    before = file.read_bytes()
    try:
        yield
    finally:
        file.write_bytes(before)


def _run(env: dict[str, str], *command: str) -> None:
    # stdout of the demo is the flow's result and nothing else; what Pulumi says is progress.
    if code := follow(command, cwd=CHECKOUT, env=env, stdout=sys.stderr):
        raise StepError(code)


def _demo() -> int:
    with step("1/4 set-up", own_output=bool(setup.seconds_needed()) or not pulumi_cli.at_hand()):
        setup.prepare()
        env = demo_environment(pulumi_cli.obtain())
    penstock = str(VENV / "bin" / "penstock")
    with step(f"2/4 pulumi up --stack {STACK}", own_output=True), _unchanged(STACK_FILE):
        _run(env, "pulumi", "stack", "select", "--create", "--non-interactive", "--color=never", STACK)
        up = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive", "--color=never", "--suppress-outputs")
        _run(env, *up, "--stack", STACK)
    with step(f"3/4 penstock env pull --stack {STACK}", own_output=True):
        _run(env, penstock, "env", "pull", "--stack", STACK)
    parameters = [word for parameter in PARAMETERS for word in ("-p", parameter)]
    earlier = pictures()
    with step(f"4/4 penstock run {FLOW} --env {STACK} {' '.join(parameters)}", own_output=True):
        code = follow([penstock, "run", FLOW, "--env", STACK, *parameters], cwd=CHECKOUT, env=env)
    for picture in sorted(pictures() - earlier):
        note(f"Picture: {picture.relative_to(CHECKOUT)}")
    return code


def main() -> int:
    """Runs the demo.

    Returns:
        The exit code of the flow's run; of the step that failed when it did not come to that.
    """
    long = estimate.with_cli(OWN_SECONDS + setup.seconds_needed())
    note(f"Provisions an environment on this machine with Pulumi and runs a flow in it: {long}.")
    try:
        return _demo()
    except StepError as error:
        return error.code
    except ToolError as error:
        note(str(error))
        return EXIT_UNAVAILABLE


if __name__ == "__main__":
    raise SystemExit(main())
