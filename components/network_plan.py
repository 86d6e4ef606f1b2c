"""How a network that is created for runs is divided, and which of AWS' services it has doors to."""

import ipaddress
from collections.abc import Sequence

from runner.contract import broken_rule, describe

CIDR = "10.111.0.0/24"
"""Addresses of a network unless told otherwise: some 240 runs at a time."""
ZONES = 2
"""Zones that a network is in: one may fail."""
SMALLEST, LARGEST = 27, 16
"""Longest and shortest prefix: AWS has no subnet smaller than a /28, and no network larger than a /16.
https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html"""

ALWAYS = ("ecr.api", "ecr.dkr", "logs")
"""Services that every task calls before the flow does: for its image and its log."""


def subnets(network_cidr: str = CIDR) -> tuple[str, ...]:
    """The ranges of addresses of the subnets, one for each zone.

    Raises:
        ContractError: it is not a range that AWS has networks of.
    """
    try:
        network = ipaddress.IPv4Network(network_cidr)
    except ValueError:
        raise broken_rule("network_cidr", describe(network_cidr), f"a range of addresses such as {CIDR}") from None
    if not LARGEST <= network.prefixlen <= SMALLEST:
        raise broken_rule("network_cidr", describe(network_cidr), f"a range from /{LARGEST} to /{SMALLEST}")
    return tuple(str(part) for part in network.subnets(prefixlen_diff=1))[:ZONES]


def services(*, secrets: Sequence[str] = (), execute_command: bool = False) -> tuple[str, ...]:
    """The services that runs reach through an endpoint of the network, beside S3, sorted.

    Args:
        secrets: ARNs of the secrets that runs get.
        execute_command: whether `aws ecs execute-command` works in runs.
    """
    sources = {arn.split(":")[2] for arn in secrets}
    more = [name for name in ("secretsmanager", "ssm") if name in sources]
    return tuple(sorted([*ALWAYS, *more, *(["ssmmessages"] if execute_command else [])]))
