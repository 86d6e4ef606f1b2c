"""The code of a run on its workers: they import what the flow's own process does, from the same places."""

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from distributed import SchedulerPlugin

from runner.attempt import Code
from runner.clusters.code import NAME, send_code
from runner.errors import LoadError
from runner.launch.pack import pack
from runner.request import Bundle
from tests.runner.attempts import attempt_of

FILES = {
    "top.py": "WORD = 'top'\n",
    "same.py": "WORD = 'the root'\n",
    "flows/flow.py": "import beside, same, top\n\ndef main():\n    return [beside.WORD, same.WORD, top.WORD]\n",
    "flows/beside.py": "WORD = 'beside'\n",
    "flows/same.py": "WORD = 'the folder of the flow'\n",
    "flows/data.txt": "data\n",
}
SET_UP = """
import asyncio, importlib, json, os, pickle, sys
from types import SimpleNamespace

before = list(sys.path)
folder, flow, plugin = sys.argv[1], sys.argv[2], pickle.load(sys.stdin.buffer)
if hasattr(plugin, "setup"):
    plugin.setup(SimpleNamespace(local_directory=folder))
else:
    asyncio.run(plugin.start(SimpleNamespace()))  # a scheduler's
new = sys.path[: len(sys.path) - len(before)]
assert sys.path[len(new) :] == before
print(json.dumps({"words": importlib.import_module(flow).main(), "new": new, "folder": os.getcwd()}))
"""
"""What a worker, or a scheduler, does with what it gets, as a process of its own."""


class Client:
    """Takes what is sent to the workers."""

    def __init__(self) -> None:
        self.plugins: list[Any] = []

    def register_plugin(self, plugin: object) -> None:
        self.plugins.append(plugin)


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the flow's process works in."""
    folder = tmp_path / "root"
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    monkeypatch.chdir(folder)
    return folder


def sent(flow: str, *, code: Code | None) -> bytes:
    """What the workers of a run of the flow get, as it goes over the wire."""
    client = Client()
    send_code(client, attempt_of(request={"flow": flow}, code=code))
    (plugin,) = client.plugins
    assert plugin.name == NAME
    return pickle.dumps(plugin)


def sent_to_scheduler(flow: str, *, code: Code | None) -> bytes:
    """The same of a scheduler in a process of its own; workers get theirs, too."""
    client = Client()
    send_code(client, attempt_of(request={"flow": flow}, code=code), to_scheduler=True)
    workers, plugin = client.plugins
    assert pickle.dumps(workers) == sent(flow, code=code)
    assert (plugin.name, isinstance(plugin, SchedulerPlugin)) == (NAME, True)
    return pickle.dumps(plugin)


def travelling(root: Path, flow: str, place: Path | None = None) -> Code:
    """The code of a run as its bundle, or as the bundle's file at a place."""
    packed = pack(root, flow=flow)
    if place is not None:
        place.write_bytes(packed.data)
    return Code(archive=packed.data if place is None else str(place), bundle=packed.bundle, folder=str(root))


def set_up(plugin: bytes, folder: Path, flow: str) -> Any:
    """What a worker has then: what the flow returns, the folders that it imports from first, and where it works."""
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    elsewhere = folder / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-P", "-c", SET_UP, str(scratch), flow],
        input=plugin,
        cwd=elsewhere,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("as_file", [True, False])
def test_workers_import_the_modules_beside_the_flow_and_those_of_the_folder_that_was_packed(
    root: Path, tmp_path: Path, as_file: bool
) -> None:
    flow = "flows/flow.py:main"
    code = travelling(root, flow, tmp_path / "bundle.zip" if as_file else None)

    found = set_up(sent(flow, code=code), tmp_path, "flow")

    unpacked = found["folder"]
    assert found == {
        "words": ["beside", "the folder of the flow", "top"],
        "new": [f"{unpacked}/flows", unpacked],
        "folder": unpacked,
    }
    assert Path(unpacked).parents[1] == tmp_path / "scratch"
    assert (Path(unpacked) / "flows" / "data.txt").read_text() == "data\n"


def test_the_folder_of_a_flow_file_at_the_top_is_there_once(root: Path, tmp_path: Path) -> None:
    (root / "flow.py").write_text("import same, top\n\ndef main():\n    return [same.WORD, top.WORD]\n")
    flow = "flow.py:main"

    found = set_up(sent(flow, code=travelling(root, flow)), tmp_path, "flow")

    assert found["words"] == ["the root", "top"]
    assert found["new"] == [found["folder"]]


def test_a_flow_that_is_named_as_a_module_is_found_from_the_folder_that_was_packed(root: Path, tmp_path: Path) -> None:
    (root / "flows" / "flow.py").write_text("import same, top\n\ndef main():\n    return [same.WORD, top.WORD]\n")
    flow = "flows.flow:main"

    found = set_up(sent(flow, code=travelling(root, flow)), tmp_path, "flows.flow")

    assert found["words"] == ["the root", "top"]
    assert found["new"] == [found["folder"]]


def test_code_of_the_image_is_imported_from_where_it_is(root: Path, tmp_path: Path) -> None:
    found = set_up(sent("flows/flow.py:main", code=None), tmp_path, "flow")

    assert found == {
        "words": ["beside", "the folder of the flow", "top"],
        "new": [str(root / "flows"), str(root)],
        "folder": str(tmp_path / "elsewhere"),
    }


def test_a_scheduler_in_a_process_of_its_own_imports_what_workers_do(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    flow = "flows/flow.py:main"

    found = set_up(sent_to_scheduler(flow, code=travelling(root, flow)), tmp_path, "flow")

    unpacked = found["folder"]
    assert found["words"] == ["beside", "the folder of the flow", "top"]
    assert found["new"] == [f"{unpacked}/flows", unpacked]
    assert Path(unpacked).parents[1] == tmp_path


def test_a_scheduler_with_the_code_in_its_image_imports_it_from_there(root: Path, tmp_path: Path) -> None:
    found = set_up(sent_to_scheduler("flows/flow.py:main", code=None), tmp_path, "flow")

    assert found["new"] == [str(root / "flows"), str(root)]
    assert found["folder"] == str(tmp_path / "elsewhere")


def test_workers_on_one_machine_do_not_share_a_folder(root: Path, tmp_path: Path) -> None:
    flow = "flows/flow.py:main"
    plugin = sent(flow, code=travelling(root, flow))

    assert set_up(plugin, tmp_path, "flow")["folder"] != set_up(plugin, tmp_path, "flow")["folder"]


def test_another_bundle_than_the_runs_is_not_unpacked(root: Path, tmp_path: Path) -> None:
    packed = pack(root, flow="flows/flow.py:main")
    other = Code(archive=packed.data, bundle=Bundle(sha256="0" * 64, size=packed.bundle.size), folder=str(root))
    plugin = pickle.loads(sent("flows/flow.py:main", code=other))  # noqa: S301 our own

    class Worker:
        local_directory = str(tmp_path)

    with pytest.raises(LoadError, match="bundle"):
        plugin.setup(Worker())
    assert Path.cwd() == root
