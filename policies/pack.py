"""The policies that Pulumi asks, made from the rules and a policy file."""

import os
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pulumi_policy  # type: ignore[import-not-found]  # it is in an environment of its own
from pulumi_policy import policy as host

from policies.validation import Validation, levels
from stacks.review.findings import RULES
from stacks.review.policy.applying import Level, Policy, PolicyError, in_force, read

FILE = Path(__file__).with_name("penstock-policy.toml")
VARIABLE = "PENSTOCK_POLICY"
"""Environment variable that names another policy file."""
ENFORCEMENT = {
    Level.MANDATORY: pulumi_policy.EnforcementLevel.MANDATORY,
    Level.ADVISORY: pulumi_policy.EnforcementLevel.ADVISORY,
}


def policies() -> list[pulumi_policy.Policy]:
    """The policies of the file that the environment names, or of the one beside this.

    Raises:
        PolicyError: it cannot be read, or disables all rules.
    """
    file = os.environ.get(VARIABLE) or str(FILE)
    try:
        text = Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not in UTF-8"
        raise PolicyError(f"{file} cannot be read: {reason}. Name a policy file in {VARIABLE}.") from None
    made = list(_made(read(text, file=file)))
    if not made:
        raise PolicyError(f"{file} disables every rule, expected one that is not. Leave the policy pack out instead.")
    return made


def _made(policy: Policy) -> Iterator[pulumi_policy.Policy]:
    # Pulumi knows one level for each policy, and findings of a rule can have two: the strictest has the rule's name.
    exempt = in_force(policy, today=datetime.now(tz=UTC).date())
    for rule in RULES:
        for place, level in enumerate(levels(rule, policy)):
            yield pulumi_policy.ResourceValidationPolicy(
                name=f"{rule.name}-{level}" if place else rule.name,
                description=rule.tells,
                enforcement_level=ENFORCEMENT[level],
                validate=Validation(rule=rule, level=level, policy=policy, exempt=exempt),
            )


def keep_marks() -> None:
    """Leaves Pulumi's marks on secrets.

    pulumi_policy takes them off before a policy that validates sees the properties, which then stand there in plain.
    """

    def marked(props: Mapping[str, Any], proxy_secrets: bool = False) -> Mapping[str, Any]:
        del proxy_secrets
        return props

    host.deserialize_properties = marked
