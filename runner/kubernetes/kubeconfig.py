"""Reads kubeconfig files, and merges several as kubectl does.

Guarantees: the first file that has an entry of a name wins with the whole entry, and relative paths are relative to
the file that they stand in. A file that is JSON needs no PyYAML.
"""

import importlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.contract import decode
from runner.errors import ContractError
from runner.kubernetes.errors import ConfigError


def _key(name: str) -> Any:
    return field(default=None, metadata={"key": name})


def _secret(name: str) -> Any:
    return field(default=None, repr=False, metadata={"key": name})


@dataclass(frozen=True, kw_only=True)
class Extension:
    """What a program other than kubectl keeps with an entry."""

    name: str | None = None
    extension: object = None


@dataclass(frozen=True, kw_only=True)
class Cluster:
    """Where a cluster is, and how it is known."""

    server: str | None = None
    certificate_authority: str | None = _key("certificate-authority")
    certificate_authority_data: str | None = _key("certificate-authority-data")
    tls_server_name: str | None = _key("tls-server-name")
    insecure_skip_tls_verify: bool | None = _key("insecure-skip-tls-verify")
    proxy_url: str | None = _key("proxy-url")
    extensions: tuple[Extension, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Variable:
    """An environment variable of a login command."""

    name: str
    value: str = ""


@dataclass(frozen=True, kw_only=True)
class Exec:
    """A login command; see `ExecConfig` in the kubeconfig reference."""

    command: str
    api_version: str | None = _key("apiVersion")
    args: tuple[str, ...] | None = None
    env: tuple[Variable, ...] | None = None
    install_hint: str | None = _key("installHint")
    provide_cluster_info: bool | None = _key("provideClusterInfo")
    interactive_mode: str | None = _key("interactiveMode")


@dataclass(frozen=True, kw_only=True)
class User:
    """Who logs in."""

    client_certificate: str | None = _key("client-certificate")
    client_certificate_data: str | None = _key("client-certificate-data")
    client_key: str | None = _key("client-key")
    client_key_data: str | None = _secret("client-key-data")
    token: str | None = _secret("token")
    token_file: str | None = _key("tokenFile")
    exec: Exec | None = None
    auth_provider: object = _key("auth-provider")
    username: str | None = None
    impersonate: str | None = _key("as")


@dataclass(frozen=True, kw_only=True)
class Context:
    """A cluster, a user and a namespace under one name."""

    cluster: str | None = None
    user: str | None = None
    namespace: str | None = None


@dataclass(frozen=True, kw_only=True)
class NamedCluster:
    """An entry of the list of clusters."""

    name: str
    cluster: Cluster | None = None


@dataclass(frozen=True, kw_only=True)
class NamedUser:
    """An entry of the list of users."""

    name: str
    user: User | None = None


@dataclass(frozen=True, kw_only=True)
class NamedContext:
    """An entry of the list of contexts."""

    name: str
    context: Context | None = None


@dataclass(frozen=True, kw_only=True)
class Document:
    """One kubeconfig file."""

    current_context: str | None = _key("current-context")
    contexts: tuple[NamedContext, ...] | None = None
    clusters: tuple[NamedCluster, ...] | None = None
    users: tuple[NamedUser, ...] | None = None


class Kubeconfig:
    """Several files as one.

    Args:
        files: in order of precedence; those that do not exist are left out.

    Raises:
        ConfigError: a file cannot be read, or none exists.
    """

    def __init__(self, files: Sequence[Path]) -> None:
        self.place = ", ".join(map(str, files))
        self.current: str | None = None
        self.contexts: dict[str, Context] = {}
        self.clusters: dict[str, tuple[Cluster, Path]] = {}
        """By name: the cluster, and the folder that its paths are relative to."""
        self.users: dict[str, tuple[User, Path]] = {}
        """By name: the user, and the folder that its paths are relative to."""
        found = [file for file in files if file.exists()]
        if not found:
            raise ConfigError(
                f"There is no kubeconfig at {self.place}. Log in to a cluster, or name a file in KUBECONFIG."
            )
        for file in found:
            self._add(read(file), file.absolute().parent)

    def _add(self, document: Document, folder: Path) -> None:
        self.current = self.current or document.current_context
        for context in document.contexts or ():
            self.contexts.setdefault(context.name, context.context or Context())
        for cluster in document.clusters or ():
            self.clusters.setdefault(cluster.name, (cluster.cluster or Cluster(), folder))
        for user in document.users or ():
            self.users.setdefault(user.name, (user.user or User(), folder))


def read(file: Path) -> Document:
    """One kubeconfig file.

    Raises:
        ConfigError: it cannot be read, is no kubeconfig, or is YAML and PyYAML is missing.
    """
    subject = f"kubeconfig {file}"
    next_step = "Correct the file, or name another in KUBECONFIG."
    try:
        text = file.read_text()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"The {subject} cannot be read ({reason}). {next_step}") from None
    try:
        value = json.loads(text)
    except ValueError:
        value = _from_yaml(text, subject, next_step)
    except RecursionError:
        raise ConfigError(f"The {subject} is nested too deeply. {next_step}") from None
    try:
        return decode(Document, value or {}, subject=subject, next_step=next_step, warn=lambda _: None)
    except ContractError as error:
        raise ConfigError(f"The {error}") from None


def _from_yaml(text: str, subject: str, next_step: str) -> object:
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        raise ConfigError(
            f"The {subject} is YAML, and PyYAML is not installed. Run `pip install 'penstock[kubernetes]'`."
        ) from None
    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise ConfigError(f"The {subject} is not YAML ({reason}). {next_step}") from None
