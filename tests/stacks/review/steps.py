"""Steps of previews for tests of single findings."""

from typing import Any

from stacks.review.preview import Op, Step

STACK = "prod"


def urn(type_: str, name: str = "thing", stack: str = STACK) -> str:
    return f"urn:pulumi:{stack}::penstock::{type_}::{name}"


def step(
    type_: str, old: Any = None, new: Any = None, *, name: str = "thing", op: Op | None = None, **more: Any
) -> Step:
    """A step about one resource; what it does follows from what there is before and after, if not given."""
    does = Op.CREATE if old is None else Op.DELETE if new is None else Op.SAME if old == new else Op.UPDATE
    return Step(urn=urn(type_, name), op=op or does, old=old, new=new, **more)
