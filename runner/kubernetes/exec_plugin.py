"""Runs the login command of a kubeconfig (`client.authentication.k8s.io`), as kubectl does.

Guarantees: however many threads ask, the command runs once, and again only when what it gave has expired or was
refused. What it prints on stderr is shown when it may ask the user, and else kept for the error message.
"""

import base64
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from runner.kubernetes.credentials import Identity
from runner.kubernetes.errors import ConfigError
from runner.kubernetes.kubeconfig import Cluster, Exec

GROUP = "client.authentication.k8s.io"
VERSIONS = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
MODES = ("Never", "IfAvailable", "Always")
RUN_SECONDS = 60.0
"""Longest run of a command that asks nobody: logging in takes a few calls over the network."""


def cluster_info(cluster: Cluster, ca: str | None) -> dict[str, object]:
    """The cluster as the command is told of it, when it wants to know."""
    extensions = {item.name: item.extension for item in cluster.extensions or ()}
    told = {
        "server": cluster.server,
        "tls-server-name": cluster.tls_server_name,
        "insecure-skip-tls-verify": cluster.insecure_skip_tls_verify,
        "certificate-authority-data": base64.b64encode(ca.encode()).decode() if ca else None,
        "proxy-url": cluster.proxy_url,
        "config": extensions.get(f"{GROUP}/exec"),
    }
    return {key: value for key, value in told.items() if value}


class ExecPlugin:
    """Identities from a login command.

    Args:
        settings: the kubeconfig's `exec`.
        context: name of the context, for messages.
        folder: what a command with a slash in it is relative to.
        cluster: the cluster as the command is told of it; see `cluster_info`.
        identity: client certificate and key of the user, for a command that gives a token only.

    Raises:
        ConfigError: the settings are not of a supported version or mode.
    """

    def __init__(
        self, settings: Exec, *, context: str, folder: Path, cluster: Mapping[str, object], identity: Identity
    ) -> None:
        if settings.api_version not in VERSIONS:
            raise self._error(
                context, f"is of the version {settings.api_version}, and {' or '.join(VERSIONS)} are known", "Update it"
            )
        if settings.interactive_mode and settings.interactive_mode not in MODES:
            raise self._error(context, f"has the interactiveMode {settings.interactive_mode}", "Correct it")
        self._settings = settings
        self._context = context
        self._command = str(folder / settings.command) if "/" in settings.command else settings.command
        self._cluster = cluster
        self._fallback = identity
        self._lock = threading.Lock()
        self._identity: Identity | None = None
        self._expires: float | None = None

    def current(self) -> Identity:
        """See `Credentials.current`.

        Raises:
            ConfigError: the command is missing, fails, or answers what is no credential.
        """
        with self._lock:
            if self._identity is None or (self._expires is not None and time.time() >= self._expires):
                self._log_in()
            return self._identity or Identity()

    def renew(self, refused: Identity) -> bool:
        """See `Credentials.renew`."""
        with self._lock:
            if self._identity == refused:  # no other thread has renewed it meanwhile
                self._log_in()
            return self._identity != refused

    def _log_in(self) -> None:
        self._identity, self._expires = self._read(self._run())

    def _run(self) -> bytes:
        settings = self._settings
        interactive = settings.interactive_mode != "Never" and sys.stdin is not None and sys.stdin.isatty()
        if settings.interactive_mode == "Always" and not interactive:
            raise self._failed("wants to ask you, and there is no terminal", "Log in on a terminal first")
        spec = {"interactive": interactive, **({"cluster": self._cluster} if settings.provide_cluster_info else {})}
        info = {"kind": "ExecCredential", "apiVersion": settings.api_version, "spec": spec}
        try:
            child = subprocess.Popen(
                [self._command, *(settings.args or ())],
                env={
                    **os.environ,
                    **{variable.name: variable.value for variable in settings.env or ()},
                    "KUBERNETES_EXEC_INFO": json.dumps(info),
                },
                stdin=None if interactive else subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=None if interactive else subprocess.PIPE,
            )
        except OSError as error:
            hint = " ".join(re.sub(r"\x1b\[[0-9;]*[A-Za-z]", "", settings.install_hint or "").split())
            raise self._failed(f"cannot be run ({error.strerror})", hint.rstrip(".") or "Install it") from None
        with child:
            try:
                output, errors = child.communicate(timeout=None if interactive else RUN_SECONDS)
            except subprocess.TimeoutExpired:
                child.kill()
                raise self._failed(f"was not done after {RUN_SECONDS:.0f} s", "Run it by hand") from None
            except BaseException:
                child.kill()
                raise
        if child.returncode:
            last = (errors or b"").decode(errors="replace").strip().splitlines()[-1:]
            raise self._failed(
                f"failed ({last[0].strip() if last else f'exit code {child.returncode}'})", "Log in again"
            )
        return output

    def _read(self, output: bytes) -> tuple[Identity, float | None]:
        try:
            answer: Any = json.loads(output)
            status = answer["status"]
            version, kind, expires = answer["apiVersion"], answer["kind"], status.get("expirationTimestamp")
            identity = Identity(
                token=(status.get("token") or "").strip() or None,
                certificate=status.get("clientCertificateData") or self._fallback.certificate,
                key=status.get("clientKeyData") or self._fallback.key,
            )
            deadline = datetime.fromisoformat(expires).timestamp() if expires else None
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise self._failed("answered what is no ExecCredential", "Run it by hand") from None
        if (version, kind) != (self._settings.api_version, "ExecCredential"):
            raise self._failed(f"answered a {kind} of {version}, not of {self._settings.api_version}", "Update it")
        texts = (identity.token, identity.certificate, identity.key)
        if not any(texts) or not all(isinstance(text, str | None) for text in texts):
            raise self._failed("gave neither a token nor a client certificate", "Log in again")
        return identity, deadline

    def _failed(self, what: str, next_step: str) -> ConfigError:
        return self._error(f"{self._context}, `{self._command}`,", what, next_step)

    @staticmethod
    def _error(context: str, what: str, next_step: str) -> ConfigError:
        return ConfigError(
            f"The login command of context {context} {what}. {next_step}, or choose another context with --context."
        )
