"""Says beforehand how long a command is going to take here, from what is there already."""

from __future__ import annotations

from tools import go_tools, pulumi_cli

BUILD_SECONDS = 300
INSTALL_SECONDS = 30


def cli_seconds() -> int:
    """Estimates how long getting a Pulumi CLI takes.

    Returns:
        Seconds: none when there is one; a build's when Go is there, because that is the longest it can take.
    """
    if pulumi_cli.at_hand():
        return 0
    return INSTALL_SECONDS if go_tools.missing() else BUILD_SECONDS


def with_cli(seconds: float) -> str:
    """Adds what getting a Pulumi CLI takes here.

    Args:
        seconds: What everything else takes.

    Returns:
        `about 15 s`, or `about 6 min, about 5 min of it for getting the Pulumi CLI, once`.
    """
    cli = cli_seconds()
    return f"{about(seconds + cli)}, {about(cli)} of it for getting the Pulumi CLI, once" if cli else about(seconds)


def about(seconds: float) -> str:
    """Rounds an estimate so that it does not look like a promise.

    Returns:
        `about 15 s` or `about 6 min`.
    """
    if seconds < 100:
        return f"about {5 * max(1, round(seconds / 5))} s"
    return f"about {round(seconds / 60)} min"
