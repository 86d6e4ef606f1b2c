"""Sets up Python's logging in the flow's process, before anything of the user's is imported."""

import logging
import sys

from runner.environment import Log

FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"


def configure(log: Log) -> None:
    """Show log records on stderr: all from the level on, and everything of the extra loggers."""
    logging.basicConfig(stream=sys.stderr, format=FORMAT, level=log.level.value)
    for name in log.extra_loggers:
        logging.getLogger(name).setLevel(logging.DEBUG)
