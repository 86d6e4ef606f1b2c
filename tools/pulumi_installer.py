"""Runs Pulumi's official installer, through the Automation API; started with the Python of `.venv`.

Prints `asking` before the network is asked for anything and `answered` as soon as it has answered, so that the caller
can give the answer a few seconds and the download some minutes.
"""

from __future__ import annotations

import sys
import urllib.request
from typing import Any

import pulumi.automation


def install(root: str) -> None:
    """Installs the CLI whose version is that of the Python SDK.

    Args:
        root: Folder; the programs go into `bin` below it.
    """
    fetch = urllib.request.urlopen

    def announced(*arguments: Any, **options: Any) -> Any:
        response = fetch(*arguments, **options)
        print("answered", flush=True)
        return response

    urllib.request.urlopen = announced
    print("asking", flush=True)
    pulumi.automation.PulumiCommand.install(root=root)


if __name__ == "__main__":
    install(sys.argv[1])
