"""Where policies of AWS are in resources, and whom they are about."""

from collections.abc import Mapping
from dataclasses import dataclass

from stacks.review.finding import Sentence, say
from stacks.review.findings import whose
from stacks.review.preview import Step
from stacks.review.values import Hidden, Properties, Value, at, items, mapping, tree

TRUST = "assumeRolePolicy"
LIMITING = ("aws:ec2/vpcEndpoint", "aws:organizations/")
"""Beginnings of types whose policies only limit what others give."""
PROPERTIES = ("policy", "inlinePolicy", "resourcePolicy", "accessPolicy", "policyDocument", "policyText", "keyPolicy")
"""Properties of resources of AWS that hold policies."""
ROLE = "aws:iam/role:Role"
IDENTITIES = ("aws:iam/", "aws:ssoadmin/")
"""Beginnings of types whose policies give rights to somebody; those of all others are about their own resource."""
OWN_PARTS: Mapping[str, str] = {
    "own": "runs of {}",
    "worker-own": "workers of {}",
    "task": "runs of {}",
    "worker": "workers of {}",
    "execution": "the role by which ECS starts runs of {}",
    "submitter": "those who start runs of {}",
    "previewer": "those who preview {}",
}
"""Whom the policies of an environment of ours are about, by their part in it."""
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "task": ("enable_execute_command", "volumes"),
    "worker": ("volumes", "tls"),
    "execution": ("secrets", "image"),
    "submitter": ("tls",),
}
"""Options that change what those of Penstock's own say."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A policy in a resource."""

    path: str
    """Where it is."""
    policy: Value
    """What it says: a mapping, or a mark."""


def documents(step: Step, properties: Properties | None) -> list[Document]:
    """The policies of a resource, but for those that say who may take a role."""
    if not step.type.startswith(("aws:", "aws-native:")) or step.type.startswith(LIMITING):
        return []
    found = []
    for key in PROPERTIES:
        policy = tree(at(properties, key))
        if isinstance(policy, Hidden) or "Statement" in mapping(policy):
            found.append(Document(path=key, policy=policy))
    for index, entry in enumerate(items(at(properties, "inlinePolicies"))):
        name = at(entry, "name")
        policy = tree(at(entry, "policy"))
        if policy is not None:
            label = name if isinstance(name, str) else index
            found.append(Document(path=f"inlinePolicies[{label}].policy", policy=policy))
    return found


def is_of_resource(step: Step) -> bool:
    """Whether its policies say who may do what with the resource itself."""
    return not step.type.startswith(IDENTITIES)


def is_needed(step: Step) -> bool:
    """Whether Penstock itself writes the policy, for what its runs cannot do without."""
    return part(step) in OWN_PARTS and not part(step).endswith("own")


def part(step: Step) -> str:
    """What a policy is in an environment of ours: a key of `OWN_PARTS`; empty for all others."""
    found = whose.place(step, OWN_PARTS)
    return found[1] if found else ""


def subject(step: Step) -> Sentence:
    """Who has the rights that a policy gives, as far as it can be told."""
    found = whose.place(step, OWN_PARTS)
    if found:
        environment, its_part = found
        return say(OWN_PARTS[its_part], environment)
    given = step.new or step.old
    for key, text in (("role", "the role {}"), ("user", "the user {}"), ("group", "members of the group {}")):
        name = at(given, key)
        if isinstance(name, str) and name and step.type.startswith("aws:iam/"):
            return say(text, name)
    if step.type == ROLE:
        return say("the role {}", step.name)
    if step.type.startswith("aws:iam/policy:"):
        return say("whoever has the policy {}", step.name)
    return say("whoever has the rights of {}", step.name)


def options(step: Step) -> tuple[str, ...]:
    """Options of the stack's file that a policy comes from."""
    if whose.is_ours(step) and step.name.endswith("-own"):
        return ("task_role_statements",)
    return OPTIONS.get(part(step), ())
