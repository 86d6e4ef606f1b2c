"""From a stack's configuration to its resources and outputs."""

from typing import Any

import pulumi

from components import ENVIRONMENTS
from components.given import ArgumentError
from stacks.config import StackConfig, refusal


def build(config: StackConfig) -> dict[str, pulumi.Output[Any]]:
    """Provision the environment of a configuration.

    Returns:
        The stack's outputs: `environment` is the environment document, the others are what its component tells beside.

    Raises:
        pulumi.RunError: the configuration asks for what cannot be.
    """
    try:
        environment = ENVIRONMENTS[config.kind](config.stack, config.arguments)
    except ArgumentError as error:
        raise refusal(error.path, error.found, error.expected) from None
    return {name: getattr(environment, name) for name in type(environment).__annotations__}
