"""Sets up Python's logging in the flow's process, before anything of the user's is imported."""

import logging
import sys

from runner.environment import Log

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure(log: Log) -> None:
    """Write what is printed at once, and show log records on stderr.

    Args:
        log: shown are all records from its level on, and everything of its extra loggers.
    """
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=True, write_through=True)  # type: ignore[union-attr]
    logging.basicConfig(stream=sys.stderr, format=FORMAT, level=log.level.value)
    for name in log.extra_loggers:
        logging.getLogger(name).setLevel(logging.DEBUG)
