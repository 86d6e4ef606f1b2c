"""Which cluster, and who asks it."""

# ruff: noqa: S105 no secret here opens anything
import base64
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from runner.kubernetes import config
from runner.kubernetes.config import load
from runner.kubernetes.credentials import Fixed, TokenFile
from runner.kubernetes.errors import ConfigError
from runner.kubernetes.exec_plugin import ExecPlugin


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and a machine that know of no cluster."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    for name in ("KUBECONFIG", "KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(config, "SERVICE_ACCOUNT", tmp_path / "service-account")
    return home


def kubeconfig(
    name: str, *, current: str | None = None, namespace: str | None = None, cluster: Any = None, user: Any = None
) -> dict[str, Any]:
    """A kubeconfig with one context, cluster and user of a name."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "current-context": current or "",
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": namespace}}],
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}.example:6443", **(cluster or {})}}],
        "users": [{"name": name, "user": user or {}}],
    }


def write(path: Path, value: object) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return str(path)


def _pod(folder: Path, monkeypatch: pytest.MonkeyPatch, host: str = "10.0.0.1") -> None:
    folder = folder / "service-account"
    folder.mkdir()
    (folder / "token").write_text("pod-token\n")
    (folder / "ca.crt").write_text("pod-ca")
    (folder / "namespace").write_text("pod-namespace")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", host)
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")


def test_what_is_given_comes_before_the_environment_then_the_pod_then_the_home(
    tmp_path: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home = kubeconfig("home", current="home")
    at_home["contexts"] += kubeconfig("other")["contexts"]
    at_home["clusters"] += kubeconfig("other")["clusters"]
    at_home["users"] += kubeconfig("other")["users"]
    write(nowhere / ".kube" / "config", at_home)
    assert load().context == "home"

    _pod(tmp_path, monkeypatch)
    assert load().context is None
    assert load(context="other").server == "https://other.example:6443"

    monkeypatch.setenv("KUBECONFIG", write(tmp_path / "environment", kubeconfig("environment", current="environment")))
    assert load().context == "environment"

    given = write(tmp_path / "given", kubeconfig("given", current="given"))
    assert load(kubeconfig=given).server == "https://given.example:6443"
    assert load(kubeconfig=given, context="given").context == "given"


def test_a_pod_uses_its_service_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _pod(tmp_path, monkeypatch, host="fd00::1")
    access = load()

    assert (access.server, access.namespace, access.ca) == ("https://[fd00::1]:443", "pod-namespace", "pod-ca")
    assert access.credentials.current().token == "pod-token"
    assert access.label == "The cluster of this pod (https://[fd00::1]:443)"


def test_a_pod_without_a_service_account_is_no_way_to_a_cluster(
    tmp_path: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")
    with pytest.raises(ConfigError) as caught:
        load()

    assert str(caught.value) == (
        f"There is no kubeconfig at {nowhere}/.kube/config. Log in to a cluster, or name a file in KUBECONFIG."
    )


def test_several_files_are_merged_and_the_first_that_names_a_thing_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = kubeconfig("one", namespace="first", user={"token": "first"})
    second = kubeconfig("one", current="one", cluster={"server": "https://second.example"}, user={"token": "second"})
    second["users"][0]["user"]["client-certificate"] = "is/not/read"
    third = kubeconfig("two", current="two", user={"token": "third"})
    files = [write(tmp_path / str(number), value) for number, value in enumerate((first, second, third))]
    monkeypatch.setenv("KUBECONFIG", ":".join(["", files[0], str(tmp_path / "missing"), *files[1:], ""]))

    access = load()
    assert (access.context, access.namespace) == ("one", "first")
    assert access.server == "https://one.example:6443"
    assert access.credentials.current().token == "first"
    assert load(context="two").credentials.current().token == "third"


def test_paths_are_relative_to_the_file_that_names_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "deep" / "er"
    user = {"client-certificate": "own.crt", "client-key": "../own.key", "tokenFile": "token"}
    write(folder / "users", {"users": [{"name": "one", "user": user}]})
    write(
        tmp_path / "rest", {**kubeconfig("one", current="one", cluster={"certificate-authority": "ca"}), "users": None}
    )
    (folder / "own.crt").write_text("certificate")
    (folder.parent / "own.key").write_text("key")
    (folder / "token").write_text("token")
    (tmp_path / "ca").write_text("authority ü")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KUBECONFIG", "rest:deep/er/users")

    access = load()
    assert access.ca == "authority "
    assert isinstance(access.credentials, TokenFile)
    identity = access.credentials.current()
    assert (identity.certificate, identity.key, identity.token) == ("certificate", "key", "token")


def test_what_is_given_as_data_comes_before_files_and_never_shows(tmp_path: Path) -> None:
    data = {name: base64.b64encode(name.encode()).decode() for name in ("ca", "certificate", "key")}
    path = write(
        tmp_path / "config",
        kubeconfig(
            "one",
            current="one",
            cluster={
                "certificate-authority": "missing",
                "certificate-authority-data": data["ca"],
                "insecure-skip-tls-verify": True,
                "tls-server-name": "name",
                "proxy-url": "http://user:hidden@proxy",
            },
            user={
                "client-certificate": "missing",
                "client-certificate-data": data["certificate"],
                "client-key": "missing",
                "client-key-data": data["key"],
                "token": "hidden",
            },
        ),
    )

    access = load(kubeconfig=path)
    assert (access.ca, access.insecure, access.tls_server_name) == ("ca", True, "name")
    assert access.proxy == "http://user:hidden@proxy"
    assert isinstance(access.credentials, Fixed)
    identity = access.credentials.current()
    assert (identity.certificate, identity.key, identity.token) == ("certificate", "key", "hidden")
    assert "hidden" not in f"{access}{identity}"


def test_a_login_command_is_used_where_there_is_no_token(tmp_path: Path) -> None:
    command = {"apiVersion": "client.authentication.k8s.io/v1", "command": "log-in", "args": None, "env": None}
    path = write(tmp_path / "a", kubeconfig("one", current="one", user={"exec": command}))
    assert isinstance(load(kubeconfig=path).credentials, ExecPlugin)
    path = write(tmp_path / "b", kubeconfig("one", current="one", user={"exec": command, "token": "known"}))
    assert load(kubeconfig=path).credentials.current().token == "known"


def test_yaml_is_read_with_pyyaml_and_json_without(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = """
current-context: one
contexts:
- {name: one, context: {cluster: one, user: ""}}
clusters:
- name: one
  cluster:
    server: https://one.example/
    unknown-key: 2024-01-01
