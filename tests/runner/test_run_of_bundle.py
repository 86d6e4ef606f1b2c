"""Runs of packed code: it is where the flow works, whoever the user is, and gone afterwards."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.launch.pack import pack
from tests.testbed.runner_process import Ended, await_file, run_flow, started

CHECKOUT = Path(__file__).parents[2]
FLOW = """
import os, sys
import helper

def main(name: str = "Welt") -> dict:
    print(helper.greeting(name))
    folders = [path for path in sys.path if "penstock-code-" in path]
    return {"folder": os.getcwd(), "on_path": folders, "files": sorted(os.listdir())}

def dies():
    os._exit(9)

def waits(ready):
    with open(ready, "w") as file:
        file.write(os.getcwd())
    import time
    time.sleep(60)

def at_exit(outcome):
    print("at_exit", outcome.state, helper.greeting(os.getcwd()))
"""


@pytest.fixture
def code(tmp_path: Path) -> Path:
    """A folder with a flow in two files."""
    folder = tmp_path / "code"
    folder.mkdir()
    (folder / "flow.py").write_text(FLOW)
    (folder / "helper.py").write_text("def greeting(name):\n    return f'Hallo {name}'\n")
    return folder


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    """The temporary folder of the container."""
    folder = tmp_path / "tmp"
    folder.mkdir()
    return folder


def run_bundle(folder: Path, code: Path, flow: str, parameters: dict[str, Any] | None = None, **options: Any) -> Ended:
    """Run a flow of packed code, with a folder for temporary files."""
    packed = pack(code, flow=flow)
    (folder / "bundle.zip").write_bytes(packed.data)
    request = {
        "bundle": {"sha256": packed.bundle.sha256, "size": packed.bundle.size},
        **options.pop("request", {}),
    }
    variables = {"TMPDIR": str(folder / "tmp"), **options.pop("variables", {})}
    words = ["--bundle", str(folder / "bundle.zip"), *options.pop("options", ())]
    return run_flow(folder, flow, parameters, request=request, variables=variables, options=words, **options)


@pytest.mark.parametrize("flow", ["flow.py:main", "./flow.py:main", "flow:main"])
def test_packed_code_is_the_working_directory_of_its_flow_and_gone_afterwards(
    tmp_path: Path, code: Path, temporary: Path, flow: str
) -> None:
    ended = run_bundle(tmp_path, code, flow, {"name": "Welt"})

    assert (ended.exit_code, ended.output) == (0, b"Hallo Welt\n")
    result = ended.outcome["result"]
    assert Path(result["folder"]).parent == temporary
    assert result["on_path"] == [result["folder"]]
    assert [name for name in result["files"] if name != "__pycache__"] == ["flow.py", "helper.py"]
    assert list(temporary.iterdir()) == []


def test_a_packed_script_runs_with_its_arguments(tmp_path: Path, code: Path, temporary: Path) -> None:
    (code / "script.py").write_text("import sys, helper\nprint(helper.greeting(sys.argv[1]))\n")

    ended = run_bundle(tmp_path, code, "script.py", request={"arguments": ["Welt"]})

    assert (ended.exit_code, ended.output) == (0, b"Hallo Welt\n")
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize(("flow", "words"), [("flow.py:main", "succeeded"), ("flow.py:dies", "failed")])
def test_callbacks_of_packed_code_are_called_in_its_folder_also_for_a_flow_that_died(
    tmp_path: Path, code: Path, temporary: Path, flow: str, words: str
) -> None:
    ended = run_bundle(tmp_path, code, flow, request={"callbacks": {"on_exit": "flow:at_exit"}})

    assert f"at_exit {words} Hallo {temporary}/penstock-code-" in ended.output.decode()
    assert list(temporary.iterdir()) == []


def test_packed_code_is_removed_when_the_run_is_stopped(tmp_path: Path, code: Path, temporary: Path) -> None:
    packed = pack(code, flow="flow.py:waits")
    (tmp_path / "bundle.zip").write_bytes(packed.data)
    request = {"bundle": {"sha256": packed.bundle.sha256, "size": packed.bundle.size}}
    options: dict[str, Any] = {"request": request, "variables": {"TMPDIR": str(temporary)}}
    words = ["--bundle", str(tmp_path / "bundle.zip")]
    with started(tmp_path, "flow.py:waits", {"ready": str(tmp_path / "ready")}, options=words, **options) as runner:
        place = Path(await_file(tmp_path / "ready"))
        assert place.parent == temporary
        assert place.stat().st_mode & 0o777 == 0o700
        runner.signal(signal.SIGTERM)
        ended = runner.wait()

    assert ended.exit_code == 143
    assert list(temporary.iterdir()) == []


def test_another_bundle_than_the_request_names_ends_the_run_with_a_sentence(
    tmp_path: Path, code: Path, temporary: Path
) -> None:
    ended = run_bundle(tmp_path, code, "flow.py:main", request={"bundle": {"sha256": "0" * 64, "size": 7}})

    found = hashlib.sha256((tmp_path / "bundle.zip").read_bytes()).hexdigest()
    assert (ended.exit_code, ended.failure_class) == (66, "flow")
    assert ended.outcome["failure"]["message"] == (
        f"The bundle of code has {(tmp_path / 'bundle.zip').stat().st_size:,} bytes with the SHA-256 {found}, "
        f"expected 7 bytes with {'0' * 64}. "
        "Start the run anew with `penstock run`, which packs and sends the code again."
    )
    assert ended.output.decode() == f"penstock: {ended.outcome['failure']['message']}\n"
    assert list(temporary.iterdir()) == []


def test_no_room_for_the_code_is_told(tmp_path: Path, code: Path) -> None:
    ended = run_bundle(tmp_path, code, "flow.py:main", variables={"TMPDIR": "/proc/nowhere"})

    assert ended.exit_code == 66
    assert "cannot be unpacked into /proc/nowhere/penstock-code-" in ended.outcome["failure"]["message"]


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may write to; those of pytest are its user's own."""
    folder = Path(tempfile.mkdtemp(prefix="penstock-test-"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


def python_for_anybody() -> str | None:
    """An interpreter that any user may run."""
    for python in (Path(sys.executable).resolve(), Path("/usr/bin/python3")):
        reachable = (
            all(folder.stat().st_mode & 0o1 for folder in (python, *python.parents)) if python.exists() else False
        )
        version = [str(python), "-c", "import sys; raise SystemExit(sys.version_info < (3, 11))"]
        if reachable and subprocess.run(version, check=False).returncode == 0:
            return str(python)
    return None


@pytest.mark.root
@pytest.mark.usefixtures("unmeasured")
@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("setpriv") is None, reason="needs root and setpriv, of util-linux"
)
def test_it_runs_for_a_user_that_no_file_knows_and_gives_it_a_home_in_a_folder_that_is_read_only(
    open_folder: Path, code: Path
) -> None:
    python = python_for_anybody()
    if python is None:
        pytest.skip("no Python from 3.11 on that any user may run")
    (code / "flow.py").write_text(
        "import os, pathlib\n"
        "def main():\n"
        "    pathlib.Path(os.environ['PENSTOCK_ARTIFACTS'], 'a').write_text('kept')\n"
        "    return [os.getuid(), os.environ.get('HOME'), os.access('/', os.W_OK)]\n"
    )
    user = ["setpriv", "--reuid=65532", "--regid=65532", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
    bare = ["env", "-i", "PATH=/usr/bin:/bin", f"PYTHONPATH={CHECKOUT}", f"TMPDIR={open_folder}"]

    def as_nobody_known(words: list[str]) -> list[str]:
        for name in ("environment.json", "request.json", "bundle.zip", "outcome.json"):
            (open_folder / name).touch()
            (open_folder / name).chmod(0o666)  # the outcome's is made by somebody else for anybody, as by the kubelet
        return [*user, *bare, *words]

    limit = ("--outcome-limit", "4096")
    ended = run_bundle(open_folder, code, "flow.py:main", options=limit, wrap=as_nobody_known, python=python)

    assert (ended.exit_code, ended.outcome["result"], ended.output) == (0, [65532, str(open_folder), False], b"")
    assert [item["name"] for item in ended.outcome["artifacts"]] == ["a"]
    assert [path.name for path in open_folder.iterdir() if path.name.startswith("penstock-")] == []
