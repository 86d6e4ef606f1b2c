"""What Pulumi writes in the place of values that are secret, not known yet, or files.

Its signatures are in https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/sig/sig.go, the values that
stand for what is not known in sdk/go/common/resource/plugin/rpc.go.
"""

from collections.abc import Mapping
from typing import Any

from stacks.review.plain_json import parsed
from stacks.review.values import SECRET, UNKNOWN, Hidden

SIGNATURE = "4dabf18193072939515e22adb298388d"
"""Key of a mapping that is not what it seems."""
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 a mark, not a secret
ASSET_SIGNATURES = {"c44067f5952c0a294b673a41bacd8c17": "file", "0def7320c3a5731c473e5ecbe6d01bc7": "archive"}
RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
SECRET_TEXT = "[secret]"  # noqa: S105 a mark, not a secret
UNKNOWN_TEXTS = frozenset(
    {
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # a text
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # a truth value
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # a number
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # a list
        "030794c1-ac77-496b-92df-f27374a8bd58",  # a file
        "e48ece36-62e2-4504-bad9-02848725956a",  # an archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # a mapping
    }
)


def hidden(value: object) -> Hidden | None:
    """The mark that a value is to be replaced by; None when it is to be shown."""
    if isinstance(value, str):
        if value == SECRET_TEXT:
            return SECRET
        return UNKNOWN if value in UNKNOWN_TEXTS else None
    if isinstance(value, Mapping):
        signature = value.get(SIGNATURE)
        if signature == SECRET_SIGNATURE or (signature == OUTPUT_SIGNATURE and value.get("secret") is not False):
            return SECRET
        return UNKNOWN if signature == OUTPUT_SIGNATURE and "value" not in value else None
    return value if isinstance(value, Hidden) else None


def behind(value: object) -> Any:
    """What a secret's mark tells in plain all the same, as with `--show-secrets`; None when it tells nothing."""
    if not isinstance(value, Mapping):
        return None
    plain = value.get("plaintext", value.get("value"))
    if isinstance(plain, str):
        try:
            return parsed(plain)
        except (ValueError, RecursionError):
            pass
    return plain


def described(value: Mapping[str, Any]) -> Any:
    """What to show in the place of a mapping with a signature that hides nothing: a file, another resource."""
    signature = value[SIGNATURE]
    if signature == OUTPUT_SIGNATURE:
        return value.get("value")
    if signature == RESOURCE_SIGNATURE:
        return f"resource {value.get('urn')}"
    if signature in ASSET_SIGNATURES:
        where = value.get("path") or value.get("uri") or f"with SHA-256 {str(value.get('hash'))[:12]}"
        return f"{ASSET_SIGNATURES[signature]} {where}"
    return "a value of a kind that is not known here"
