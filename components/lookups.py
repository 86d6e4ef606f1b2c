"""What components ask AWS before they create anything.

Pulumi's own functions end a program with a traceback when AWS refuses: for a wrong id, and for a shell that nobody has
logged in. These end it with a sentence.
"""

import importlib.metadata
import re
from collections.abc import Callable, Mapping
from typing import Any

import pulumi
from pulumi.runtime import invoke_async

MARKS = (" failed: ", " returned an error: ")
"""Behind both stands what AWS, or the way to it, has said."""
BRIDGE = re.compile(r"^invoking \S+: (1 error occurred: \* )?")
"""What Pulumi's bridge to Terraform's providers puts before their words."""
MISSING = re.compile(r"NotFound|Malformed|no matching", re.IGNORECASE)
"""In what AWS and its provider say of an id that nothing has, or can have."""
LONGEST = 400
"""Characters of that."""
NEXT_STEP = "See that this shell is logged in to the account (`aws sts get-caller-identity`), and may make this call."


def lookup(
    function: str,
    parent: pulumi.Resource,
    *,
    missing: Callable[[str], pulumi.RunError] | None = None,
    **arguments: "pulumi.Input[Any]",
) -> "pulumi.Output[Any]":
    """The answer of one of the provider's functions, by the names of Pulumi's schema.

    Args:
        function: module and name, as `ec2/getVpc`.
        parent: whose provider asks.
        missing: the error when AWS has no such thing, from what it says; by default the same as for all others.
        arguments: of the function.

    Raises:
        pulumi.RunError: when it is awaited, and there is no answer.
    """
    name = function.rpartition("/")[2]
    version = importlib.metadata.version("pulumi_aws")

    async def answer(known: Mapping[str, Any]) -> Any:
        options = pulumi.InvokeOptions(parent=parent, version=version)
        try:
            return await invoke_async(f"aws:{function}:{name}", dict(known), options)
        except Exception as error:  # noqa: BLE001 Pulumi raises nothing more special
            said = _said(str(error))
            raise (missing(said) if missing and MISSING.search(said) else _no_answer(name, said)) from None

    return pulumi.Output.from_input(arguments).apply(answer)


def _no_answer(name: str, said: str) -> pulumi.RunError:
    return pulumi.RunError(f"AWS does not answer {name} ({said}). {NEXT_STEP}")


def _said(text: str) -> str:
    for mark in MARKS:
        text = text.partition(mark)[2] or text
    line = BRIDGE.sub("", " ".join(text.split())).rstrip(".")
    return line if len(line) <= LONGEST else f"{line[:LONGEST]}..."
