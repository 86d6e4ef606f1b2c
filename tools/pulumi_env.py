"""The environment in which Pulumi runs in this checkout; the one place that knows it.

`python3 -m tools.pulumi_env COMMAND...` runs a command in it, for example `pulumi preview --stack local`.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from tools import kubernetes_provider, pulumi_cli
from tools.errors import EXIT_UNAVAILABLE, ToolError
from tools.paths import CHECKOUT, PRIVATE, VENV

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def search_path(cli: Path | None, inherited: str) -> str:
    """Puts our programs first on PATH.

    Args:
        cli: The folder with the Pulumi CLI, if there is one.
        inherited: PATH as it is.

    Returns:
        PATH with `.venv` first, because one of the language hosts runs the first `python3` that it finds there.
    """
    ours = [VENV / "bin", *([cli] if cli else [])]
    return os.pathsep.join([*map(str, ours), *filter(None, [inherited])])


def pulumi_environment(cli: Path | None, inherited: Mapping[str, str] | None = None) -> dict[str, str]:
    """Returns the environment variables for Pulumi.

    Args:
        cli: The folder with the Pulumi CLI, if there is one.
        inherited: The variables to start from; this process's own when not given.
    """
    base = dict(os.environ if inherited is None else inherited)
    state = PRIVATE / "state"
    state.mkdir(parents=True, exist_ok=True)
    return base | {
        "PATH": search_path(cli, base.get("PATH", os.defpath)),
        "PULUMI_HOME": str(PRIVATE / "pulumi-home"),
        "PULUMI_BACKEND_URL": f"file://{state}",
        "PULUMI_CONFIG_PASSPHRASE": "",
        "PULUMI_SKIP_UPDATE_CHECK": "1",
        # A plugin that is missing is an error at once, not a download that hangs.
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "1",
        "NO_COLOR": "1",
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs the command line; on success the command takes the place of this process.

    Returns:
        The exit code when there is no such command.
    """
    command = list(sys.argv[1:] if arguments is None else arguments)
    if not command:
        print(
            "No command was given. Name one, for example: python3 -m tools.pulumi_env pulumi stack ls", file=sys.stderr
        )
        return 64
    try:
        env = pulumi_environment(pulumi_cli.obtain())
        if provider := kubernetes_provider.at_hand():
            env["PATH"] = os.pathsep.join([env["PATH"], str(provider)])
    except ToolError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    os.chdir(CHECKOUT)
    try:
        os.execvpe(command[0], command, env)  # noqa: S606 whatever the developer has asked for
    except OSError as error:
        print(f"`{command[0]}` cannot be started: {error.strerror}. Check its spelling.", file=sys.stderr)
        return 66


if __name__ == "__main__":
    raise SystemExit(main())
