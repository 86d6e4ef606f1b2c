from pathlib import Path

import pulumi
import pytest

from components.project import project_folder


def test_the_language_host_tells_where_the_project_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: "/project")

    assert project_folder() == Path("/project")


def test_where_it_does_not_the_project_is_above_the_program(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.yaml").touch()
    (tmp_path / "stacks").mkdir()
    monkeypatch.chdir(tmp_path / "stacks")
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: None)

    assert project_folder() == tmp_path
