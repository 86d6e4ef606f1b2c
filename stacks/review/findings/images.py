"""Findings about container images."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from stacks.review.finding import Finding, PreviewCheck, Rule, Sentence, StepCheck, Weight, say
from stacks.review.findings import whose
from stacks.review.preview import Preview, Step
from stacks.review.values import Properties, at
from stacks.review.workloads import containers, document

CHANGED = Rule(
    name="image-changed",
    tells="a container gets another image",
    why="Runs that start after the change have other code and other packages.",
)
TAG_MOVES = Rule(
    name="image-tag-moves",
    tells="an image is named by a tag, without a digest",
    why="Whoever may push to the registry decides what runs have in them, without a change of this stack.",
)
DIGEST_DROPPED = Rule(
    name="image-digest-dropped",
    tells="an image had a digest and has none any more",
    why="What was the same forever can now be another image from one run to the next.",
)
REGISTRY_CHANGED = Rule(
    name="image-registry-changed",
    tells="an image comes from another registry",
    why="Somebody else keeps it, and scans and logins of the former registry are about it no longer.",
)
HUB = "docker.io"
"""The registry of images that name none."""
PARTS = {"task": "runs", "worker": "workers", "scheduler": "schedulers"}
"""Whose containers the task definitions of an environment of ours have."""


@dataclass(frozen=True, kw_only=True)
class Image:
    """The parts of a reference, as https://github.com/distribution/reference has them."""

    registry: str
    repository: str
    tag: str
    """Empty when there is none."""
    digest: str
    """Empty when there is none."""


def parsed(reference: str) -> Image:
    """The parts of a reference."""
    rest, _, digest = reference.partition("@")
    first, slash, path = rest.partition("/")
    has_registry = bool(slash) and (re.search(r"[.:]", first) is not None or first == "localhost")
    registry, rest = (first, path) if has_registry else (HUB, rest)
    before, colon, tag = rest.rpartition(":")
    named = bool(colon) and "/" not in tag
    return Image(registry=registry, repository=before if named else rest, tag=tag if named else "", digest=digest)


@dataclass(frozen=True, kw_only=True)
class Change:
    """Another image of one container or more."""

    before: str | None
    """None where there was none, or where nobody tells it."""
    after: str
    step: Step
    """The first resource that has it."""
    path: str
    """Where it is there."""
    who: Sentence
    """Whose containers get it."""

    def finding(self, rule: Rule, weight: Weight, text: str, *names: str) -> Finding:
        """A finding about it."""
        ours = whose.is_ours(self.step) or whose.is_environment(self.step)
        return Finding(
            rule=rule,
            weight=weight,
            urn=self.step.urn,
            what=whose.joined(self.who, say(text, *names)),
            field=self.path,
            before=self.before,
            after=self.after,
            options=("image",) if ours else (),
        )


def check_images(preview: Preview) -> Iterable[Finding]:
    """What other images containers get: each change once, however many containers and resources have it."""
    places: dict[tuple[str | None, str], list[tuple[Step, str]]] = {}
    steps = [step for step in preview.steps if step.op in whose.TOLD]
    for step in steps:
        before = _images(step, step.old)
        for path, after in _images(step, step.new).items():
            if before.get(path) != after:
                places.setdefault((before.get(path), after), []).append((step, path))
    shown = {after for _, after in places}
    for step in filter(whose.is_environment, steps):
        # Where the change does not show what becomes of it, the argument is all that there is.
        former, image = at(step.old, "image"), at(step.new, "image")
        if isinstance(image, str) and image and image != former and image not in shown:
            places[former if isinstance(former, str) else None, image] = [(step, "image")]
    for (former, after), found in places.items():
        step, path = found[0]
        yield from _judged(Change(before=former, after=after, step=step, path=path, who=_who(found)))


def _images(step: Step, properties: Properties | None) -> dict[str, str]:
    """Images by the paths of their containers."""
    found = {}
    for path, container in containers(step, properties):
        image = container.get("image")
        if isinstance(image, str) and image:
            found[f"{path}.image"] = image
    image = at(document(step, properties), "image")
    if isinstance(image, str) and image:
        found["image"] = image
    return found


def _judged(change: Change) -> Iterator[Finding]:
    new, old = parsed(change.after), parsed(change.before) if change.before else None
    if old and old.registry != new.registry:
        text = "get an image from {} instead of {}"
        yield change.finding(REGISTRY_CHANGED, Weight.WARNING, text, new.registry, old.registry)
    elif old and old.digest and not new.digest:
        yield change.finding(DIGEST_DROPPED, Weight.WARNING, "get the image {} without a digest", change.after)
    elif old:
        yield change.finding(CHANGED, Weight.NOTICE, "get another image, {}", _short(new, old, change.after))
    mutable, was_mutable = _moves(new), _moves(old) if old else None
    if mutable is None or (old and old.digest and old.registry == new.registry):
        return
    if was_mutable is None or was_mutable < mutable:
        text = "get an image by the tag {}, which can move" if new.tag else "get whatever {} is at the time"
        yield change.finding(TAG_MOVES, mutable, text, new.tag or change.after)


def _moves(image: Image) -> Weight | None:
    """How much it matters that another image can get the name; None when that cannot be."""
    if image.digest:
        return None
    return Weight.WARNING if image.tag in ("", "latest") else Weight.NOTICE


def _short(new: Image, old: Image, whole: str) -> str:
    """The tag alone where nothing else differs."""
    return new.tag if new.repository == old.repository and new.tag and not new.digest else whole


def _who(places: list[tuple[Step, str]]) -> Sentence:
    """Whose containers they are."""
    parts = {part for step, path in places for part in _parts(step, path)}
    step = places[0][0]
    if "" in parts:
        return say("containers of {}", step.name)
    return say(f"{' and '.join(part for part in PARTS.values() if part in parts)} of {{}}", _environment(step))


def _parts(step: Step, path: str) -> tuple[str, ...]:
    """What of an environment has a container; an empty word where that is not certain."""
    if path == "image":
        with_workers = "Dask" in step.type or str(at(document(step, step.new), "kind")).startswith("dask-")
        return ("runs", "workers") if with_workers else ("runs",)
    if ".job." in path:
        return ("runs",)
    if ".worker." in path:
        return ("workers",)
    found = whose.place(step, PARTS)
    return (PARTS[found[1]],) if found else ("",)


def _environment(step: Step) -> str:
    if whose.is_environment(step):
        return step.name
    found = whose.place(step, (*PARTS, "environment"))
    return found[0] if found else whose.of_environment(step)


RULES: tuple[Rule, ...] = (REGISTRY_CHANGED, DIGEST_DROPPED, TAG_MOVES, CHANGED)
STEP_CHECKS: tuple[StepCheck, ...] = ()
PREVIEW_CHECKS: tuple[PreviewCheck, ...] = (check_images,)
