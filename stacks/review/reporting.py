"""From previews to a report: what the findings tell, in order, and the rest without noise."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from stacks.review.comparing import TAGS, Change, changes
from stacks.review.finding import Finding, Weight
from stacks.review.findings import PREVIEW_CHECKS, RULES, STEP_CHECKS
from stacks.review.preview import Op, Preview, Step
from stacks.review.report import Field, Report, Row, StackReport, Told
from stacks.review.stack_file import ENVIRONMENT, StackFile
from stacks.review.workloads import DOCUMENT_KEY
from stacks.review.writing.shown import shown

ORDER = {rule.name: place for place, rule in enumerate(RULES)}
STACK = "pulumi:pulumi:Stack"
MARKS = ("metadata.labels.", "metadata.annotations.")
UNMISTAKABLE = 12
"""Characters."""
ACTED_UPON = ".kubernetes.io/"
DOCUMENTS = (f"data.{DOCUMENT_KEY}.", "insecureValue.")
"""Where in a ConfigMap and in a parameter of Systems Manager the environment document is."""


def report(previews: Iterable[Preview], *, stack_files: Path) -> Report:
    """All that previews mean.

    Args:
        previews: one for each stack.
        stack_files: folder with the stacks' files, for the lines that pointers have.
    """
    return joined(_one(preview, stack_files) for preview in previews)


def missing(stack: str) -> Report:
    """What is to be said of a stack whose preview should be there and is not."""
    why = "There is no report about it: its job broke off before the preview, or did not run. See that job's log."
    return Report(stacks=(StackReport(stack=stack, counts={}, errors=(why,), complete=False),))


def joined(reports: Iterable[Report]) -> Report:
    """One report of several, in the order that reports have."""
    parts = list(reports)
    return Report(
        stacks=tuple(sorted((stack for part in parts for stack in part.stacks), key=lambda stack: stack.stack)),
        findings=tuple(sorted((told for part in parts for told in part.findings), key=_place)),
        rows=tuple(
            sorted((row for part in parts for row in part.rows), key=lambda row: (row.stack, row.type, row.name))
        ),
        notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
    )


def _place(told: Told) -> tuple[object, ...]:
    return (-told.weight, told.stack, ORDER.get(told.rule, len(ORDER)), told.urn, told.field, str(told.what))


def _one(preview: Preview, stack_files: Path) -> Report:
    found = list(_without_parts(preview, _findings(preview)))
    steps = {step.urn: step for step in preview.steps}
    file = StackFile(preview, stack_files)
    rows, noise = _rest(preview.steps, found)
    stack = StackReport(
        stack=preview.stack,
        counts=preview.counts,
        noise=noise,
        errors=preview.errors,
        warnings=preview.warnings,
        complete=preview.complete,
        has_values=preview.has_values,
    )
    told = (_told(finding, steps.get(finding.urn), preview.stack, file) for finding in found)
    return Report(stacks=(stack,), findings=tuple(told), rows=tuple(rows))


def _findings(preview: Preview) -> Iterator[Finding]:
    for step in preview.steps:
        if step.op != Op.SAME or _changes_all_the_same(step):
            for check in STEP_CHECKS:
                yield from check(step)
    for check_all in PREVIEW_CHECKS:
        yield from check_all(preview)


def _changes_all_the_same(step: Step) -> bool:
    """Whether Pulumi calls the same what is not: protection, and where a provider's plugin comes from."""
    is_provider = step.type.startswith("pulumi:providers:")
    return step.protected_before != step.protected_after or (is_provider and step.old != step.new)


def _without_parts(preview: Preview, found: Iterable[Finding]) -> Iterator[Finding]:
    """Without what is lost with a whole environment, unless it is a danger of its own."""
    deleted = [step for step in preview.steps if step.op == Op.DELETE]
    whole = [step for step in deleted if ENVIRONMENT.fullmatch(step.type)]
    parts = {step.urn for step in deleted if any(_is_part(step, environment) for environment in whole)}
    for finding in found:
        if finding.urn not in parts or finding.weight == Weight.DANGER:
            yield finding


def _is_part(step: Step, environment: Step) -> bool:
    """Whether a component has made it: its URN has the component's type, and its name begins with the component's."""
    return f"::{environment.type}$" in step.urn and step.name.startswith(f"{environment.name}-")


def _told(finding: Finding, step: Step | None, stack: str, file: StackFile) -> Told:
    return Told(
        rule=finding.rule.name,
        weight=finding.weight,
        stack=stack,
        urn=finding.urn,
        type=step.type if step else STACK,
        name=step.name if step else stack,
        what=finding.what,
        field=finding.field,
        before=None if finding.before is None else shown(finding.before),
        after=None if finding.after is None else shown(finding.after),
        why=finding.rule.why,
        pointer=file.pointer(finding.options),
    )


def _rest(steps: Sequence[Step], found: Sequence[Finding]) -> tuple[list[Row], int]:
    """What no finding is about, and how many resources have changes that mean nothing."""
    covered: dict[str, set[str]] = {}
    for finding in found:
        covered.setdefault(finding.urn, set()).add(finding.field)
    elsewhere = {(finding.before, finding.after) for finding in found if _is_unmistakable(finding)}
    rows, noise = [], 0
    for step in steps:
        if step.op == Op.SAME or step.type == STACK:
            continue
        told = covered.get(step.urn, set())
        if step.old is None or step.new is None:
            if not told:
                rows.append(_row(step, ()))
            continue
        differing = changes(step.old, step.new)
        meant = [change for change in differing if not _is_tag(change)]
        left = [
            change
            for change in meant
            if not _is_told(change, told)
            and not (_is_unmistakable(change) and (change.before, change.after) in elsewhere)
        ]
        if left or (step.op != Op.UPDATE and not told):
            rows.append(_row(step, left))
        elif step.op == Op.UPDATE and not meant and not told:
            noise += 1
    return rows, noise


def _is_unmistakable(change: Change | Finding) -> bool:
    """Whether the same two values elsewhere are the same change: an image in every container, not a number."""
    return all(isinstance(value, str) and len(value) >= UNMISTAKABLE for value in (change.before, change.after))


def _is_tag(change: Change) -> bool:
    """Tags of AWS, labels and annotations of Kubernetes; but not those labels that Kubernetes itself acts upon."""
    if change.path.startswith(MARKS):
        return ACTED_UPON not in change.path
    return change.path.split(".", 1)[0].split("[", 1)[0] in TAGS


def _is_told(change: Change, told: set[str]) -> bool:
    # Findings about an environment document name its own fields, wherever it is kept.
    changed = change.path
    for prefix in DOCUMENTS:
        changed = changed.removeprefix(prefix)
    return any(not path or changed == path or changed.startswith((f"{path}.", f"{path}[")) for path in told)


def _row(step: Step, fields: Iterable[Change]) -> Row:
    return Row(
        stack=step.stack,
        type=step.type,
        name=step.name,
        op=str(step.op),
        fields=tuple(
            Field(
                path=change.path,
                before=None if change.before is None else shown(change.before),
                after=None if change.after is None else shown(change.after),
            )
            for change in fields
        ),
    )
