"""The content of the Secret with which nodes log in to registries."""

import base64
import json
from collections.abc import Mapping, Sequence

from runner.contract import broken_rule

TYPE = "kubernetes.io/dockerconfigjson"
KEY = ".dockerconfigjson"


def docker_config(registry_credentials: Sequence[Mapping[str, str]] | None = None) -> str | None:
    """The value of the key `.dockerconfigjson`, in base64 as the field `data` of a Secret has it; None without a login.

    Args:
        registry_credentials: `RegistryCredentialOptions`.

    Raises:
        ContractError: a registry is there twice.
    """
    if not registry_credentials:
        return None
    auths: dict[str, dict[str, str]] = {}
    for i, item in enumerate(registry_credentials):
        if item["server"] in auths:
            raise broken_rule(f"registry_credentials[{i}].server", "given before", "each server once")
        login = base64.b64encode(f"{item['username']}:{item['password']}".encode()).decode()
        known = {key: item[key] for key in ("username", "password", "email") if key in item}
        auths[item["server"]] = {**known, "auth": login}
    text = json.dumps({"auths": auths}, sort_keys=True, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()
