"""What can be said of an annotation without the types that parameters convert to."""

import types
import typing

CLIENT = object()
"""Stands for the annotation `distributed.Client` where that cannot be evaluated without importing it."""
CLIENT_NAMES = ("Client", "distributed.Client", "dask.distributed.Client")


def is_client(hint: object) -> bool:
    """Whether an annotation is, or allows, a Dask client."""
    if hint is CLIENT:
        return True
    if isinstance(hint, typing.ForwardRef):
        hint = hint.__forward_arg__
    if isinstance(hint, str):
        words = hint.replace("typing.", "").replace("Optional[", "").replace("]", "").replace("|", " ").split()
        return any(word in CLIENT_NAMES for word in words)
    if typing.get_origin(hint) is typing.Annotated:
        return is_client(typing.get_args(hint)[0])
    if is_union(hint):
        return any(is_client(arm) for arm in typing.get_args(hint))
    return isinstance(hint, type) and hint.__name__ == "Client" and hint.__module__ == "distributed.client"


def is_union(hint: object) -> bool:
    """Whether an annotation is a union, in either way of writing it."""
    return typing.get_origin(hint) in {typing.Union, types.UnionType}
