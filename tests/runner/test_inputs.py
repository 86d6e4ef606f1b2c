"""Documents from files and variables: what is read, and that a variable is gone for whatever runs afterwards."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from runner import inputs
from runner.contract import MAX_BYTES
from runner.errors import ContractError
from runner.inputs import read


def test_a_file_is_read_up_to_the_size_that_shows_it_is_too_large(tmp_path: Path) -> None:
    (tmp_path / "small").write_bytes(b"{}")
    (tmp_path / "large").write_bytes(bytes(MAX_BYTES + 100))

    assert read(str(tmp_path / "small"), "run request") == b"{}"
    assert len(read(str(tmp_path / "large"), "run request")) == MAX_BYTES + 1


def test_a_variable_is_read_once_and_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_INPUT", '{"name": "ü"}')

    assert read("env:PENSTOCK_INPUT", "run request") == '{"name": "ü"}'.encode()
    assert "PENSTOCK_INPUT" not in os.environ
    with pytest.raises(ContractError) as caught:
        read("env:PENSTOCK_INPUT", "run request")

    assert str(caught.value) == (
        "run request is not in the environment variable PENSTOCK_INPUT, expected its JSON there. "
        "Start runs with `penstock run`, which sets it."
    )


PROGRAM = """
import os, sys
from runner.inputs import read

text = read("env:PENSTOCK_INPUT", "run request")
if os.fork() == 0:
    with open("/proc/self/environ", "rb") as file:
        sys.stdout.buffer.write(file.read())
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-c", "import os; print(*os.environ.items(), sep='\\\\0')"])
os.wait()
assert text == b"x0123456" * 12_500
assert dict(os.environ)["AFTER"] == "2"
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux shows the memory of processes in /proc")
def test_a_process_that_is_forked_and_a_program_that_is_started_show_nothing_of_it() -> None:
    """The variables around it stay whole, and one whose name it ends is not taken for it."""
    text = "x0123456" * 12_500
    variables = {"BEFORE": "1", "MY_PENSTOCK_INPUT": "3", "PENSTOCK_INPUT": text, "AFTER": "2"}
    path = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}

    done = subprocess.run([sys.executable, "-c", PROGRAM], env={**path, **variables}, capture_output=True, check=True)

    assert b"0123456" not in done.stdout
    seen = done.stdout.split(b"\0")
    assert {b"BEFORE=1", b"MY_PENSTOCK_INPUT=3", b"AFTER=2"} <= set(seen)
    assert {entry.strip() for entry in seen if entry.startswith(b"PENSTOCK_INPUT")} == {b"PENSTOCK_INPUT="}
    assert b"('AFTER', '2')" in done.stdout
    assert b"('PENSTOCK_INPUT'" not in done.stdout


def test_a_bundle_in_a_variable_is_decoded_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PENSTOCK_INPUT_BUNDLE", "UEsDBA==")

    assert inputs.archive("env:PENSTOCK_INPUT_BUNDLE") == b"PK\x03\x04"
    assert "PENSTOCK_INPUT_BUNDLE" not in os.environ
    assert inputs.archive("/penstock/bundle/bundle.zip") == "/penstock/bundle/bundle.zip"


@pytest.mark.parametrize("text", ["not base64", "UEsDBA", "ü"])
def test_a_bundle_that_is_not_base64_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("PENSTOCK_INPUT_BUNDLE", text)

    with pytest.raises(ContractError, match="bundle of code is not base64 in the variable PENSTOCK_INPUT_BUNDLE"):
        inputs.archive("env:PENSTOCK_INPUT_BUNDLE")
