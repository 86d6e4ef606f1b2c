r"""The run's record where the platform keeps no files: whole behind the log, and shortened for small records.

The last thing in the log of such a run is one line, which is no part of the flow's output:

    \x1epenstock <run id>/<attempt> {"artifacts": {}, "compressed": {"<name>": "<base64>"}, "outcome": {...}}\n

It stands right behind the flow's last byte, on the same line when the flow did not end that. Earlier runners
wrote the files as they are, under `artifacts`: such lines are read too, and clients of that time read no files in ours.
Of files in a bucket the line has the hashes only: `"stored": {"<name>": "<SHA-256>"}`.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from runner import contract
from runner.errors import ContractError
from runner.outcome import SCHEMA_VERSION, Failure, Outcome

RECORD_SEPARATOR = "\x1e"
"""ASCII's own separator of records; no JSON has it unescaped, so a mark never stands inside a trailer."""
LONGEST = 4 * 1024 * 1024
"""Longest line, in bytes, that is taken for a trailer: 1 MiB of outcome, 1 MiB of files in base64, their names."""
FLOW_BYTES = 128
"""Room for the name of the flow in a shortened record, in bytes of JSON."""


@dataclass(frozen=True, kw_only=True)
class Record:
    """What a trailer says."""

    outcome: Outcome
    artifacts: Mapping[str, bytes]
    """Contents of the files that came along, by name; each name is a relative path without `..`."""
    stored: Mapping[str, str] = field(default_factory=dict)
    """SHA-256 of the files that the run has put into its environment's bucket, by such names."""


@dataclass(kw_only=True)
class _Sent:
    """What stands in a trailer."""

    outcome: Outcome
    plain: Mapping[str, bytes]
    compressed: Mapping[str, bytes]
    stored: Mapping[str, str]

    @cached_property
    def record(self) -> Record:
        """The record with its files: expanded when somebody asks, so that lines that only look like it cost nothing."""
        files = {**self.plain, **_expanded(self.compressed)}
        return Record(outcome=self.outcome, artifacts=files, stored=self.stored)


def trailer(outcome: Outcome, files: Mapping[str, bytes], stored: Mapping[str, str] | None = None) -> bytes:
    """The line that ends the log of a run.

    Args:
        outcome: the run's outcome.
        files: compressed contents of the files to send along, by name.
        stored: SHA-256 of the files that are in the environment's bucket, by name; null for none.
    """
    from binascii import b2a_base64  # here and below: records are shortened while the runner starts

    sent = {name: b2a_base64(data, newline=False).decode() for name, data in files.items()}
    given: dict[str, object] = {"outcome": outcome, "artifacts": {}, "compressed": sent}
    body = contract.to_bytes(given | ({"stored": stored} if stored else {}))
    return _mark(outcome.run_id, outcome.attempt) + body + b"\n"


class Splitter:
    """Tells the flow's output from the trailer of a run, however the log is cut into chunks.

    Args:
        run_id: the run.
        attempt: the attempt; trailers of any other run or attempt are output.
    """

    def __init__(self, run_id: str, attempt: int) -> None:
        self._sent: _Sent | None = None
        self._run = (run_id, attempt)
        self._mark = _mark(run_id, attempt)
        self._held = bytearray()
        """A beginning of the mark, or the mark and what follows on its line."""

    @property
    def record(self) -> Record | None:
        """What the last complete trailer says; null before there is one."""
        return None if self._sent is None else self._sent.record

    def feed(self, data: bytes) -> bytes:
        """The flow's own output among these bytes, and of those held back before."""
        passed, mark = bytearray(), self._mark
        searched = len(self._held)
        self._held += data
        while True:
            if not self._held.startswith(mark):
                passed += self._taken(self._start_of_mark())
                searched = 0
                if not self._held.startswith(mark):
                    return bytes(passed)
            end = self._held.find(b"\n", max(searched, len(mark)))
            later = self._held.find(mark, max(searched - len(mark), 1), None if end < 0 else end)
            searched = 0
            if later > 0:  # only the last mark of a line can begin a trailer
                passed += self._taken(later)
            elif (len(self._held) if end < 0 else end) > LONGEST:
                passed += self._taken(len(mark))
            elif end < 0:
                return bytes(passed)
            elif (sent := self._read(bytes(self._held[len(mark) : end]))) is not None:
                self._sent = sent
                self._taken(end + 1)
            else:
                passed += self._taken(end + 1)

    def rest(self) -> bytes:
        """What is held back when nothing more comes. A trailer that was cut off is no output."""
        rest = b"" if self._held.startswith(self._mark) else bytes(self._held)
        self._held.clear()
        return rest

    def _taken(self, count: int) -> bytearray:
        taken = self._held[:count]
        del self._held[:count]
        return taken

    def _start_of_mark(self) -> int:
        """Where the next mark is, or where what there is of it begins; the end when there is nothing of it."""
        whole = self._held.find(self._mark)
        if whole >= 0:
            return whole
        part = self._held.rfind(RECORD_SEPARATOR.encode(), max(0, len(self._held) - len(self._mark)))
        return part if part >= 0 and self._mark.startswith(self._held[part:]) else len(self._held)

    def _read(self, line: bytes) -> _Sent | None:
        """What stands in the line; null when no runner has written it for this run."""
        from binascii import a2b_base64

        try:
            body = json.loads(line)
            outcome = contract.read_document(
                Outcome,
                contract.to_bytes(body["outcome"]),
                version=SCHEMA_VERSION,
                subject="outcome",
                warn=lambda _: None,  # the runner may be newer
            )
            plain, compressed = (
                {name: a2b_base64(text, strict_mode=True) for name, text in files.items()}
                for files in (body["artifacts"], body.get("compressed", {}))
            )
            stored = {name: str(digest) for name, digest in body.get("stored", {}).items()}
        except (ValueError, TypeError, LookupError, AttributeError, RecursionError, ContractError):
            return None
        if (outcome.run_id, outcome.attempt) != self._run or any(map(_leads_out, (*plain, *compressed, *stored))):
            return None
        return _Sent(outcome=outcome, plain=plain, compressed=compressed, stored=stored)


