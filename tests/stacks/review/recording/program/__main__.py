"""Creates what the stack's file lists: each with a type, its properties, and options of Pulumi."""

import importlib.metadata
import json

import pulumi

TEXTS = ("policy", "assumeRolePolicy", "containerDefinitions")
"""Properties that AWS takes as text with JSON in it."""

for name, item in pulumi.Config().require_object("resources").items():
    package = item["type"].partition(":")[0]
    properties = {key: json.dumps(value) if key in TEXTS else value for key, value in item["properties"].items()}
    options = pulumi.ResourceOptions(
        version=importlib.metadata.version(f"pulumi_{package}"),
        protect=item.get("protect", False),
    )
    pulumi.CustomResource(item["type"], name, properties, options)
