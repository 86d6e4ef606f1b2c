"""What every environment component shares: from its arguments to the environment document, which is never secret."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

import pulumi

from components.given import ArgumentError, Given, holds_output, whole_numbers
from runner import __version__
from runner.contract import decode, encode
from runner.environment import Callbacks, Environment
from runner.errors import ContractError
from runner.sections import Kind

PACKAGE = "penstock"
"""Package part of every component's type token."""

CALLBACKS = tuple(item.name for item in fields(Callbacks))
"""Arguments that the document groups under `callbacks`."""

AS_THEY_ARE = ("environment_name", *CALLBACKS, *(item.name for item in fields(Environment)))
"""Arguments that are parts of the document, unless a component computes that part."""


class Draft(Given):
    """The arguments of an environment component on their way to its document.

    Args:
        kind: the environment's kind.
        name: the component's name, and the environment's unless `environment_name` is given.
        args: what the caller gave.
        accepted: the TypedDict of what the component takes.

    Raises:
        ArgumentError: what is known already of the arguments is wrong.
    """

    def __init__(self, kind: Kind, name: str, args: Mapping[str, Any], accepted: type) -> None:
        self._kind = kind
        self._name = name
        self._section = kind.value.replace("-", "_")
        super().__init__(name, args, accepted)

    def document(
        self,
        section: Mapping[str, Any],
        *,
        computed: Mapping[str, Any] | None = None,
        stand_ins: Mapping[str, Any] | None = None,
    ) -> pulumi.Output[dict[str, Any]]:
        """The document, known when every argument is; what is known now is checked now.

        Args:
            section: the section named after the kind; its values may be Outputs.
            computed: parts that are more than an argument; they may be Outputs.
            stand_ins: what takes the place of required parts that are not known yet, so that the rest can be checked.

        Raises:
            ArgumentError: what is known is wrong.
        """
        self.check_document(section, computed=computed, stand_ins=stand_ins)
        given = self.part(*AS_THEY_ARE)
        made = {**(computed or {}), self._section: dict(section)}

        def complete(values: Mapping[str, Any]) -> dict[str, Any]:
            self.check_keys(values["given"])
            return self._finish({**values["given"], **values["made"]})

        return pulumi.Output.from_input({"given": given, "made": made}).apply(complete)

    def check_document(
        self,
        section: Mapping[str, Any],
        *,
        computed: Mapping[str, Any] | None = None,
        stand_ins: Mapping[str, Any] | None = None,
    ) -> None:
        """Checks what is known of the document; for components that know more of it once they are registered.

        Args:
            section: as of `document`, like all others.
            computed: parts that are more than an argument.
            stand_ins: what takes the place of required parts that are not known yet.

        Raises:
            ArgumentError: what is known is wrong.
        """
        made = {**self.part(*AS_THEY_ARE), **(computed or {}), self._section: dict(section)}
        spare = dict(stand_ins or {})
        known = {key: value for key, value in made.items() if not holds_output(value)}
        known_section = {key: value for key, value in section.items() if not holds_output(value)}
        self._finish(spare | known | {self._section: spare.get(self._section, {}) | known_section})

    def _finish(self, parts: Mapping[str, Any]) -> dict[str, Any]:
        """The document of parts that are all known."""
        given = {key: whole_numbers(value) for key, value in parts.items() if value is not None}
        callbacks = {key: given.pop(key) for key in CALLBACKS if key in given}
        document = {
            "kind": self._kind,
            "name": given.pop("environment_name", self._name),
            "callbacks": callbacks,
            "producer": {"version": __version__, "project": pulumi.get_project(), "stack": pulumi.get_stack()},
            **given,
        }
        try:
            # No key is left to warn about: what a component takes has been checked before.
            environment = decode(Environment, document, subject=self.component, warn=lambda _: None)
        except ContractError as error:
            raise self.refusal(error) from None
        return cast("dict[str, Any]", encode(environment))

    def refusal(self, error: ContractError) -> ArgumentError:
        """A mistake in the document, in the words of the argument that it comes from."""
        refusal = super().refusal(error)
        group, _, inner = refusal.path.partition(".")
        path = inner if inner and group in ("callbacks", self._section) else refusal.path
        path = "environment_name" if path == "name" else path
        return ArgumentError(component=self.component, path=path, found=refusal.found, expected=refusal.expected)
