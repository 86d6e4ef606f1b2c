"""What every environment component shares: from its arguments to the environment document.

Guarantees: a mistake in what is known at preview is refused before anything is registered, and in what is known later
as soon as it is known; a secret is refused without being registered; the document is never secret. Every refusal is a
`pulumi.RunError`, which Pulumi prints without a traceback wherever it is raised.
"""

import difflib
import inspect
from collections.abc import Awaitable, Mapping
from dataclasses import fields
from typing import Any, NoReturn, NotRequired, Union, cast, get_args, get_origin, get_type_hints, is_typeddict

import pulumi

from runner import __version__
from runner.contract import decode, encode
from runner.environment import Callbacks, Environment, Kind
from runner.errors import ContractError

PACKAGE = "penstock"
"""Package part of every component's type token."""

CALLBACKS = tuple(item.name for item in fields(Callbacks))
"""Arguments that the document groups under `callbacks`."""


class ArgumentError(pulumi.RunError):
    """An argument of a component is not what it must be.

    Args:
        component: the component's class and name.
        path: the argument, in dots and brackets (`executor.workers`).
        found: what is there.
        expected: what should be there.
    """

    def __init__(self, *, component: str, path: str, found: str, expected: str) -> None:
        self.path = path
        self.found = found
        self.expected = expected
        super().__init__(f"{component}: {path} is {found}, expected {expected}. Correct that argument.")


class Draft:
    """The arguments of an environment component on their way to its document.

    Args:
        kind: the environment's kind.
        name: the component's name, and the environment's unless `environment_name` is given.
        args: what the caller gave.
        accepted: the TypedDict of what the component takes.

    Raises:
        ArgumentError: what is known already of the arguments is wrong.
    """

    inputs: dict[str, Any]
    """The arguments with a guard on each Output, for the component to register; reading a secret one raises."""

    def __init__(self, kind: Kind, name: str, args: Mapping[str, Any], accepted: type) -> None:
        self._kind = kind
        self._name = name
        self._accepted = accepted
        self._component = f"{accepted.__name__.removesuffix('Args')} {name!r}"
        self._section = kind.value.replace("-", "_")
        section_type = get_args(get_type_hints(Environment)[self._section])[0]
        self._section_keys = tuple(item.name for item in fields(section_type))
        # Names first: a key can be wrong whatever its value turns out to be.
        self._refuse_unknown(args, accepted, "")
        self.inputs = {key: self._guard(value, key) for key, value in args.items()}
        self._finish({key: value for key, value in self.inputs.items() if not _holds_output(value)})

    def document(self) -> pulumi.Output[dict[str, Any]]:
        """The document, known when every argument is."""
        return pulumi.Output.from_input(self.inputs).apply(self._finish)

    def _finish(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """The document of arguments that are all known."""
        self._refuse_unknown(arguments, self._accepted, "")
        given = {key: _whole(value) for key, value in arguments.items() if value is not None}
        callbacks = {key: given.pop(key) for key in CALLBACKS if key in given}
        section = {key: given.pop(key) for key in self._section_keys if key in given}
        document = {
            "kind": self._kind,
            "name": given.pop("environment_name", self._name),
            "callbacks": callbacks,
            self._section: section,
            "producer": {"version": __version__, "project": pulumi.get_project(), "stack": pulumi.get_stack()},
            **given,
        }
        try:
            # No key is left to warn about: what a component takes has been checked above.
            environment = decode(Environment, document, subject=self._component, warn=lambda _: None)
        except ContractError as error:
            raise self._refusal(error) from None
        return cast("dict[str, Any]", encode(environment))

    def _guard(self, value: object, path: str) -> Any:
        """The same value, in which each Output raises instead of giving a secret away."""
        if isinstance(value, Mapping):
            return {key: self._guard(item, f"{path}.{key}") for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._guard(item, f"{path}[{i}]") for i, item in enumerate(value)]
        if not isinstance(value, pulumi.Output | Awaitable):
            return value
        output: pulumi.Output[Any] = pulumi.Output.from_input(value)

        async def checked() -> pulumi.Output[Any]:
            if await output.is_secret():
                self._refuse(path, "a secret", "a plain value: the environment document never holds a secret")
            return output

        return pulumi.Output.from_input(checked())

    def _refuse_unknown(self, value: object, accepted: type, path: str) -> None:
        """Refuse keys that the TypedDict does not have, in it and in those inside it."""
        if not isinstance(value, Mapping):
            return
        known = plain_types(accepted)
        for key, item in value.items():
            if key not in known:
                near = difflib.get_close_matches(str(key), known, n=1)
                expected = f"{path}{near[0]}, the nearest known key" if near else f"one of {', '.join(sorted(known))}"
                self._refuse(f"{path}{key}", "unknown", expected)
            if is_typeddict(known[key]):
                self._refuse_unknown(item, known[key], f"{path}{key}.")

    def _refusal(self, error: ContractError) -> ArgumentError:
        """A mistake in the document, in the words of the argument that it comes from."""
        path, found, expected = error.path, error.found, error.expected
        if path.startswith("a key of "):
            path, found, expected = path.removeprefix("a key of "), f"given the key {found}", f"as each key {expected}"
        group, _, inner = path.partition(".")
        if inner and group in ("callbacks", self._section):
            path = inner
        if path == "name":
            path = "environment_name"
        return ArgumentError(component=self._component, path=path, found=found, expected=expected)

    def _refuse(self, path: str, found: str, expected: str) -> NoReturn:
        raise ArgumentError(component=self._component, path=path, found=found, expected=expected)


def plain_types(accepted: type) -> dict[str, type]:
    """The type of each key of a TypedDict of arguments, once it is known: int for NotRequired[Input[int]]."""
    # Not get_type_hints: pulumi.Input holds a forward reference that only resolves inside Pulumi.
    return {key: _plain(hint) for key, hint in inspect.get_annotations(accepted).items()}


def _plain(hint: Any) -> type:
    wrapped = get_origin(hint) in (NotRequired, Union)
    return _plain(get_args(hint)[0]) if wrapped else cast(type, get_origin(hint) or hint)


def _holds_output(value: object) -> bool:
    if isinstance(value, Mapping):
        return any(_holds_output(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_output(item) for item in value)
    return isinstance(value, pulumi.Output)


def _whole(value: Any) -> Any:
    """The same value with 4.0 as 4: on Pulumi's wire every number is a float."""
    if isinstance(value, Mapping):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
