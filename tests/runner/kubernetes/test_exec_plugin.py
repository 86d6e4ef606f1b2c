"""Login commands, as real programs."""

# ruff: noqa: S105, S106 no secret here opens anything
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from runner.kubernetes.client import Client
from runner.kubernetes.config import load
from runner.kubernetes.credentials import Credentials
from runner.kubernetes.errors import ConfigError
from tests.runner.kubernetes.api_server import ApiServer, Exchange
from tests.runner.kubernetes.certificates import Authority, server_context
from tests.runner.kubernetes.replies import fails, fine

VERSION = "client.authentication.k8s.io/v1"
Plugin = Callable[..., Credentials]

PROGRAM = """#!{python}
import json, os, pathlib, sys, time
folder = pathlib.Path(__file__).parent
calls = folder / "calls"
with calls.open("a") as file:
    print(json.dumps({{"args": sys.argv[1:], "variable": os.environ.get("VARIABLE"),
                      "info": json.loads(os.environ["KUBERNETES_EXEC_INFO"]),
                      "terminal": sys.stdin.isatty(), "input": sys.stdin.readline()}}), file=file)
{code}
"""


def _answer(version: str = VERSION, **status: object) -> str:
    answer = {"kind": "ExecCredential", "apiVersion": version, "status": status}
    return f"print(json.dumps({answer!r}))"


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    """Credentials of a kubeconfig whose login command runs this code."""

    def make(
        code: str = _answer(token="secret"), *, cluster: Any = None, user: Any = None, **settings: Any
    ) -> Credentials:
        (tmp_path / "bin").mkdir(exist_ok=True)
        program = tmp_path / "bin" / "log-in"
        program.write_text(PROGRAM.format(python=sys.executable, code=code))
        program.chmod(0o700)
        command = {"apiVersion": VERSION, "interactiveMode": "Never", "command": "bin/log-in", **settings}
        config = {
            "current-context": "one",
            "contexts": [{"name": "one", "context": {"cluster": "c", "user": "u"}}],
            "clusters": [{"name": "c", "cluster": {"server": "https://one.example", **(cluster or {})}}],
            "users": [{"name": "u", "user": {"exec": command, **(user or {})}}],
        }
        (tmp_path / "config").write_text(json.dumps(config))
        return load(kubeconfig=str(tmp_path / "config")).credentials

    return make


def _calls(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "bin" / "calls").read_text().splitlines()]


@pytest.mark.parametrize("version", [VERSION, "client.authentication.k8s.io/v1beta1"])
def test_the_command_gets_its_arguments_and_is_asked_once(plugin: Plugin, version: str, tmp_path: Path) -> None:
    found = plugin(
        _answer(version, token="secret"),
        apiVersion=version,
        args=["-a", "b c"],
        env=[{"name": "VARIABLE", "value": "x"}],
    )

    assert [found.current().token for _ in range(3)] == ["secret"] * 3
    assert _calls(tmp_path) == [
        {
            "args": ["-a", "b c"],
            "variable": "x",
            "info": {"kind": "ExecCredential", "apiVersion": version, "spec": {"interactive": False}},
            "terminal": False,
            "input": "",
        }
    ]


def test_the_command_is_told_of_the_cluster_when_it_wants_to_know(plugin: Plugin, tmp_path: Path) -> None:
    cluster = {
        "certificate-authority": "ca",
        "tls-server-name": "name",
        "insecure-skip-tls-verify": False,
        "extensions": [{"name": "client.authentication.k8s.io/exec", "extension": {"a": 1}}, {"name": "x"}],
    }
    (tmp_path / "ca").write_text("authority")
    plugin(cluster=cluster, provideClusterInfo=True).current()

    assert _calls(tmp_path)[0]["info"]["spec"] == {
        "interactive": False,
        "cluster": {
            "server": "https://one.example",
            "tls-server-name": "name",
            "certificate-authority-data": "YXV0aG9yaXR5",
            "config": {"a": 1},
        },
    }


def test_what_has_expired_is_asked_for_again(plugin: Plugin, tmp_path: Path) -> None:
    found = plugin(_answer(token="secret", expirationTimestamp="2020-01-01T00:00:00Z"))
    found.current()
    found.current()
    assert len(_calls(tmp_path)) == 2

    found = plugin(_answer(token="secret", expirationTimestamp="2999-01-01T00:00:00.5+02:00"))
    found.current()
    found.current()
    assert len(_calls(tmp_path)) == 3


