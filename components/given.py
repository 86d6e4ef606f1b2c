"""The arguments of a component on their way to its children.

Guarantees: a mistake in what is known at preview is refused before anything is registered, and in what is known later
as soon as it is known; a secret is refused without being registered, but for what must be one. Every refusal is a
`pulumi.RunError`, which Pulumi prints without a traceback wherever it is raised.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NoReturn

import pulumi

from components.checking import check_keys, check_types
from runner.errors import ContractError

SECRET_ARGUMENTS = frozenset({"registry_credentials"})
"""Arguments that must be secret. None of them is in the environment document."""

SECRET_KEY = "password"  # noqa: S105 the name of a key
"""What in a mapping inside such an argument must be secret, where not the whole is."""

SHOWN = frozenset({"missing", "unknown", "given before"})
"""What may be told of such an argument: anything else could hold its value."""

SECRET = ("a secret", "a plain value: the environment document never holds a secret")
PLAIN = ("plain text", "a secret of Pulumi's, such as config.require_secret gives")
"""What is found and expected where a value is secret and must not be, and the reverse."""


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


class Given:
    """What a caller gave to a component.

    Args:
        name: the component's name.
        args: the arguments.
        accepted: the TypedDict of what the component takes.

    Raises:
        ArgumentError: the keys are wrong already.
    """

    inputs: dict[str, Any]
    """The arguments with a guard on each Output, for the component to register; reading a secret one raises."""

    def __init__(self, name: str, args: Mapping[str, Any], accepted: type) -> None:
        self.component = f"{accepted.__name__.removesuffix('Args')} {name!r}"
        self._accepted = accepted
        # Names first: a key can be wrong whatever its value turns out to be.
        self.check_keys(args)
        self.inputs = {
            key: self._guard_secret(value, key) if key in SECRET_ARGUMENTS else self._guard(value, key)
            for key, value in args.items()
        }

    def plain(self, key: str, default: Any) -> Any:
        """An argument that decides what is created, so that it is never an Output.

        Raises:
            ArgumentError: it is of another type.
        """
        value = self.inputs.get(key)
        if value is None:
            return default
        self._checked(check_types, value, self._accepted, key)
        return value

    def has(self, key: str) -> bool:
        """Whether an argument was given, and is not empty as far as that is known."""
        value = self.inputs.get(key)
        return isinstance(value, pulumi.Output) or bool(value)

    def part(self, *keys: str) -> dict[str, Any]:
        """Those of the arguments that were given."""
        return {key: self.inputs[key] for key in keys if self.inputs.get(key) is not None}

    def derive(self, function: Callable[..., Any], *keys: str, **computed: Any) -> Any:
        """What a pure function makes of arguments: at once where all are known, else as an Output.

        Args:
            function: is called with the arguments by keyword, those that were not given left out.
            keys: names of the arguments.
            computed: further arguments of the function, which may be Outputs.

        Raises:
            ArgumentError: the function raised `ContractError`, or an argument is of another type.
        """
        given = self.part(*keys)
        self._check_types(given)
        if holds_output(given) or holds_output(computed):
            values = pulumi.Output.from_input({"given": given, "computed": computed})
            return values.apply(lambda known: self._call(function, known["given"], known["computed"]))
        return self._call(function, given, computed)

    def check(self, function: Callable[..., Any], *keys: str, **known: Any) -> None:
        """Refuses now what `function` refuses of arguments, if they are known.

        Raises:
            ArgumentError: it refuses them.
        """
        if not holds_output(self.part(*keys)):
            self.derive(function, *keys, **known)

    def check_keys(self, given: Mapping[str, Any]) -> None:
        """Refuse unknown keys, also in what has become known.

        Raises:
            ArgumentError: there is one.
        """
        self._checked(check_keys, given, self._accepted)

    def refusal(self, error: ContractError) -> ArgumentError:
        """A mistake in what was made of the arguments, in the words of the argument that it comes from."""
        path, found, expected = error.path, error.found, error.expected
        if path.startswith("a key of "):
            path, found, expected = path.removeprefix("a key of "), f"given the key {found}", f"as each key {expected}"
        if re.split(r"[.\[]", path)[0] in SECRET_ARGUMENTS and found not in SHOWN:
            found = "something else"
        return ArgumentError(component=self.component, path=path, found=found, expected=expected)

    def _call(self, function: Callable[..., Any], given: Mapping[str, Any], computed: Mapping[str, Any]) -> Any:
        known = {key: value for key, value in given.items() if value is not None}
        self._check_types(known)
        return self._checked(function, **whole_numbers(known), **computed)

    def _check_types(self, given: Mapping[str, Any]) -> None:
        self.check_keys(given)
        for key, value in given.items():
            self._checked(check_types, value, self._accepted, key)

    def _checked(self, function: Callable[..., Any], *values: Any, **arguments: Any) -> Any:
        """Calls a function whose mistakes are told in the words of the arguments."""
        try:
            return function(*values, **arguments)
        except ContractError as error:
            raise self.refusal(error) from None

    def _guard(self, value: object, path: str) -> Any:
        """The same value, in which each Output raises instead of giving a secret away."""
        if isinstance(value, Mapping):
            return {key: self._guard(item, f"{path}.{key}") for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._guard(item, f"{path}[{i}]") for i, item in enumerate(value)]
        return self._watched(value, path, secret=False) if isinstance(value, pulumi.Output | Awaitable) else value

    def _guard_secret(self, value: object, path: str) -> Any:
        """The same value, which raises when what must be secret is not."""
        if isinstance(value, list | tuple):
            return [self._guard_secret(item, f"{path}[{i}]") for i, item in enumerate(value)]
        if isinstance(value, Mapping):
            guarded = {
                key: self._guard_secret(item, f"{path}.{key}") for key, item in value.items() if key == SECRET_KEY
            }
            return {**value, **guarded}
        if isinstance(value, pulumi.Output | Awaitable):
            return self._watched(value, path, secret=True)
        return None if value is None else self._refuse(path, *PLAIN)

    def _watched(self, value: "pulumi.Input[Any]", path: str, *, secret: bool) -> pulumi.Output[Any]:
        """An Output of the same value that raises when it is secret and must not be, or the reverse."""
        output: pulumi.Output[Any] = pulumi.Output.from_input(value)

        async def checked() -> pulumi.Output[Any]:
            if await output.is_secret() != secret:
                self._refuse(path, *(PLAIN if secret else SECRET))
            return output

        return pulumi.Output.from_input(checked())

    def _refuse(self, path: str, found: str, expected: str) -> NoReturn:
        raise ArgumentError(component=self.component, path=path, found=found, expected=expected)


def holds_output(value: object) -> bool:
    """Whether there is an Output in a value of mappings and lists."""
    if isinstance(value, Mapping):
        return any(holds_output(item) for item in value.values())
    if isinstance(value, list | tuple):
        return any(holds_output(item) for item in value)
    return isinstance(value, pulumi.Output)


def whole_numbers(value: Any) -> Any:
    """The same value with 4.0 as 4: on Pulumi's wire every number is a float."""
    if isinstance(value, Mapping):
        return {key: whole_numbers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
