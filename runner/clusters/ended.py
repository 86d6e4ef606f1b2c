"""How a Dask worker ended, wherever it was."""

import signal
from dataclasses import dataclass
from enum import Enum

from runner.outcome import ExitCode, FailureClass

LONGEST_MESSAGE = 500
OWN_WORDS = "penstock: "
"""Begins what a worker says of itself when it cannot begin."""


class End(Enum):
    """What the end of a worker means for the others."""

    CLOSED = "closed"
    """The worker was told to by its scheduler."""
    LOST = "lost"
    """Another worker may take its place."""
    HOPELESS = "hopeless"
    """Every other worker would end alike."""


@dataclass(frozen=True, kw_only=True)
class Ended:
    """The end of one worker."""

    end: End
    failure_class: FailureClass
    why: str
    """In words, as part of a sentence."""
    last_words: str = ""
    """What it printed last, where the platform kept it."""
    evidence: str = ""
    """The platform's own words."""
    next_step: str = ""
    """What to do about it, in a sentence; empty for nothing in particular."""


def of_memory(words: str = "") -> Ended:
    """The end of a worker that the platform killed for memory."""
    why = "was killed for memory; worker_resources.memory_mib of the stack gives each more"
    return Ended(end=End.LOST, failure_class=FailureClass.OOM, why=why, last_words=words)


def of_platform(why: str) -> Ended:
    """The end of a worker whose place the platform took away."""
    return Ended(end=End.LOST, failure_class=FailureClass.PREEMPTED, why=why)


def of_exit(code: int, *, reason: str = "", words: str = "") -> Ended:
    """The end of a worker by its exit code; see `runner.clusters.worker`.

    Args:
        code: the exit code.
        reason: the platform's word for it.
        words: what it printed last.
    """
    if code == ExitCode.OK:
        return Ended(end=End.CLOSED, failure_class=FailureClass.CANCELLED, why="was closed", last_words=words)
    if code == ExitCode.BAD_DOCUMENT:
        why = f"cannot work with this run: {_said(words) or 'it does not say why'}"
        return Ended(end=End.HOPELESS, failure_class=FailureClass.CONFIG, why=why, last_words=words)
    if code in {ExitCode.TERMINATED, ExitCode.STOPPED_BY_PLATFORM}:
        why = "was asked to stop by the cluster"
        return Ended(end=End.LOST, failure_class=FailureClass.PREEMPTED, why=why, last_words=words)
    if code == ExitCode.UNAVAILABLE:
        said = words.rpartition("\n")[2].startswith(OWN_WORDS)
        why = f"could not begin: {_said(words)}" if said else "lost its connection to the scheduler"
        return Ended(end=End.LOST, failure_class=FailureClass.CRASH, why=why, last_words=words)
    if code > ExitCode.SIGNAL_BASE:
        number = code - ExitCode.SIGNAL_BASE
        name = signal.Signals(number).name if number in set(signal.Signals) else f"signal {number}"
        why = f"was ended by {name} (exit code {code})"
        return Ended(end=End.LOST, failure_class=FailureClass.CRASH, why=why, last_words=words)
    last = f": {words.splitlines()[-1][:LONGEST_MESSAGE]}" if words else ""
    why = f"ended with exit code {code} ({reason or 'Error'}){last}"
    return Ended(end=End.LOST, failure_class=FailureClass.CRASH, why=why, last_words=words)


def _said(words: str) -> str:
    """The last line, to be part of a sentence."""
    return words.splitlines()[-1].removeprefix(OWN_WORDS).rstrip(".") if words else ""
