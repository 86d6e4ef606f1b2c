"""Files of a run that go into a bucket, as the runner's process puts them there, whatever becomes of that."""

import hashlib
import random
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from runner import supervisor
from runner.awslogs import decoded
from runner.outcome import State
from runner.trailer import Record, Splitter
from tests.runner.aws.services import sends
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.testbed.runner_process import Ended, await_file, run_flow, started

PLACE = "s3:eu-west-1:flows/artifacts/test-run/1/"
OPTIONS = ("--trailer", "awslogs", "--artifacts-to", PLACE)
KEEP = """
import os, pathlib, random
def main(large: int = 0):
    print("no newline at the end", end="", flush=True)
    folder = pathlib.Path(os.environ["PENSTOCK_ARTIFACTS"])
    (folder / "charts").mkdir()
    (folder / "charts" / "a b\u00fc.svg").write_text("<svg/>")
    (folder / "noise").write_bytes(random.Random(1).randbytes(large))
"""
FILES = {"charts/a bü.svg": b"<svg/>", "noise": b""}
taken = sends(200, b"", "application/xml")
denied = sends(403, b"<Error><Code>AccessDenied</Code><Message>no</Message></Error>", "application/xml")


def noise(size: int) -> bytes:
    """What the flow writes."""
    return random.Random(1).randbytes(size)  # noqa: S311 no secret


def variables(server: ApiServer) -> dict[str, str]:
    return {"AWS_ENDPOINT_URL": server.url, "AWS_ACCESS_KEY_ID": "AKID", "AWS_SECRET_ACCESS_KEY": "secret"}


@pytest.fixture
def flow(tmp_path: Path) -> str:
    (tmp_path / "keep.py").write_text(KEEP)
    return f"{tmp_path}/keep.py:main"


def read(ended: Ended) -> tuple[bytes, Record]:
    """The run's output, and the last record in its log."""
    splitter, output = Splitter("test-run", 1), b""
    for line in ended.output.removesuffix(b"\n").split(b"\n"):
        output += splitter.feed(decoded(line.decode()))
    assert splitter.record is not None
    return output + splitter.rest(), splitter.record


def test_files_are_put_as_they_are_and_named_with_their_hashes(tmp_path: Path, flow: str) -> None:
    with ApiServer(taken) as server:
        ended = run_flow(tmp_path, flow, {"large": 3_000_000}, options=OPTIONS, variables=variables(server))

    output, record = read(ended)
    data = noise(3_000_000)
    asked = {item.place: item.body for item in server.requests}
    prefix = "/flows/artifacts/test-run/1"
    assert asked == {f"{prefix}/charts/a%20b%C3%BC.svg": b"<svg/>", f"{prefix}/noise": data}
    assert {item.method for item in server.requests} == {"PUT"}
    assert record.artifacts == {}
    assert record.stored == {name: hashlib.sha256(data).hexdigest() for name, data in {**FILES, "noise": data}.items()}
    assert [item.path for item in record.outcome.artifacts] == [
        f"s3://flows/artifacts/test-run/1/{name}" for name in sorted(FILES)
    ]
    assert (ended.exit_code, output) == (0, b"no newline at the end")


def test_a_bucket_that_takes_nothing_is_one_sentence_and_small_files_are_in_the_log(tmp_path: Path, flow: str) -> None:
    with ApiServer(denied) as server:
        ended = run_flow(tmp_path, flow, options=OPTIONS, variables=variables(server))

    output, record = read(ended)
    assert output.decode() == (
        "no newline at the end\n"
        "penstock: 2 of the run's 2 files could not be put into the bucket flows (AWS does not allow s3:PutObject "
        "there; `pulumi up` gives the role of runs the right). Those that are small are in its log.\n"
    )
    assert (record.outcome.state, record.outcome.exit_code, ended.exit_code) == (State.SUCCEEDED, 0, 0)
    assert record.outcome.log.sha256 == hashlib.sha256(output).hexdigest()
    assert (record.artifacts, record.stored) == (FILES, {})
    assert len(server.requests) == 1


