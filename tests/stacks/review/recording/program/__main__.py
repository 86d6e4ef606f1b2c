"""Creates what the stack's file lists: each with a type, its properties, and options of Pulumi.

Where `after` names a resource, `$id` in a text with JSON in it is that one's id, which a preview may not know yet.
"""

import importlib.metadata
import json

import pulumi

TEXTS = ("policy", "assumeRolePolicy", "containerDefinitions")
"""Properties that AWS takes as text with JSON in it."""

ID = "$id"
PROVIDER = "pulumi:providers:"

made: dict[str, pulumi.Resource] = {}


def text(value: object, after: pulumi.Resource | None) -> pulumi.Input[str]:
    """A text with JSON in it."""
    written = json.dumps(value)
    if ID not in written or not isinstance(after, pulumi.CustomResource):
        return written
    return after.id.apply(lambda id_: written.replace(ID, id_))


for name, item in sorted(pulumi.Config().require_object("resources").items(), key=lambda entry: "after" in entry[1]):
    package = item["type"].removeprefix(PROVIDER).partition(":")[0]
    after = made[item["after"]] if "after" in item else None
    properties = {key: text(value, after) if key in TEXTS else value for key, value in item["properties"].items()}
    options = pulumi.ResourceOptions(
        version=item.get("version") or importlib.metadata.version(f"pulumi_{package}"),
        plugin_download_url=item.get("plugin_download_url"),
        protect=item.get("protect", False),
        retain_on_delete=item.get("retain_on_delete", False),
        depends_on=[after] if after else None,
    )
    if item["type"].startswith(PROVIDER):
        made[name] = pulumi.ProviderResource(package, name, properties, options)
    else:
        made[name] = pulumi.CustomResource(item["type"], name, properties, options)
