"""The line near the beginning of the log stream of a worker on ECS: it says whose worker that is."""

import re

from runner.request import RUN_ID
from runner.trailer import RECORD_SEPARATOR

PHRASE = "penstock-worker "
"""What such lines are searched for by."""
MARK = re.compile(rf"{RECORD_SEPARATOR}{PHRASE}(?P<run_id>{RUN_ID})/(?P<attempt>[0-9]+) (?P<number>[0-9]+)\s*")


def mark(run_id: str, attempt: int, number: int) -> str:
    """The line of a worker.

    Args:
        run_id: its run.
        attempt: the run's attempt.
        number: which of the run's workers it is, from 0.
    """
    return f"{RECORD_SEPARATOR}{PHRASE}{run_id}/{attempt} {number}"
