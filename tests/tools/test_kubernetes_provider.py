from __future__ import annotations

import contextlib
import gzip
import io
import socket
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import NoReturn

import pytest

from tools import go_tools, kubernetes_provider, pulumi_cli
from tools.errors import CommandError, UnavailableError, printed
from tools.kubernetes_provider import PROGRAM
from tools.paths import GO_PINS


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without the provider, network and Go."""

    def unreachable(_: Path) -> NoReturn:
        raise CommandError("the Pulumi CLI cannot download it from here")

    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PULUMI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(kubernetes_provider, "_download", unreachable)
    monkeypatch.setattr(go_tools, "missing", lambda: "Go 1.26 is not installed")
    return programs


def _program(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROGRAM).write_text("#!/bin/sh\n")
    (folder / PROGRAM).chmod(0o755)
    return folder


def test_first_the_one_on_path(place: Path) -> None:
    _program(place)
    _program(kubernetes_provider.cache_folder())
    assert kubernetes_provider.obtain() == kubernetes_provider.at_hand() == place


def test_then_the_one_that_the_users_pulumi_has_installed(place: Path, tmp_path: Path) -> None:
    version = kubernetes_provider.wanted_version()
    installed = _program(tmp_path / "home" / "plugins" / f"resource-kubernetes-v{version}")
    _program(kubernetes_provider.cache_folder())
    assert kubernetes_provider.obtain() == kubernetes_provider.at_hand() == installed


def test_then_the_cached_one(place: Path) -> None:
    assert kubernetes_provider.at_hand() is None
    cached = _program(kubernetes_provider.cache_folder())
    assert kubernetes_provider.obtain() == kubernetes_provider.at_hand() == cached


def test_then_the_download(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_provider, "_download", _program)
    assert kubernetes_provider.obtain() == kubernetes_provider.cache_folder()
    assert (kubernetes_provider.cache_folder() / PROGRAM).is_file()


def test_then_the_build_with_the_schema_beside_the_program(
    place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    schema = tmp_path / "module" / "cmd" / PROGRAM / "schema.json"
    schema.parent.mkdir(parents=True)
    schema.write_text('{"name": "kubernetes"}')
    go = place / "go"
    go.write_text(
        f'#!/bin/sh\ncase "$1" in list) echo {tmp_path}/module;; *) echo "$*" >"$GOBIN/calls"; '
        f'printf \'#!/bin/sh\\n\' >"$GOBIN/{PROGRAM}"; chmod +x "$GOBIN/{PROGRAM}";; esac\n'
    )
    go.chmod(0o755)
    monkeypatch.setattr(go_tools, "missing", lambda: None)
    folder = kubernetes_provider.obtain()
    assert folder == kubernetes_provider.cache_folder()
    assert (folder / "schema.json").read_text() == '{"name": "kubernetes", "version": "4.25.0"}'
    calls = (folder / "calls").read_text()
    assert "-mod=readonly" in calls
    assert "/provider/v4/pkg/version.Version=4.25.0 tool" in calls


def test_none_is_one_message_that_names_the_ways(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(kubernetes_provider.obtain) == 69
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "There is no Kubernetes provider for Pulumi: PATH has none, the Pulumi CLI cannot download it from here, "
        "and Go 1.26 is not installed. "
        "Let the Pulumi CLI reach the internet, or install Go 1.26 or newer to have it built.\n"
    )
    assert kubernetes_provider.at_hand() is None


def test_the_version_is_the_one_that_the_python_package_asks_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = set()
    monkeypatch.setattr(kubernetes_provider, "CHECKOUT", tmp_path)
    for version in ("4.30.0", "4.31.0"):
        (tmp_path / "requirements.lock").write_text(f"pulumi==3.1.0\npulumi-kubernetes=={version} \\\n    --hash=x\n")
        assert kubernetes_provider.wanted_version() == version
        folders.add(kubernetes_provider.cache_folder())
    assert len(folders) == 2


def test_the_untagged_module_is_pinned_by_its_hash() -> None:
    sums = (GO_PINS / "pulumi-kubernetes" / "go.sum").read_text().splitlines()
    ours = [line.split() for line in sums if line.startswith(f"{kubernetes_provider.MODULE} ")]
    assert [(version.partition("/")[2], digest[:3]) for _, version, digest in ours] == [("", "h1:"), ("go.mod", "h1:")]


class _Server(HTTPServer):
    """Serves a plugin to whoever asks for anything."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[str] = []


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        assert isinstance(self.server, _Server)
        self.server.asked.append(self.path)
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            member = tarfile.TarInfo(PROGRAM)
            member.mode, member.size = 0o755, len(b"#!/bin/sh\n")
            tar.addfile(member, io.BytesIO(b"#!/bin/sh\n"))
        body = gzip.compress(buffer.getvalue())
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = pulumi_cli.at_hand()
    assert folder is not None
    monkeypatch.setattr(pulumi_cli, "obtain", lambda: folder)
    return folder


@contextlib.contextmanager
def _serving() -> Iterator[_Server]:
    with _Server() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.engine
@pytest.mark.usefixtures("cli")
def test_the_real_cli_downloads_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with _serving() as server:
        # Pulumi's own way to name another place for plugins.
        monkeypatch.setenv("PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES", f".*=http://127.0.0.1:{server.server_port}")
        kubernetes_provider._download(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [PROGRAM]
    assert (tmp_path / PROGRAM).stat().st_mode & 0o777 == 0o755
    assert kubernetes_provider.wanted_version() in server.asked[0]


@pytest.mark.engine
@pytest.mark.usefixtures("cli")
def test_a_network_that_never_answers_is_given_up_within_seconds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kubernetes_provider, "ANSWER_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as server:
        monkeypatch.setenv("PULUMI_PLUGIN_DOWNLOAD_URL_OVERRIDES", f".*=http://127.0.0.1:{server.getsockname()[1]}")
        start = time.monotonic()
        with pytest.raises(CommandError, match=r"^the Pulumi CLI cannot download it from here$"):
            kubernetes_provider._download(tmp_path)
    assert time.monotonic() - start < 10
    assert list(tmp_path.iterdir()) == []


def test_without_a_cli_nothing_can_be_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> NoReturn:
        raise UnavailableError("There is no usable Pulumi CLI.")

    monkeypatch.setattr(pulumi_cli, "obtain", none)
    with pytest.raises(UnavailableError):
        kubernetes_provider._download(tmp_path)


@pytest.mark.engine
def test_the_real_one_knows_its_version_and_resources(cli: Path, tmp_path: Path) -> None:
    folder = kubernetes_provider.at_hand()
    if folder is None:
        pytest.skip("the Kubernetes provider is not there; `python3 -m tools.kubernetes_provider` gets it")
    printed = subprocess.run(
        [cli / "pulumi", "package", "get-schema", folder / PROGRAM],
        capture_output=True, text=True, check=True, env={"HOME": str(tmp_path), "PULUMI_SKIP_UPDATE_CHECK": "1"},
    ).stdout  # fmt: skip
    assert '"kubernetes:batch/v1:Job"' in printed
    assert (pulumi_cli.parse_version(printed.partition('"version": "')[2]) or ()) >= (4, 25, 0)
