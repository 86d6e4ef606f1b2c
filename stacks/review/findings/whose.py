"""Whose a resource is: which environment of Penstock's components it belongs to, and what it is in it."""

from collections.abc import Iterable

from stacks.review.finding import Sentence
from stacks.review.preview import Op, Step
from stacks.review.values import Hidden

ENVIRONMENTS = "penstock:index:"
"""How the types of Penstock's components begin."""
TOLD = frozenset({Op.CREATE, Op.UPDATE, Op.REPLACE, Op.IMPORT})
"""After which of them there is something that was not so before."""


def is_ours(step: Step) -> bool:
    """Whether one of Penstock's components makes it."""
    parents = step.urn.split("::", 3)[2:3]
    return bool(parents) and any(ENVIRONMENTS in parent for parent in parents[0].split("$")[:-1])


def is_environment(step: Step) -> bool:
    """Whether it is a whole environment."""
    return step.type.startswith(ENVIRONMENTS) and step.type.endswith("Environment")


def place(step: Step, parts: Iterable[str]) -> tuple[str, str] | None:
    """The environment's name and which of these parts of it a resource is; None when its name does not tell both.

    Components name their resources `<environment>-<part>`. Where two parts end alike, only an environment that has the
    stack's name, as those of this project have, can be told for sure.
    """
    if not is_ours(step):
        return None
    ends = [part for part in parts if step.name.endswith(f"-{part}") and len(step.name) > len(part) + 1]
    for part in ends:
        if step.name == f"{step.stack}-{part}":
            return step.stack, part
    return (step.name.removesuffix(f"-{ends[0]}"), ends[0]) if len(ends) == 1 else None


def joined(*parts: Sentence) -> Sentence:
    """A sentence made of several."""
    return Sentence(" ".join(part.text for part in parts), tuple(name for part in parts for name in part.names))


def of_environment(step: Step) -> str:
    """The name of what a resource belongs to, where nothing more exact is known: its stack."""
    return step.stack or step.name


def listed(values: Iterable[object], most: int = 3) -> str:
    """The first of them in words, and how many more there are."""
    texts = [f"something {value.value}" if isinstance(value, Hidden) else str(value) for value in values]
    more = len(texts) - most
    if more > 0:
        return f"{', '.join(texts[:most])} and {more} more"
    return f"{', '.join(texts[:-1])} and {texts[-1]}" if len(texts) > 1 else "".join(texts)
