"""Outcomes for people."""

import json
import time

from runner import contract
from runner.launch.base import RunRecord
from runner.outcome import LEDGER_STEPS, REPORT_ARTIFACT, TASK_STREAM_ARTIFACT, Outcome, State

LINE_OF_RESULT = 100
SHORT_RESULT = 4000
ARTIFACT_LABELS = {REPORT_ARTIFACT: "report", TASK_STREAM_ARTIFACT: "stream"}
"""What Dask's two files are; any other is an artifact."""


def summary(outcome: Outcome) -> str:
    """How a run ended, its latency ledger, its result and what it left behind."""
    lines = [headline(outcome)]
    if outcome.failure is not None:
        lines += [f"  {outcome.failure.message}"]
        lines += [f"  {outcome.failure.next_step}"] if outcome.failure.next_step else []
        lines += [f"  Evidence: {outcome.failure.evidence}"] if outcome.failure.evidence else []
    lines += [f"  {ledger(outcome)}"] if outcome.ledger else []
    if outcome.result is not None:
        lines += [f"  result     {_result(outcome.result)}"]
    elif outcome.result_repr is not None:
        lines += [f"  result     {outcome.result_repr}"]
    lines += [f"  {ARTIFACT_LABELS.get(item.name, 'artifact'):10} {item.path}" for item in outcome.artifacts]
    return "\n".join(lines)


def _result(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > LINE_OF_RESULT:
        text = json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n  ")
    return text if len(text) <= SHORT_RESULT else f"{text[:SHORT_RESULT]}…  (the whole: penstock describe --json)"


def headline(outcome: Outcome) -> str:
    """One line: which run, where, how it stands."""
    where = f"{outcome.run_id}{f' (attempt {outcome.attempt})' if outcome.attempt > 1 else ''} in {outcome.environment}"
    if not outcome.state.ended:
        return f"{where}: {state_of(outcome)}"
    failure = f" [{outcome.failure.failure_class}]" if outcome.failure else ""
    took = f" after {outcome.ledger['finished']:.2f} s" if "finished" in outcome.ledger else ""
    return f"{where}: {outcome.state}{failure}, exit code {outcome.exit_code}{took}"


def state_of(outcome: Outcome) -> str:
    """The state, with what a queued run waits for: `queued(quota): pods 5/5`."""
    if outcome.waiting is None:
        return outcome.state
    return f"{outcome.state}({outcome.waiting.failure_class}): {outcome.waiting.message}"


def ledger(outcome: Outcome) -> str:
    """The latency ledger: seconds from acceptance to each step."""
    steps = [f"{step.replace('_', ' ')} {outcome.ledger[step]:.3f}" for step in LEDGER_STEPS if step in outcome.ledger]
    return "  ".join(["ledger     accepted 0.000", *steps, "(seconds)"])


def table(records: list[RunRecord]) -> str:
    """Runs as a table."""
    rows = [("RUN", "STATE", "EXIT", "ENVIRONMENT", "FLOW", "ACCEPTED", "TOOK")]
    for record in records:
        outcome = record.outcome
        took = f"{outcome.ledger['finished']:.1f} s" if "finished" in outcome.ledger else ""
        state = state_of(outcome) if outcome.failure is None else f"{outcome.state} ({outcome.failure.failure_class})"
        code = "" if outcome.exit_code is None else str(outcome.exit_code)
        rows += [
            (outcome.run_id, state, code, outcome.environment or "", outcome.flow or "", age(record.accepted_at), took)
        ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def age(accepted_at: float) -> str:
    """How long ago something was, in the largest unit that fits."""
    seconds = max(0.0, time.time() - accepted_at)
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return f"{seconds:.0f} s ago"


def moment(accepted_at: float) -> str:
    """A time in the user's zone."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(accepted_at, UTC).astimezone().isoformat(sep=" ", timespec="seconds")


def short(outcome: Outcome) -> dict[str, object]:
    """An outcome as `penstock ls --json` lists it: without result and log."""
    whole = contract.encode(outcome)
    assert isinstance(whole, dict)  # noqa: S101 a dataclass encodes to an object
    return {key: value for key, value in whole.items() if key not in {"result", "result_repr", "log"}}


def exit_code(outcome: Outcome) -> int:
    """The exit code of a command that waited for the run."""
    return outcome.exit_code if outcome.exit_code is not None else 0 if outcome.state is State.SUCCEEDED else 70
