"""Binds the parameters of a run to the flow's signature, before anything is started for it.

A parameter of the command line is text and is converted to what the annotation asks for; one that came as JSON must
already be of its kind, except that kinds which JSON lacks (dates, paths, enumerations) are written as text.
"""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

from runner.errors import ParameterError
from runner.flow import suggestion
from runner.hints import CLIENT, is_client

VARIADIC = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, kw_only=True)
class Bound:
    """Arguments that fit the flow's signature."""

    arguments: dict[str, object]
    """Converted values, by parameter name."""
    clients: tuple[str, ...]
    """Parameters that get the Dask client."""
    positional_only: tuple[str, ...]
    """Names that can only be passed by position, in order."""

    def call(self, function: Callable[..., object], *, client: object) -> object:
        """Call the function with the arguments, and with the client where it wants one."""
        values = self.arguments | (dict.fromkeys(self.clients, client) if client is not None else {})
        first = [values.pop(name) for name in self.positional_only if name in values]
        return function(*first, **values)


def bind(function: Callable[..., object], parameters: Mapping[str, object], *, has_client: bool) -> Bound:
    """Convert the parameters and check that they are what the function takes.

    Args:
        function: the flow, or the function that a Prefect flow wraps.
        parameters: what the user gave, by name.
        has_client: whether there will be a Dask client for a parameter annotated `distributed.Client`.

    Raises:
        ParameterError: with the parameter's name, what came and what is wanted.
    """
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # a callable written in C without a signature
        return Bound(arguments=dict(parameters), clients=(), positional_only=())
    named = {name: item for name, item in signature.parameters.items() if item.kind not in VARIADIC}
    takes_any = any(item.kind is inspect.Parameter.VAR_KEYWORD for item in signature.parameters.values())
    hints = {name: annotation_of(function, item) for name, item in named.items()}
    clients = tuple(name for name, hint in hints.items() if is_client(hint) and name not in parameters)
    _refuse_unknown(parameters, [name for name in named if name not in clients], takes_any)
    _refuse_missing(named, parameters, clients if has_client else (), hints)
    arguments = {
        name: _converted(hints[name], value, name) if name in hints else value for name, value in parameters.items()
    }
    positional_only = tuple(name for name, item in named.items() if item.kind is inspect.Parameter.POSITIONAL_ONLY)
    for name in positional_only:
        # One that is left out would hand its place to the next.
        if name not in arguments and named[name].default is not inspect.Parameter.empty:
            arguments[name] = named[name].default
    return Bound(arguments=arguments, clients=clients if has_client else (), positional_only=positional_only)


def _converted(hint: object, value: object, name: str) -> object:
    # Only now: a flow that is given no parameters needs none of the types that they convert to.
    from runner.convert import Mismatch, convert

    try:
        return convert(hint, value, name)
    except Mismatch as error:
        raise ParameterError(
            f"The parameter {error.path} is {error.found}, expected {error.expected}. "
            f"Give it as -p {name}=VALUE, or as JSON with -p {name}:=VALUE."
        ) from None


def annotation_of(function: Callable[..., object], parameter: inspect.Parameter) -> object:
    """The parameter's annotation; null when there is none, or one that cannot be evaluated here."""
    hint = parameter.annotation
    if hint is inspect.Parameter.empty:
        return None
    if not isinstance(hint, str):
        return hint
    try:
        return eval(hint, _globals(function))  # noqa: S307 the flow's own annotation, which Python would evaluate alike
    except Exception:  # noqa: BLE001 a name imported for type checkers only; every value is taken as it is
        return CLIENT if is_client(hint) else None


def _globals(function: Callable[..., object]) -> dict[str, object]:
    """The names that the annotations of a callable were written with."""
    inner = inspect.unwrap(function)
    while isinstance(inner, partial):
        inner = inspect.unwrap(inner.func)
    if not hasattr(inner, "__globals__"):
        inner = getattr(inner, "__init__" if isinstance(inner, type) else "__call__")
    return getattr(inner, "__globals__", {})


def _refuse_unknown(parameters: Mapping[str, object], known: list[str], takes_any: bool) -> None:
    unknown = [name for name in parameters if name not in known]
    if unknown and not takes_any:
        takes = f"It takes {', '.join(known)}." if known else "It takes none."
        raise ParameterError(f"The flow has no parameter {unknown[0]!r}.{suggestion(unknown[0], known)} {takes}")


def _refuse_missing(
    named: Mapping[str, inspect.Parameter],
    parameters: Mapping[str, object],
    provided: tuple[str, ...],
    hints: Mapping[str, object],
) -> None:
    missing = [
        name
        for name, item in named.items()
        if item.default is inspect.Parameter.empty and name not in parameters and name not in provided
    ]
    if not missing:
        return
    if is_client(hints[missing[0]]):
        raise ParameterError(
            f"The parameter {missing[0]} wants a Dask client, and this environment's executor is inline. "
            "Run with --executor dask, or give the parameter a default."
        )
    names = ", ".join(missing)
    raise ParameterError(f"The flow needs a value for {names}. Add -p {missing[0]}=VALUE.")
