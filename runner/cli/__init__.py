"""The command `penstock`: one file per verb beside this one, imported when it is called.

Only this file is imported for `penstock --help`, so it imports nothing but the version.
"""

import os
import sys
from collections.abc import Sequence

from runner import __version__

VERBS = {
    "run": "run a flow and exit with its exit code",
    "ls": "list runs",
    "describe": "show one run: how it ended, its steps in time, its result",
    "logs": "show what a run printed",
    "cancel": "ask a run to stop, and wait until it has",
    "retry": "start the next attempt of a run that has ended",
    "gc": "remove records of runs that ended long ago",
    "doctor": "check this machine and an environment",
    "env": "list, show and pull environment documents",
    "init": "write a stack configuration and a first flow",
    "completion": "print the completion script for a shell",
}
"""Every verb with its help; each is the module of its name."""

USAGE = "Usage: penstock VERB [...]   (penstock VERB --help tells more)"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; the result is its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        code = _dispatch(words)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader of stdout is gone, as with `penstock ls | head`: a second error on exit would only confuse.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception:  # noqa: BLE001 a bug must not end with an exit code that means something else
        import traceback

        traceback.print_exc()
        print("penstock: this is a bug of Penstock's own, please report it with the lines above.", file=sys.stderr)
        return 70


def _dispatch(words: list[str]) -> int:
    if not words or words[0] in {"-h", "--help", "help"}:
        print(_help())
        return 0
    if words[0] == "--version":
        print(f'{{"version": "{__version__}"}}' if "--json" in words else f"penstock {__version__}")
        return 0
    from runner.cli.command import run_verb

    return run_verb(words[0], words[1:])


def _help() -> str:
    lines = [USAGE, "", "Runs Python flows in the environments that Penstock's Pulumi stacks provision.", "", "Verbs:"]
    lines += [f"  {verb:<11} {text}" for verb, text in VERBS.items()]
    lines += ["", "Options:", "  --version   print the version", "  -h, --help  print this", ""]
    lines += ["First steps: penstock init, then penstock run flow.py:main"]
    return "\n".join(lines)
