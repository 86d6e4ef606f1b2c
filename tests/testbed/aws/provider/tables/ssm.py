"""Systems Manager: parameters."""

from collections.abc import Iterator

from tests.testbed.aws.provider.calls import Item
from tests.testbed.aws.provider.errors import Problem
from tests.testbed.aws.provider.resource import Autoname, ResourceType, Tagging, Update
from tests.testbed.aws.provider.tables.forms import keyed, listed, renamed
from tests.testbed.aws.provider.values import Unknown, Values

TEXTS = ("value", "insecureValue")
LONGEST = {"Standard": 4096, "Advanced": 8192}
"""Bytes of a value, by tier."""


def _text(it: Item) -> object:
    return it["value"] if it["insecureValue"] is None else it["insecureValue"]


def _put(it: Item, *, overwrite: bool) -> str:
    it.call(
        "put_parameter",
        Name=it["name"],
        Type=it["type"],
        Value=_text(it),
        Description=it["description"],
        KeyId=it["keyId"],
        Tier=it["tier"],
        AllowedPattern=it["allowedPattern"],
        DataType=it["dataType"],
        Overwrite=overwrite,
    )
    return str(it["name"])


def _read(it: Item) -> Values:
    parameter = it.call("get_parameter", Name=it.id, WithDecryption=True)["Parameter"]
    only = [{"Key": "Name", "Values": [it.id]}]
    more: dict[str, object] = next(iter(it.call("describe_parameters", ParameterFilters=only)["Parameters"]), {})
    form = {"arn": "ARN", "name": "Name", "type": "Type", "version": "Version", "dataType": "DataType"}
    about = {"tier": "Tier", "description": "Description", "keyId": "KeyId", "allowedPattern": "AllowedPattern"}
    shown = parameter["Type"] != "SecureString" and it["insecureValue"] is not None
    return {
        **renamed({**more, **parameter}, {**form, **about}),
        "value": parameter["Value"],
        "insecureValue": parameter["Value"] if shown else None,
        "hasValueWo": False,
    }


def _check(values: Values) -> Iterator[Problem]:
    given = [name for name in TEXTS if name in values]
    if len(given) != 1:
        yield Problem("value", f"expected one of {' and '.join(TEXTS)}, got {'both' if given else 'neither'}")
        return
    value, tier = values[given[0]], values.get("tier", "Standard")
    if given == ["insecureValue"] and values.get("type") == "SecureString":
        yield Problem("insecureValue", "a SecureString has `value` instead")
    most = LONGEST.get(tier, max(LONGEST.values())) if isinstance(tier, str) else max(LONGEST.values())
    if isinstance(value, str) and not 1 <= len(value.encode()) <= most:
        yield Problem(given[0], f"expected 1 to {most:,} bytes in the tier {tier}, got {len(value.encode()):,}")
    name = values.get("name")
    if not isinstance(name, Unknown) and str(name).lower().lstrip("/").startswith(("aws", "ssm")):
        yield Problem("name", f"AWS keeps names that start with aws or ssm for itself, got {name!r}")


TYPES = {
    "aws:ssm/parameter:Parameter": ResourceType(
        service="ssm",
        create=lambda it: _put(it, overwrite=bool(it["overwrite"])),
        read=_read,
        delete=lambda it: it.call("delete_parameter", Name=it.id),
        fixed="name dataType",
        updates=(
            Update(
                inputs="type value insecureValue description keyId tier allowedPattern",
                apply=lambda it: _put(it, overwrite=True),
            ),
        ),
        local="overwrite",
        computed="value insecureValue keyId tier dataType",
        renewed="version",
        autoname=Autoname(input="name", longest=255),
        tagging=Tagging(
            read=lambda it: keyed(
                it.call("list_tags_for_resource", ResourceType="Parameter", ResourceId=it.id)["TagList"]
            ),
            add=lambda it, tags: it.call(
                "add_tags_to_resource", ResourceType="Parameter", ResourceId=it.id, Tags=listed(tags)
            ),
            remove=lambda it, tags: it.call(
                "remove_tags_from_resource", ResourceType="Parameter", ResourceId=it.id, TagKeys=sorted(tags)
            ),
        ),
        check=_check,
        gone=frozenset({"ParameterNotFound"}),
    )
}
