"""Which code travels with a run, as the options and the files at hand say."""

import argparse
from pathlib import Path

import pytest

from runner.bundle import unpack
from runner.cli.code import add_options, code_of
from runner.environment import Environment
from runner.errors import UsageError
from runner.launch.pack import Packed
from runner.sections import Kind, Local
from tests.runner.launch.kubernetes.objects import environment

LOCAL = Environment(kind=Kind.LOCAL, name="here", local=Local())


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a script, a package and a file outside of both."""
    for name in ("flows/flow.py", "flows/helpers.py", "flows/.secret", "package/daily.py", "elsewhere/other.py"):
        path = tmp_path / "project" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("def main(): pass\n")
    monkeypatch.chdir(tmp_path / "project")
    return tmp_path / "project"


def _chosen(*words: str, target: Environment | None = None) -> tuple[str, Packed | None]:
    parser = argparse.ArgumentParser()
    parser.add_argument("flow")
    add_options(parser)
    return code_of(parser.parse_args(words), target or environment())


def _files(packed: Packed | None, folder: Path) -> set[str]:
    assert packed is not None
    unpack(packed.data, packed.bundle, str(folder))
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_files_beside_a_flow_file_travel(tmp_path: Path) -> None:
    flow, packed = _chosen("flows/flow.py:main")

    assert flow == "flow.py:main"
    assert _files(packed, tmp_path / "out") == {"flow.py", "helpers.py"}


def test_the_files_of_a_named_folder_travel(tmp_path: Path) -> None:
    flow, packed = _chosen("flows/flow.py:main", "--bundle", ".")

    assert flow == "flows/flow.py:main"
    assert "elsewhere/other.py" in _files(packed, tmp_path / "out")
    assert _chosen("flow.py:main", "--bundle", "flows")[0] == "flow.py:main"


def test_a_script_travels_too(tmp_path: Path) -> None:
    flow, packed = _chosen("flows/flow.py")

    assert flow == "flow.py"
    assert "helpers.py" in _files(packed, tmp_path / "out")


def test_a_module_that_is_here_travels_with_this_folder(tmp_path: Path) -> None:
    flow, packed = _chosen("package.daily:main")

    assert flow == "package.daily:main"
    assert {"package/daily.py", "flows/flow.py"} <= _files(packed, tmp_path / "out")


@pytest.mark.parametrize("words", [["json:dumps"], ["/app/flow.py:main", "--no-bundle"], ["json:dumps", "--no-bundle"]])
def test_nothing_travels_when_the_code_is_in_the_image(words: list[str]) -> None:
    assert _chosen(*words) == (words[0], None)


@pytest.mark.parametrize("words", [["flows/flow.py:main"], ["package.daily:main"]])
def test_nothing_travels_to_this_machine(words: list[str]) -> None:
    assert _chosen(*words, target=LOCAL) == (words[0], None)


@pytest.mark.parametrize(
    ("words", "target", "sentence"),
    [
        (["app/flow.py:main"], None, "There is no file app/flow.py here. Correct its name, or say --no-bundle"),
        (["flow.py:main", "--bundle", "nowhere"], None, "--bundle nowhere is not a folder."),
        (["flows/flow.py:main", "--bundle", "package"], None, "The flow file flows/flow.py is not in package."),
        (
            ["flows/flow.py:main", "--bundle", "flows"],
            LOCAL,
            "--bundle is for containers, and here runs on this machine.",
        ),
        (["flows/flow.py:main", "--no-bundle"], LOCAL, "--no-bundle is for containers"),
        (["flows/flow.py:main", "--image", "a"], LOCAL, "--image is for containers"),
    ],
)
def test_mistakes(words: list[str], target: Environment | None, sentence: str) -> None:
    with pytest.raises(UsageError) as refusal:
        _chosen(*words, target=target)
    assert str(refusal.value).startswith(sentence)
