"""Small forms that the tables share."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.errors import Problem
from tests.testbed.aws.provider.resource import Tagging
from tests.testbed.aws.provider.values import Values


def keyed(tags: Iterable[Mapping[str, str]], key: str = "Key", value: str = "Value") -> dict[str, str]:
    """Tags as a mapping, without those that AWS sets itself."""
    return {tag[key]: tag[value] for tag in tags if not tag[key].startswith("aws:")}


def listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most of AWS writes them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def renamed(answer: Mapping[str, Any], form: Mapping[str, str]) -> Values:
    """Parts of an answer under Pulumi's names: theirs to AWS'."""
    return {name: answer[key] for name, key in form.items() if key in answer}


def as_set(value: Any, _: Values) -> Any:
    """A list whose order does not matter."""
    if not isinstance(value, list):
        return value
    return sorted(value, key=lambda item: json.dumps(item, sort_keys=True, default=repr))


def ec2_tagging(read: Callable[[Item], Any]) -> Tagging:
    """Tags of what EC2 has, from its own description."""
    return Tagging(
        read=lambda it: keyed((read(it) or {}).get("Tags") or []),
        add=lambda it, tags: it.call("create_tags", Resources=[it.id], Tags=listed(tags)),
        remove=lambda it, tags: it.call("delete_tags", Resources=[it.id], Tags=listed(tags)),
    )


def refused_block(name: str, block: Any) -> Iterator[Problem]:
    """What is wrong with a block of addresses, as the real provider sees it: host bits are refused."""
    if not isinstance(block, str):
        return
    try:
        ip_network(block)
    except ValueError as error:
        yield Problem(name, f"expected a block of addresses, got {error}")
