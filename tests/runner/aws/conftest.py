"""What the tests of AWS' client share: a machine that knows nothing of AWS but what a test says."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from runner.http import retry

KEYS = {"AWS_ACCESS_KEY_ID": "AKIDENV", "AWS_SECRET_ACCESS_KEY": "secret-env"}


@pytest.fixture(autouse=True)
def nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No variables and no files of AWS', and a machine that has no role."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "SHORTEST_SECONDS", 0.002)


@pytest.fixture
def files(tmp_path: Path) -> Callable[..., None]:
    """Write AWS' own files, which are empty until then."""

    def write(*, config: str = "", credentials: str = "") -> None:
        (tmp_path / "config").write_text(config)
        (tmp_path / "credentials").write_text(credentials)

    return write


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lasting keys in the environment's variables."""
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
