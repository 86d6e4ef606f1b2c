"""Gets the files of runs out of the environment's bucket."""

from collections.abc import Callable

from runner.bucket_files import MAX_FILE_BYTES
from runner.errors import PenstockError
from runner.launch import artifacts
from runner.launch.ecs.content import Content
from runner.launch.ecs.task import artifacts_prefix
from runner.outcome import Outcome
from runner.trailer import Record


def kept(
    outcome: Outcome, record: Record, content: Content, notice: Callable[[str], object] = lambda _: None
) -> Outcome:
    """Keep the run's files on this machine; the result is the outcome with the places where they are now.

    Args:
        outcome: how the run ended.
        record: its record, which names them.
        content: what is in the bucket.
        notice: called with a sentence about the first that cannot be had.
    """
    prefix = artifacts_prefix(outcome.run_id, outcome.attempt)
    missing: list[str] = []

    def fetch(name: str) -> bytes | None:
        if missing:  # what keeps one of them keeps the others, and may have taken its time
            return None
        try:
            # Who wrote the object may mean harm: it is no longer than what a runner puts there.
            return content.read(f"{prefix}{name}", most=MAX_FILE_BYTES + 1)
        except PenstockError as error:
            missing.append(name)
            notice(f"files of {outcome.run_id} cannot be had from its bucket, {name!r} for one. {error}")
            return None

    return artifacts.keep(outcome, record.artifacts, stored=record.stored, fetch=fetch)
