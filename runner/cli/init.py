"""`penstock init`: write a stack configuration and a first flow."""

import argparse
import re
from pathlib import Path

from runner.cli.command import add_json, print_json, say, wants_json
from runner.errors import UnavailableError, UsageError
from runner.sections import NAME, NAME_MEANING

STACK = """\
# Where the flows of this stack run. Every option is described in Pulumi.yaml.
config:
  penstock:kind: local
"""

FLOW = '''\
"""A first flow: penstock run flow.py:main -p name=you"""


def main(name: str = "world", times: int = 1) -> dict[str, int]:
    """Greet."""
    for _ in range(times):
        print(f"Hello, {name}!")
    return {"greetings": times}
'''


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the verb's options."""
    parser.add_argument("folder", nargs="?", default=".", metavar="DIR", help="where to write (default: this folder)")
    parser.add_argument("--stack", default="dev", metavar="NAME", help="name of the stack (default dev)")
    add_json(parser)


def run(options: argparse.Namespace) -> int:
    """Write the two files; one that exists is left as it is."""
    if not re.fullmatch(NAME, options.stack):
        raise UsageError(f"--stack is {options.stack!r}, expected {NAME_MEANING}. Choose such a name.")
    folder = Path(options.folder)
    project = folder / "Pulumi.yaml"
    # In a checkout the stack files lie beside the program, as Pulumi.yaml's stackConfigDir says.
    stacks = folder / "stacks" if project.is_file() and (folder / "stacks").is_dir() else folder
    wanted = {stacks / f"Pulumi.{options.stack}.yaml": STACK, folder / "flow.py": FLOW}
    written = []
    for path, text in wanted.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x") as file:
                file.write(text)
        except FileExistsError:
            say(f"{path} exists and is left as it is.")
        except OSError as error:
            raise UnavailableError(f"{path} cannot be written ({error.strerror}). Choose another folder.") from None
        else:
            written.append(str(path))
            say(f"{path} written")
    if wants_json(options):
        print_json({"written": written})
        return 0
    say("")
    say(f"Next, where the Pulumi program of Penstock is:  pulumi up -s {options.stack}")
    say(f"                                                penstock env pull --stack {options.stack}")
    say(f"Then:                                           penstock run {folder / 'flow.py'}:main --env {options.stack}")
    return 0
