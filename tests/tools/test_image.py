from __future__ import annotations

import os
import shlex
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tools import image, setup
from tools.images import buildah, context, docker
from tools.paths import CHECKOUT

DOCKERFILES = ("runner/Dockerfile", "examples/flights/Dockerfile")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without Docker; what is built goes into a folder of the test's own."""
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setattr(image, "FOLDER", tmp_path / "images")
    monkeypatch.setattr(setup, "prepare", lambda: None)
    return tmp_path


def _engine(place: Path) -> None:
    """Puts a Docker there which writes down how it is called."""
    program = place / "programs" / "docker"
    program.write_text(f'#!/bin/sh\necho "$*" >>{place}/calls\n[ "$1" != save ] || echo "$4" >"$3"\n')
    program.chmod(0o755)


def _copied(dockerfile: str) -> list[str]:
    lines = (CHECKOUT / dockerfile).read_text().splitlines()
    copies = [shlex.split(line)[1:-1] for line in lines if line.startswith("COPY ")]
    return [source for sources in copies if not sources[0].startswith("--from=") for source in sources]


def test_an_engine_builds_the_images_on_each_other(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _engine(place)
    archives = image.archives()
    assert {name: file.read_text() for name, file in archives.items()} == {
        "penstock.local/runner:test": "penstock.local/runner:test\n",
        "penstock.local/runner-dask:test": "penstock.local/runner-dask:test\n",
        "penstock.local/flights:test": "penstock.local/flights:test\n",
    }
    builds = [call for call in (place / "calls").read_text().splitlines() if call.startswith("build ")]
    assert [call.rpartition(" ")[0].removeprefix("build ") for call in builds] == [
        f"--file {CHECKOUT}/runner/Dockerfile --tag penstock.local/runner:test",
        f"--file {CHECKOUT}/runner/Dockerfile --tag penstock.local/runner-dask:test --build-arg EXTRAS=dask",
        (
            f"--file {CHECKOUT}/examples/flights/Dockerfile --tag penstock.local/flights:test --build-arg "
            "BASE_IMAGE=penstock.local/runner-dask:test"
        ),
    ]
    assert [line.partition(" … ")[0] for line in capsys.readouterr().err.splitlines()] == [
        f"Building {name}" for name in archives
    ]


def test_nothing_is_built_twice_and_an_edit_replaces_the_files(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _engine(place)
    source = place / "flow.py"
    source.write_text("old")
    monkeypatch.setattr(image, "CHECKOUT", place)
    monkeypatch.setattr(context, "inputs", lambda: iter([source]))
    first = image.archives()
    (place / "calls").unlink()
    assert image.archives() == first
    assert (place / "calls").read_text() == "version --format {{.Server.Version}}\n"

    source.write_text("new")
    second = image.archives()
    assert not set(first.values()) & set(second.values())
    assert all(file.is_file() for file in (*first.values(), *second.values()))

    # A while later nobody reads those of the first call any more.
    for file in (*first.values(), *second.values()):
        os.utime(file, (1, 1))
    source.write_text("newer")
    third = image.archives()
    assert {file for file in (place / "images").iterdir() if file.name != "lock"} == set(third.values())


def test_what_is_built_on_the_images_is_built_for_those_who_ask_for_it(place: Path) -> None:
    _engine(place)
    others = image.archives()
    (place / "calls").unlink()
    archives = image.archives(image.PREFECT)
    assert archives.keys() - others.keys() == {"penstock.local/prefect:test"}
    assert archives.items() > others.items()
    calls = (place / "calls").read_text().splitlines()
    folder = CHECKOUT / "tests" / "prefect"
    assert [call for call in calls if call.startswith("build ")][-1] == (
        f"build --file {folder}/Dockerfile --tag penstock.local/prefect:test "
        f"--build-arg BASE_IMAGE=penstock.local/runner-dask:test {folder}"
    )
    assert [call.rpartition(" ")[2] for call in calls if call.startswith("save ")] == ["penstock.local/prefect:test"]


def test_a_lock_file_of_one_image_decides_about_that_image_only(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _engine(place)
    mine = image.Image(name="penstock.local/mine:test", dockerfile="mine/Dockerfile", lock="mine/requirements.lock")
    (place / "mine").mkdir()
    for file in (mine.dockerfile, mine.lock or ""):
        (place / file).write_text("old")
    monkeypatch.setattr(image, "CHECKOUT", place)
    monkeypatch.setattr(context, "inputs", lambda: iter([place / "mine" / "Dockerfile"]))
    first = image.archives(mine)
    (place / "mine" / "requirements.lock").write_text("new")
    second = image.archives(mine)
    assert {name for name, file in second.items() if file != first[name]} == {mine.name}


def test_all_that_the_image_for_prefect_copies_is_beside_its_dockerfile() -> None:
    folder = (CHECKOUT / image.PREFECT.dockerfile).parent
    copied = _copied(image.PREFECT.dockerfile)
    assert [folder / source for source in copied] == [CHECKOUT / (image.PREFECT.lock or "")]


def test_what_a_killed_build_has_left_goes_with_the_next(place: Path) -> None:
    _engine(place)
    left = place / "images" / "context.killed" / "dist"
    left.mkdir(parents=True)
    image.archives()
    assert not left.parent.exists()


def test_the_command_prints_name_and_file(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _engine(place)
    target = place / "mine.tar"
    assert image.main(["--flights", "-o", str(target)]) == 0
    assert capsys.readouterr().out == f"penstock.local/flights:test {target}\n"
    assert target.read_text() == "penstock.local/flights:test\n"
    assert image.main(["--extras", "dask"]) == 0
    assert capsys.readouterr().out.startswith(f"penstock.local/runner-dask:test {place}/images/runner-dask-")


def test_without_an_engine_and_without_root_one_message_says_what_to_do(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(place / "programs"))
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not docker.answers()
    assert image.main([]) == 69
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == (
        "No Docker engine answers, and this is not root on Debian or Ubuntu, where images can be built without. "
        "Start Docker, or run this as root there.\n"
    )


def test_buildah_is_installed_where_it_is_missing(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installer = place / "programs" / "apt-get"
    installer.write_text(
        f'#!/bin/sh\necho "$DEBIAN_FRONTEND: $*" >>{place}/calls\n'
        f'if [ "$1" = update ]; then echo >{place}/lists; else [ -e {place}/lists ]; fi\n'
    )
    installer.chmod(0o755)
    monkeypatch.setenv("PATH", str(place / "programs"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    buildah.require()
    install = "noninteractive: install -q -y --no-install-recommends buildah"
    assert (place / "calls").read_text().splitlines() == [install, "noninteractive: update -q", install]


@pytest.mark.parametrize("dockerfile", DOCKERFILES)
def test_all_that_a_dockerfile_copies_passes_dockerignore_and_decides_the_name(dockerfile: str) -> None:
    ignored, *admitted = [
        line for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if not line.startswith("#")
    ]
    assert ignored == "*"
    assert {f"!{source}" for source in _copied(dockerfile)} <= set(admitted)
    inputs = [str(file.relative_to(CHECKOUT)) for file in context.inputs()]
    for source in _copied(dockerfile):
        assert source == "dist/*.whl" or any(fnmatch(name, source) for name in inputs), source
    assert dockerfile in inputs


def test_nothing_passes_dockerignore_that_no_dockerfile_copies() -> None:
    admitted = {line[1:] for line in (CHECKOUT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert admitted == {source for dockerfile in DOCKERFILES for source in _copied(dockerfile)}


def test_the_context_is_what_dockerignore_admits_and_the_same_each_time(tmp_path: Path) -> None:
    contexts = []
    for folder in (tmp_path / "first", tmp_path / "second"):
        context.fill(folder)
        files = [file for file in folder.rglob("*") if file.is_file()]
        contexts.append({str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mtime) for file in files})
    (wheel,) = (name for name in contexts[0] if name.endswith(".whl"))
    assert wheel.startswith("dist/penstock-")
    assert contexts[0].keys() - {wheel} == {
        "examples/flights/chart.py", "examples/flights/flow.py", "examples/flights/report.py",
        "examples/requirements.lock", "pyproject.toml", "requirements.lock", "tools/installer.lock",
    }  # fmt: skip
    assert contexts[0] == contexts[1]


def test_bytecode_does_not_decide_the_name() -> None:
    inputs = list(context.inputs())
    assert CHECKOUT / "runner" / "__main__.py" in inputs
    assert not [file for file in inputs if file.suffix == ".pyc"]
