"""Reads AWS' own configuration files, as its command line and SDKs share them.

Source: "Configuration and credential file settings" in the AWS SDKs and Tools Reference Guide.
"""

import os
from collections.abc import Mapping

from runner.aws.errors import ConfigError

DEFAULT = "default"
FILES = (("AWS_CONFIG_FILE", "~/.aws/config"), ("AWS_SHARED_CREDENTIALS_FILE", "~/.aws/credentials"))


def settings(profile: str | None) -> Mapping[str, str]:
    """What the files say of a profile; those of credentials win over the other's.

    Args:
        profile: its name; null for that of AWS_PROFILE, else `default`, which need not be there.

    Raises:
        ConfigError: there is no such profile, or a file is none.
    """
    name = profile or os.environ.get("AWS_PROFILE") or os.environ.get("AWS_DEFAULT_PROFILE") or DEFAULT
    found: dict[str, str] = {}
    known = False
    for variable, usual in FILES:
        path = os.path.expanduser(os.environ.get(variable) or usual)  # noqa: PTH111 pathlib costs start-up time
        sections = _sections(path, variable)
        for section in (name, f"profile {name}"):
            if section in sections:
                known = True
                found |= sections[section]
    if not known and name != DEFAULT:
        raise ConfigError(
            f"There is no profile {name!r} in the AWS configuration. "
            "Choose another with --profile or AWS_PROFILE, or make it with `aws configure`."
        )
    return found


def _sections(path: str, variable: str) -> Mapping[str, Mapping[str, str]]:
    if not os.path.isfile(path):  # noqa: PTH113
        return {}
    import configparser  # most machines in clouds have no such file

    parser = configparser.RawConfigParser(default_section="", strict=False)
    try:
        with open(path, encoding="utf-8") as file:  # noqa: PTH123
            parser.read_file(file)
    except (OSError, ValueError, configparser.Error) as error:
        said = str(error).splitlines()[0].rstrip(".")
        raise ConfigError(f"{path} cannot be read ({said}). Correct it, or name another with {variable}.") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}
