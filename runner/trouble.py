"""What keeps something from starting on a platform, in the platform's words and in plain ones."""

from dataclasses import dataclass

from runner.outcome import Failure


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """What keeps a run, or a worker of one, from starting."""

    failure: Failure
    fatal: bool
    """Whether waiting, or trying again, cannot help."""
