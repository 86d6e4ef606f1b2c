"""What of an environment is a number, and what more or less of it means."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from stacks.review.comparing import Change
from stacks.review.finding import Finding, Rule, Weight, say
from stacks.review.findings.quantity import cores, days, duration, gibibytes, mebibytes, number, plain
from stacks.review.preview import Step
from stacks.review.values import Hidden

SIZE = Rule(
    name="size-changed",
    tells="runs or workers are larger or smaller, or may be more",
    why="Runs that start after the change have it; it is what they cost, what room they need, and where they end.",
)
TIMEOUT = Rule(
    name="timeout-changed",
    tells="runs have more or less time",
    why="What takes longer is stopped, and what hangs costs until it is.",
)
RETENTION = Rule(
    name="retention-changed",
    tells="logs, files or records of runs are kept longer or shorter",
    why="What is older than the new time is deleted soon after the change, and cannot be had back.",
)
RULES = (SIZE, TIMEOUT, RETENTION)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """A number of an environment. The sentences have places for the environment and for the new number."""

    rule: Rule
    unit: Callable[[Fraction], str]
    more: str
    less: str
    gone: str = ""
    """The sentence, with the environment only, where there is no limit any more; empty to say nothing."""
    weights: tuple[Weight, Weight, Weight]
    """Of more, less and gone."""
    much: bool = False
    """Whether more than twice as much is a warning."""

    def weight(self, before: Fraction | None, after: Fraction | None) -> Weight:
        """How much a change matters; a limit where there was none is less."""
        more, less, gone = self.weights
        if after is None:
            return gone
        if before is None or after < before:
            return less if self.gone or before is not None else more
        return Weight.WARNING if self.much and after > 2 * before else more

    def text(self, before: Fraction | None, after: Fraction | None) -> str:
        """The sentence for a change; empty when there is nothing to say."""
        if after is None:
            return self.gone
        return self.less if (before is None and self.gone) or (before is not None and after < before) else self.more


def measured(step: Step, measure: Measure, name: str, change: Change, options: tuple[str, ...]) -> Iterator[Finding]:
    """The finding about a number of something with a name; none where it stays the same, or is not known."""
    before, after = number(change.before), number(change.after)
    hidden = isinstance(change.before, Hidden) or isinstance(change.after, Hidden)
    text = "" if hidden or before == after else measure.text(before, after)
    if text:
        yield Finding(
            rule=measure.rule,
            weight=measure.weight(before, after),
            urn=step.urn,
            what=say(text, name, *(() if after is None else (measure.unit(after),))),
            field=change.path,
            before=None if before is None else change.before,
            after=None if after is None else change.after,
            options=options,
        )


LIGHT = (Weight.NOTICE, Weight.NOTICE, Weight.NOTICE)
LESS_HURTS = (Weight.NOTICE, Weight.WARNING, Weight.NOTICE)
LOSS_HURTS = (Weight.NOTICE, Weight.WARNING, Weight.WARNING)


def _size(unit: Callable[[Fraction], str], text: str, less: str = "") -> Measure:
    weights = LESS_HURTS if less else LIGHT
    return Measure(rule=SIZE, unit=unit, more=text, less=less or text, weights=weights, much=True)


def _resources(key: str, whose: str) -> Mapping[str, Measure]:
    killed = f"{whose} that need more memory than {{}} are killed"
    return {
        f"{key}.cpu_millicores": _size(cores, f"{whose} ask for {{}}"),
        f"{key}.memory_mib": _size(mebibytes, f"{whose} ask for {{}} of memory", killed),
        f"{key}.gpu": _size(plain, f"{whose} ask for GPUs, {{}} each"),
        f"{key}.cpu_limit_millicores": _size(cores, f"{whose} get at most {{}}"),
        f"{key}.memory_limit_mib": _size(mebibytes, f"{whose} get at most {{}} of memory", killed),
    }


def _time(more: str, less: str, gone: str, weights: tuple[Weight, Weight, Weight]) -> Measure:
    return Measure(rule=TIMEOUT, unit=duration, more=more, less=less, gone=gone, weights=weights)


def _kept(unit: Callable[[Fraction], str], text: str, gone: str = "") -> Measure:
    return Measure(rule=RETENTION, unit=unit, more=text, less=text, gone=gone, weights=LESS_HURTS)


MEASURES: Mapping[str, Measure] = {
    "max_workers": _size(plain, "a run of {} may have up to {} workers"),
    "min_workers": _size(plain, "every run of {} has at least {} workers"),
    "concurrent_runs": replace(_size(plain, "for runs of {} there is room for this many at once: {}"), much=False),
    **_resources("resources", "runs of {}"),
    **_resources("worker_resources", "Dask workers of {}"),
    **_resources("scheduler_resources", "Dask schedulers of {}"),
    "ephemeral_storage_gib": _size(gibibytes, "runs of {} have {} of storage while they run"),
    "failure_policy.retries": _size(plain, "failed runs of {} are started again, this often at most: {}"),
    "timeouts.run_seconds": _time(
        "runs of {} may take up to {}",
        "runs of {} that take longer than {} are stopped",
        "a run of {} that hangs is never stopped",
        LOSS_HURTS,
    ),
    "timeouts.queue_seconds": _time(
        "runs of {} may wait up to {} for a place",
        "runs of {} that wait longer than {} for a place fail",
        "runs of {} wait for a place without end",
        LESS_HURTS,
    ),
    "timeouts.start_seconds": _time(
        "runs of {} may take up to {} to start",
        "runs of {} that take longer than {} to start fail",
        "a run of {} that does not start is never stopped",
        LOSS_HURTS,
    ),
    "timeouts.grace_seconds": _time(
        "runs of {} have {} to end when they are asked to",
        "runs of {} are killed {} after they are asked to end",
        "",
        LESS_HURTS,
    ),
    "retention.succeeded_seconds": _kept(duration, "records of runs of {} that succeeded are removed after {}"),
    "retention.failed_seconds": _kept(duration, "records of runs of {} that failed are removed after {}"),
    "log_retention_days": _kept(days, "logs of {} older than {} are deleted", "logs of {} are kept for ever"),
    "input_retention_days": _kept(days, "code and files of runs of {} older than {} are deleted"),
}
"""By option of the stack's file, with the key inside it after a dot."""
