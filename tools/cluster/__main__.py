"""The command line of the test cluster: `python3 -m tools.cluster up|down|load|status`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tools.cluster import current
from tools.errors import EXIT_UNAVAILABLE, ToolError

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_INTERRUPTED = 130


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python3 -m tools.cluster", description="The Kubernetes test cluster.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    up = verbs.add_parser("up", help="make it or repair it, and print the path of its kubeconfig")
    up.add_argument("--image", dest="archives", type=Path, action="append", default=[], metavar="ARCHIVE.tar")
    verbs.add_parser("down", help="remove it and everything it has left")
    load = verbs.add_parser("load", help="make images known to it")
    load.add_argument("archives", type=Path, nargs="+", metavar="ARCHIVE.tar")
    verbs.add_parser("status", help="tell whether it answers, and how to reach it")
    return parser.parse_args(words)


def main(words: Sequence[str] | None = None) -> int:
    """Runs the command line.

    Returns:
        The exit code.
    """
    chosen = _arguments(words)
    cluster = current()
    try:
        if chosen.verb == "up":
            cluster.up()
        if chosen.verb in {"up", "load"}:
            cluster.load(chosen.archives)
        if chosen.verb == "up":
            print(cluster.kubeconfig)
        if chosen.verb == "down":
            cluster.down()
        if chosen.verb == "status":
            print(cluster.status())
    except ToolError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    except KeyboardInterrupt:
        print("Interrupted. The next `up` completes what was begun, and `down` removes it.", file=sys.stderr)
        return EXIT_INTERRUPTED
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