"""
    path = tmp_path / "yaml"
    path.write_text(text)
    assert (load(kubeconfig=str(path)).server, load(kubeconfig=str(path)).context) == ("https://one.example", "one")

    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ConfigError) as caught:
        load(kubeconfig=str(path))
    assert str(caught.value) == (
        f"The kubeconfig {path} is YAML, and PyYAML is not installed. Run `pip install 'penstock[kubernetes]'`."
    )
    assert load(kubeconfig=write(tmp_path / "json", kubeconfig("one", current="one"))).context == "one"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({}, "No context is current in {place}. Choose one with --context: none."),
        (kubeconfig("one"), "No context is current in {place}. Choose one with --context: one."),
        (
            kubeconfig("one", current="two"),
            "There is no context two in {place}. Choose another with --context: one.",
        ),
        (
            {**kubeconfig("one", current="one"), "clusters": None},
            "The context one names the cluster one, which is not in {place}. ",
        ),
        (
            {**kubeconfig("one", current="one"), "users": []},
            "The context one names the user one, which is not in {place}. ",
        ),
        (
            kubeconfig("one", current="one", cluster={"server": "one.example"}),
            "The context one has the server 'one.example', which is no http:// or https:// address. ",
        ),
        (
            kubeconfig("one", current="one", cluster={"certificate-authority-data": "?"}),
            "The context one has a certificate-authority-data that is not base64. ",
        ),
        (
            kubeconfig("one", current="one", cluster={"certificate-authority": "gone"}),
            "The context one has a certificate-authority that cannot be read ([Errno 2] No such file",
        ),
        (
            kubeconfig("one", current="one", user={"client-key-data": "eA=="}),
            "The context one has only one of client-certificate and client-key. ",
        ),
        (
            kubeconfig("one", current="one", user={"auth-provider": {"name": "gcp"}}),
            "The context one logs in with an auth-provider, which Penstock does not support. Use a client certificate",
        ),
        (
            kubeconfig("one", current="one", user={"username": "a", "password": "b"}),
            "The context one logs in with a user name and password, which Penstock does not support. ",
        ),
        (
            kubeconfig("one", current="one", user={"as": "root"}),
            "The context one logs in with impersonation (`as`), which Penstock does not support. ",
        ),
        (
            {"contexts": [{"context": {}}]},
            "The kubeconfig {place}: contexts[0].name is missing, expected a value. Correct the file, or name another",
        ),
        ({"clusters": 3}, "The kubeconfig {place}: clusters is 3, expected a list. "),
        ([1], "The kubeconfig {place} is a list of 1, expected a JSON object. "),
    ],
)
def test_a_kubeconfig_that_gives_no_access_is_told(value: object, message: str, tmp_path: Path) -> None:
    path = write(tmp_path / "config", value)
    with pytest.raises(ConfigError) as caught:
        load(kubeconfig=path)

    assert str(caught.value).startswith(message.format(place=path))
    assert caught.value.exit_code == 69


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\xff\xfe", "cannot be read ("),
        (b"a: [", "is not YAML (while parsing"),
        (b"[" * 100_000, "is n"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_told(data: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(data)
    with pytest.raises(ConfigError) as caught:
        load(kubeconfig=str(tmp_path / "config"))

    assert str(caught.value).startswith(f"The kubeconfig {tmp_path}/config {message}")
    assert str(caught.value).endswith(". Correct the file, or name another in KUBECONFIG.")


def test_a_file_that_is_missing_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/a:{tmp_path}/b")
    with pytest.raises(ConfigError, match=rf"There is no kubeconfig at {tmp_path}/a, {tmp_path}/b\. Log in"):
        load()