def test_a_file_that_is_refused_does_not_keep_the_others(tmp_path: Path, flow: str) -> None:
    refused = sends(400, b"<Error><Code>KeyTooLongError</Code><Message>Too long.</Message></Error>", "application/xml")

    def reply(exchange: Exchange) -> None:
        (refused if exchange.path.endswith("noise") else taken)(exchange)

    with ApiServer(reply) as server:
        ended = run_flow(tmp_path, flow, options=OPTIONS, variables=variables(server))

    output, record = read(ended)
    assert b"1 of the run's 2 files could not be put into the bucket flows (AWS says KeyTooLongError: Too" in output
    assert record.stored.keys() == {"charts/a bü.svg"}
    assert record.artifacts == {"noise": b""}


def test_no_file_is_larger_than_a_reader_takes(tmp_path: Path) -> None:
    (tmp_path / "keep.py").write_text(
        "import os, pathlib\n"
        "def main():\n"
        "    folder = pathlib.Path(os.environ['PENSTOCK_ARTIFACTS'])\n"
        "    with (folder / 'huge').open('wb') as file: file.truncate(64 * 1024 * 1024 + 1)\n"
        "    os.mkfifo(folder / 'pipe')\n"
    )
    with ApiServer(taken) as server:
        ended = run_flow(tmp_path, f"{tmp_path}/keep.py:main", options=OPTIONS, variables=variables(server))

    output, record = read(ended)
    assert server.requests == []
    assert b"2 of the run's 2 files could not be put into the bucket flows ('pipe' cannot be read)." in output
    assert (record.stored, record.artifacts, ended.exit_code) == ({}, {}, 0)


@pytest.fixture
def hanging() -> Callable[[Exchange], None]:
    """Takes the smallest file, and never answers to the next."""

    def reply(exchange: Exchange) -> None:
        if exchange.path.endswith("charts/a%20b%C3%BC.svg"):
            taken(exchange)
        else:
            came.set()
            exchange.gone()
            exchange.cut()

    came = threading.Event()
    reply.came = came  # type: ignore[attr-defined]
    return reply


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_meanwhile_changes_nothing_of_how_the_flow_ended(
    tmp_path: Path, flow: str, hanging: Callable[[Exchange], None], number: signal.Signals
) -> None:
    with (
        ApiServer(hanging) as server,
        started(tmp_path, flow, {"large": 10}, options=OPTIONS, variables=variables(server)) as runner,
    ):
        assert hanging.came.wait(30)  # type: ignore[attr-defined]
        runner.signal(number)
        ended = runner.wait(timeout=10)

    output, record = read(ended)
    assert (record.outcome.state, ended.exit_code) == (State.SUCCEEDED, 0)
    assert record.stored.keys() == {"charts/a bü.svg"}
    assert record.artifacts == {"noise": noise(10)}
    assert b"1 of the run's 2 files could not be put into the bucket flows (it was stopped, or took too" in output


def test_a_run_that_was_stopped_has_no_longer_for_its_files_than_the_platform_gives(
    tmp_path: Path, hanging: Callable[[Exchange], None]
) -> None:
    ready = tmp_path / "ready"
    (tmp_path / "keep.py").write_text(
        f"import time\n{KEEP}    pathlib.Path({str(ready)!r}).write_text('yes')\n    time.sleep(60)\n"
    )
    grace = {"timeouts": {"grace_seconds": 1}}
    with (
        ApiServer(hanging) as server,
        started(
            *(tmp_path, f"{tmp_path}/keep.py:main", {"large": 10}),
            options=OPTIONS,
            variables=variables(server),
            environment=grace,
        ) as runner,
    ):
        await_file(ready)
        runner.signal(signal.SIGTERM)
        ended = runner.wait(timeout=1 + supervisor.STORE_AFTER_GRACE_SECONDS + 2)

    _, record = read(ended)
    assert (record.outcome.state, ended.exit_code) == (State.CANCELLED, 143)
    assert record.stored.keys() == {"charts/a bü.svg"}


def test_a_runner_that_is_killed_meanwhile_leaves_no_process(
    tmp_path: Path, flow: str, hanging: Callable[[Exchange], None]
) -> None:
    with (
        ApiServer(hanging) as server,
        started(tmp_path, flow, {"large": 10}, options=OPTIONS, variables=variables(server)) as runner,
    ):
        assert hanging.came.wait(30)  # type: ignore[attr-defined]
        runner.signal(signal.SIGKILL)
        ended = runner.wait()
        # The server waits, on leaving, until nobody holds the other end of its connections.

    _, record = read(ended)
    assert record.outcome.state is State.RUNNING
