"""Findings about versions of providers and of the engine, and about where providers look for what there is."""

import re
from collections.abc import Iterator, Mapping

from stacks.review.comparing import canonical
from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.preview import Op, Preview, Step
from stacks.review.values import Hidden, Value, at, tree

PROVIDERS = "pulumi:providers:"
DEFAULT = re.compile(r"default_(\d+_\d+_\d+)")
"""Name of a provider that Pulumi makes by itself, with its version."""
STACK = "pulumi:pulumi:Stack"
PLACES: Mapping[str, tuple[str, ...]] = {
    "aws": ("region", "profile", "assumeRoles", "assumeRole", "endpoints", "allowedAccountIds"),
    "kubernetes": ("kubeconfig", "context", "cluster", "namespace"),
}
"""Inputs of a provider that say where it looks for what there is."""

PROVIDER = Rule(
    name="provider-version-changed",
    tells="a provider of Pulumi has another version",
    why="Defaults and checks are the provider's: a new one can change or replace what nobody has touched.",
)
ENGINE = Rule(
    name="engine-version-changed",
    tells="the preview was made by another version of Pulumi than the last change",
    why="An older Pulumi may not read what a newer one has written: https://www.pulumi.com/docs/iac/cli/.",
)
PLUGIN = Rule(
    name="provider-plugin-changed",
    tells="the plugin of a provider comes from elsewhere",
    why="It runs with the credentials of whoever makes the change.",
)
PLACE = Rule(
    name="provider-place-changed",
    tells="a provider looks in another region, account or cluster",
    why="What there is stays behind where it was, out of sight of Pulumi, or is replaced with its data.",
)
TAGS = Rule(
    name="provider-tags-changed",
    tells="a provider gives everything other tags",
    why="Rights and bills that go by tags change with them.",
)
RULES: tuple[Rule, ...] = (PROVIDER, ENGINE, PLUGIN, PLACE, TAGS)


def settings(step: Step) -> Iterator[Finding]:
    """A provider that is set up in another way."""
    if not step.type.startswith(PROVIDERS) or step.old is None or step.new is None:
        return
    package = step.type.removeprefix(PROVIDERS)
    for key in PLACES.get(package, ()):
        before, after = at(step.old, key), at(step.new, key)
        if not _same(before, after):
            text = "everything of the provider {} would be looked for elsewhere: its {} changes"
            yield _place(step, say(text, step.name, key), key, before, after)
    for path in (("pluginDownloadURL",), ("__internal", "pluginDownloadURL"), ("__internal", "pluginChecksums")):
        before, after = at(step.old, *path), at(step.new, *path)
        if not _same(before, after):
            yield Finding(
                rule=PLUGIN,
                weight=Weight.WARNING,
                urn=step.urn,
                what=say("the plugin of the provider {} comes from elsewhere", step.name),
                field=".".join(path),
                before=before,
                after=after,
            )
    if not _same(at(step.old, "defaultTags"), at(step.new, "defaultTags")):
        yield Finding(
            rule=TAGS,
            weight=Weight.NOTICE,
            urn=step.urn,
            what=say("everything of the provider {} gets other tags", step.name),
            field="defaultTags",
            before=at(step.old, "defaultTags"),
            after=at(step.new, "defaultTags"),
            options=("tags",),
        )


def providers(preview: Preview) -> Iterator[Finding]:
    """Providers of another version: the same one changed, or Pulumi's own replaced by the next."""
    gone: dict[str, list[Step]] = {}
    come: dict[str, list[Step]] = {}
    for step in preview.steps:
        if not step.type.startswith(PROVIDERS):
            continue
        if step.old is not None and step.new is not None:
            yield from _version(step, _version_of(step, step.old), _version_of(step, step.new))
        elif DEFAULT.match(step.name):
            side = come if step.op is Op.CREATE else gone if step.op is Op.DELETE else {}
            side.setdefault(step.type, []).append(step)
    for type_, steps in come.items():
        if len(steps) == len(gone.get(type_, ())) == 1:
            before = gone[type_][0]
            yield from _version(steps[0], _version_of(before, before.old), _version_of(steps[0], steps[0].new))


def engine(preview: Preview) -> Iterator[Finding]:
    """A preview by another version of Pulumi than that of the last change."""
    judged = _judged(preview.engine_before, preview.engine_after)
    if judged is None:
        return
    weight, kind = judged
    project = next((step.project for step in preview.steps if step.project), "")
    whole = f"urn:pulumi:{preview.stack}::{project}::{STACK}::{project}-{preview.stack}"
    if kind == "older":
        text = "the stack would be changed by Pulumi {}, older than the {} that has written its state"
    else:
        text = "the stack would be changed by Pulumi {} instead of {}; whoever still has an older one should follow"
    yield Finding(
        rule=ENGINE,
        weight=weight,
        urn=next((step.urn for step in preview.steps if step.type == STACK), whole),
        what=say(text, preview.engine_after.removeprefix("v"), preview.engine_before.removeprefix("v")),
        field="version",
        before=preview.engine_before,
        after=preview.engine_after,
    )


def _version(step: Step, before: str, after: str) -> Iterator[Finding]:
    judged = _judged(before, after)
    if judged is None:
        return
    weight, kind = judged
    package = step.type.removeprefix(PROVIDERS)
    yield Finding(
        rule=PROVIDER,
        weight=weight,
        urn=step.urn,
        what=say(f"the provider of {{}} becomes {kind}: {{}} instead of {{}}", package, after, before),
        field="version",
        before=before,
        after=after,
    )


def _version_of(step: Step, properties: Mapping[str, Value] | None) -> str:
    found = at(properties, "version") or at(properties, "__internal", "version")
    if isinstance(found, str):
        return found
    named = DEFAULT.match(step.name)
    return named[1].replace("_", ".") if named else ""


def _judged(before: str, after: str) -> tuple[Weight, str] | None:
    """How much a change of version matters, and a word for it; None when there is none, or it cannot be told."""
    old, new = (_numbers(version) for version in (before, after))
    if old is None or new is None or old == new:
        return None
    if new < old:
        return Weight.WARNING, "older"
    if new[0] > old[0]:
        return Weight.WARNING, "a new major version"
    return Weight.NOTICE, "newer"


def _numbers(version: str) -> tuple[int, ...] | None:
    found = re.match(r"v?(\d{1,9})\.(\d{1,9})(?:\.(\d{1,9}))?", version)
    return tuple(int(part or 0) for part in found.groups()) if found else None


def _same(before: Value, after: Value) -> bool:
    return canonical(tree(before)) == canonical(tree(after))


def _place(step: Step, what: Sentence, key: str, before: Value, after: Value) -> Finding:
    # One that is computed is often known after the change only, and then often the same.
    known = not isinstance(before, Hidden) and not isinstance(after, Hidden)
    return Finding(
        rule=PLACE,
        weight=Weight.DANGER if known else Weight.WARNING,
        urn=step.urn,
        what=what,
        field=key,
        before=before,
        after=after,
    )


STEP_CHECKS: tuple[StepCheck, ...] = (settings,)
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = (providers, engine)