def shortened(outcome: Outcome, limit: int) -> Outcome:
    """The outcome, without what is long where it takes more room than there is; `partial` says so.

    What tells how the run ended goes in first: the failure's message, its next step and evidence; then detail and
    result, each as a whole or not at all, and as many artifacts as fit.

    Args:
        outcome: the outcome, with ids and names of the lengths that the contracts allow.
        limit: bytes that its JSON may have, at least 1,024.
    """
    if _size(outcome) <= limit:
        return outcome
    short = replace(
        outcome,
        flow=None if outcome.flow is None else _clipped(outcome.flow, FLOW_BYTES),
        failure=None,
        waiting=None,
        result=None,
        result_repr=None,
        artifacts=(),
        partial=True,
    )
    if outcome.failure is not None:
        short = replace(short, failure=_short_failure(outcome.failure, short, limit))
    changes: list[dict[str, object]] = [{"result_repr": outcome.result_repr}]
    if outcome.result is not None:
        words = f"{_size(outcome.result):,} bytes of JSON, for which this record has no room"
        changes = [{"result_repr": words}, {"result_repr": None, "result": outcome.result}]
    for change in (*changes, {"flow": outcome.flow}, {"waiting": outcome.waiting}):
        longer = replace(short, **change)  # type: ignore[arg-type]
        short = longer if _size(longer) <= limit else short
    room = limit - _size(short)
    kept = []
    for artifact in outcome.artifacts:
        room -= _size(artifact) + 1
        if room < 0:
            break
        kept.append(artifact)
    return replace(short, artifacts=tuple(kept))


def _short_failure(failure: Failure, beside: Outcome, limit: int) -> Failure:
    """As much of the failure as there is room for, beside the rest of the outcome."""
    short = replace(failure, message="", detail=None, next_step=None, evidence=None)
    short = replace(short, message=_clipped(failure.message, limit - _size(replace(beside, failure=short))))
    for name in ("next_step", "evidence", "detail"):
        longer = replace(short, **{name: getattr(failure, name)})
        short = longer if _size(replace(beside, failure=longer)) <= limit else short
    return short


def _clipped(text: str, room: int) -> str:
    """The beginning of a text that takes no more room than that as JSON, in bytes."""
    clipped = text
    while clipped and _size(clipped) - len('""') > room:
        # Each round comes nearer, whatever characters take more than one byte.
        fewer = min(len(clipped) - 2, len(clipped) * room // _size(clipped))
        clipped = f"{clipped[: max(fewer, 0)]}…" if fewer > 0 else ""
    return clipped


def _size(value: object) -> int:
    return len(contract.to_bytes(value))


def _mark(run_id: str, attempt: int) -> bytes:
    return f"{RECORD_SEPARATOR}penstock {run_id}/{attempt} ".encode()


def _expanded(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The files as they were, up to one that no runner has compressed or that is more than all may be."""
    from runner.compression import MAX_EXPANDED_BYTES, expanded

    found: dict[str, bytes] = {}
    room = MAX_EXPANDED_BYTES
    for name, data in files.items():
        whole = expanded(data, room)
        if whole is None:
            break
        found[name] = whole
        room -= len(whole)
    return found


def _leads_out(name: str) -> bool:
    return name.startswith("/") or not {"", ".", ".."}.isdisjoint(name.split("/"))
