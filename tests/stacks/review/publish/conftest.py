import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stacks.review.publish.api_server import NUMBER, TEXT, ApiServer, api_server


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with api_server() as server:
        yield server


@pytest.fixture
def comment(tmp_path: Path) -> Path:
    file = tmp_path / "comment.md"
    file.write_text(TEXT)
    return file


@pytest.fixture
def github(server: ApiServer, comment: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments, in the environment of a workflow."""
    event = comment.with_name("event.json")
    event.write_text(json.dumps({"action": "synchronize", "pull_request": {"number": NUMBER}}))
    _only(monkeypatch, {**server.github, "GITHUB_EVENT_PATH": str(event)})
    return [str(comment)]


@pytest.fixture
def gitlab(server: ApiServer, comment: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Arguments, in the environment of a pipeline."""
    _only(monkeypatch, server.gitlab)
    return [str(comment)]


def _only(monkeypatch: pytest.MonkeyPatch, variables: dict[str, str]) -> None:
    for name in os.environ:
        if name.startswith(("GITHUB_", "GITLAB_", "CI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
