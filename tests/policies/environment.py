"""The policy pack in the environment that Pulumi runs it in."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.testbed.pulumi_engine import CHECKOUT

PACK = CHECKOUT / "policies"
PYTHON = CHECKOUT / ".penstock" / "venvs" / "policies" / "bin" / "python"
SECONDS = 30


def policies_python() -> Path:
    """The environment's Python; skips the test, with the reason, where there is none."""
    if not PYTHON.exists():
        pytest.skip("no environment of the policy pack: `python3 -m tools.setup --with policies` makes it")
    return PYTHON


def run(*arguments: str | Path, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """What the environment's Python does with arguments, in another folder than the checkout's."""
    return subprocess.run(
        [policies_python(), *arguments], cwd="/", env={**os.environ, **(env or {})}, check=False, capture_output=True,
        text=True, timeout=SECONDS,
    )  # fmt: skip
