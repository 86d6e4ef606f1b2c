"""How far patterns of calls and of ARNs reach."""

import re
from collections.abc import Iterable

from stacks.review.findings.iam_statements import Pattern, Statement, matches
from stacks.review.values import Hidden

EVERYTHING = ("*", "*:*")
READS = (
    "batchcheck",
    "batchget",
    "check",
    "describe",
    "estimate",
    "filter",
    "get",
    "head",
    "list",
    "lookup",
    "query",
    "scan",
    "search",
    "select",
    "simulate",
    "view",
)
"""How the names of calls begin that change nothing."""
HANDING_OVER = (
    "secretsmanager:getsecretvalue",
    "secretsmanager:batchgetsecretvalue",
    "ssm:getparameter",
    "ssm:getparameters",
    "ssm:getparametersbypath",
    "ssm:getparameterhistory",
)
"""Calls that change nothing but hand over what is secret, so that they weigh like those that do."""
WITHOUT_RESOURCE = (
    "*:describe*",
    "*:list*",
    "ecr:getauthorizationtoken",
    "ecr-public:getauthorizationtoken",
    "sts:getcalleridentity",
    "sts:getservicebearertoken",
    "ssmmessages:*",
    "cloudwatch:putmetricdata",
    "cloudwatch:getmetric*",
    "xray:put*",
    "xray:getsampling*",
    "ec2:createnetworkinterface",
    "ecs:discoverpollendpoint",
    "s3:listallmybuckets",
    "tag:get*",
    "ce:get*",
    "pricing:getproducts",
)
"""Calls of which AWS knows no resource, or that tell names and settings only: `*` is all that there is to be said.
https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html"""
HARMLESS_WRITES = ("logs:createloggroup", "logs:createlogstream", "logs:putlogevents", "logs:putretentionpolicy")
"""Calls that change something, but can neither read, replace nor delete what others have there."""
TYPE_AND_ALL = re.compile(r"[a-z-]+[/:][*/:]+")
"""What is left of an ARN that means all of one type, as `role/*`."""


def is_wide(resource: Pattern) -> bool:
    """Whether a pattern of ARNs means all there is, at least of a type."""
    if isinstance(resource, Hidden):
        return False
    parts = resource.split(":", 5)
    if not resource.strip("*?") or (len(parts) < 6 and resource.endswith("*")):
        return True
    if len(parts) < 6:
        return False
    # What comes first in an ARN of S3 is the name of a bucket.
    of_a_type = parts[2] != "s3" and TYPE_AND_ALL.fullmatch(parts[5]) is not None
    return not parts[5].strip("*?/:") or of_a_type


def reaches_widely(statement: Statement) -> bool:
    """Whether a statement is about all resources, at least of a type."""
    return statement.not_resources or any(map(is_wide, statement.resources))


def has_wildcard(action: Pattern) -> bool:
    """Whether it means more than one call."""
    return isinstance(action, str) and ("*" in action or "?" in action)


def service_of(action: Pattern) -> str:
    """The service of all of whose calls it is a pattern, as `s3` of `s3:*`; empty for all other patterns."""
    found = re.fullmatch(r"([\w-]+):\*+", action) if isinstance(action, str) else None
    return found[1].lower() if found else ""


def changes_something(action: Pattern) -> bool:
    """Whether it may change something, or hand over what is secret."""
    if isinstance(action, Hidden):
        return False
    call = action.lower()
    if any(matches(call, one) or matches(one, call) for one in HANDING_OVER):
        return True
    verb = call.partition(":")[2]
    return not verb.startswith(READS)


def passes_roles(action: Pattern) -> bool:
    """Whether it is the call that hands a role to a service, or a pattern of hardly anything else."""
    return isinstance(action, str) and action.lower().startswith("iam:pass") and matches(action.lower(), "iam:passrole")


def knows_resources(action: Pattern) -> bool:
    """Whether AWS could be told more exactly than with `*` what the call may be about."""
    return isinstance(action, str) and not any(matches(one, action.lower()) for one in WITHOUT_RESOURCE)


def only_harmless(actions: Iterable[Pattern]) -> bool:
    """Whether all that they change is to add to logs."""
    return all(isinstance(action, str) and action.lower() in HARMLESS_WRITES for action in actions)