def test_however_many_threads_ask_the_command_runs_once(plugin: Plugin, tmp_path: Path) -> None:
    found = plugin("time.sleep(0.1)\n" + _answer(token="secret"))
    threads = [threading.Thread(target=found.current) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(_calls(tmp_path)) == 1


def test_a_credential_that_is_refused_is_renewed_once_for_all(plugin: Plugin, tmp_path: Path) -> None:
    counted = "token = f't{len(calls.read_text().splitlines())}'\n" + _answer(token="T").replace("'T'", "token")
    found = plugin(counted)
    refused = found.current()
    assert refused.token == "t1"
    threads = [threading.Thread(target=found.renew, args=(refused,)) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert found.current().token == "t2"
    assert len(_calls(tmp_path)) == 2


def test_a_call_that_is_refused_is_repeated_with_the_new_credential(plugin: Plugin, tmp_path: Path) -> None:
    counted = "token = f't{len(calls.read_text().splitlines())}'\n" + _answer(token="T").replace("'T'", "token")

    def reply(exchange: Exchange) -> None:
        (fine if exchange.headers["Authorization"] == "Bearer t2" else fails(401, "Unauthorized"))(exchange)

    with ApiServer(reply) as server:
        plugin(counted, cluster={"server": server.url})
        with Client(load(kubeconfig=str(tmp_path / "config"))) as client:
            assert client.get("/x") == {"fine": True}
            assert client.get("/x") == {"fine": True}

    assert [asked.headers["Authorization"] for asked in server.requests] == ["Bearer t1", "Bearer t2", "Bearer t2"]


def test_a_client_certificate_of_the_command_is_shown_and_a_new_one_needs_a_new_connection(
    plugin: Plugin, tmp_path: Path
) -> None:
    authority = Authority()
    first, second = authority.client(), authority.client()
    pairs = {"1": [first.certificate, first.key], "2": [second.certificate, second.key]}
    code = (
        f"certificate, key = {pairs!r}[str(len(calls.read_text().splitlines()))]\n"
        "print(json.dumps({'kind': 'ExecCredential', 'apiVersion': 'client.authentication.k8s.io/v1', 'status': "
        "{'clientCertificateData': certificate, 'clientKeyData': key}}))"
    )
    serials: list[object] = []

    def reply(exchange: Exchange) -> None:
        serials.append(exchange.connection.getpeercert()["serialNumber"])
        fine(exchange)

    (tmp_path / "ca").write_text(authority.certificate)
    with ApiServer(reply, tls=server_context(authority.server(), tmp_path, clients=authority)) as server:
        plugin(code, cluster={"server": server.url, "certificate-authority": "ca"})
        access = load(kubeconfig=str(tmp_path / "config"))
        with Client(access) as client:
            client.get("/x")
            client.get("/x")
            assert access.credentials.renew(access.credentials.current())
            client.get("/x")
        assert server.connections == 2

    assert serials[0] == serials[1] != serials[2]


def test_the_users_own_certificate_goes_with_a_token(plugin: Plugin) -> None:
    identity = plugin(user={"client-certificate-data": "Yw==", "client-key-data": "aw=="}).current()

    assert (identity.token, identity.certificate, identity.key) == ("secret", "c", "k")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "print('first', file=sys.stderr); print('token has expired  \\n', file=sys.stderr); sys.exit(3)",
            "failed (token has expired). Log in again, or choose another context with --context.",
        ),
        ("sys.exit(3)", "failed (exit code 3). Log in again, "),
        ("print('hello')", "answered what is no ExecCredential. Run it by hand, "),
        ("print('[]')", "answered what is no ExecCredential. "),
        ("print('{}')", "answered what is no ExecCredential. "),
        (_answer(), "gave neither a token nor a client certificate. Log in again, "),
        (_answer(token=3), "answered what is no ExecCredential. "),
        (_answer(clientKeyData=3), "gave neither a token nor a client certificate. "),
        (_answer(token="x", expirationTimestamp="soon"), "answered what is no ExecCredential. "),
        (_answer("client.authentication.k8s.io/v9", token="x"), "answered a ExecCredential of client.authentication"),
    ],
)
def test_a_command_that_gives_nothing_is_told(plugin: Plugin, code: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        plugin(code).current()

    assert str(caught.value).startswith(f"The login command of context one, `{tmp_path}/bin/log-in`, {message}")


def test_a_command_that_is_missing_is_told_with_the_hint(plugin: Plugin) -> None:
    hint = "Get it from \x1b[1mexample.com\x1b[0m.\n"
    with pytest.raises(ConfigError) as caught:
        plugin(command="no-such-command", installHint=hint).current()
    assert str(caught.value) == (
        "The login command of context one, `no-such-command`, cannot be run (No such file or directory). "
        "Get it from example.com, or choose another context with --context."
    )
    with pytest.raises(ConfigError, match=r"\. Install it, or choose"):
        plugin(command="no-such-command").current()


def test_settings_that_are_not_known_are_told(plugin: Plugin) -> None:
    with pytest.raises(ConfigError, match=r"is of the version client\.authentication\.k8s\.io/v1alpha1, and"):
        plugin(apiVersion="client.authentication.k8s.io/v1alpha1")
    with pytest.raises(ConfigError, match="has the interactiveMode Sometimes"):
        plugin(interactiveMode="Sometimes")


def test_a_command_that_must_ask_needs_a_terminal(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    with open(os.devnull) as nothing:  # noqa: PTH123 a file that is no terminal
        monkeypatch.setattr(sys, "stdin", nothing)
        with pytest.raises(ConfigError, match="wants to ask you, and there is no terminal"):
            plugin(interactiveMode="Always").current()


@pytest.mark.parametrize("mode", ["IfAvailable", "Always"])
def test_a_command_may_ask_on_a_terminal(plugin: Plugin, mode: str, tmp_path: Path) -> None:
    plugin("print('Code?', file=sys.stderr)\n" + _answer(token="secret"), interactiveMode=mode)
    program = f"from runner.kubernetes.config import load; load(kubeconfig='{tmp_path}/config').credentials.current()"
    ours, theirs = os.openpty()
    try:
        os.write(ours, b"1234\n")
        command = [sys.executable, "-c", program]
        done = subprocess.run(command, stdin=theirs, capture_output=True, text=True, check=False)
    finally:
        os.close(ours)
        os.close(theirs)

    assert (done.returncode, done.stderr) == (0, "Code?\n")
    assert _calls(tmp_path)[0]["info"]["spec"] == {"interactive": True}
    assert (_calls(tmp_path)[0]["terminal"], _calls(tmp_path)[0]["input"]) == (True, "1234\n")


def test_a_command_that_hangs_is_ended(plugin: Plugin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.kubernetes.exec_plugin.RUN_SECONDS", 0.5)
    began = time.monotonic()
    with pytest.raises(ConfigError, match="was not done after"):
        plugin("time.sleep(30)").current()

    assert time.monotonic() - began < 5
