"""Where the cluster is and how to log in to it: from a kubeconfig, or from inside a pod.

Guarantees: the same choice as kubectl's from the same files; what is given as data never touches a disk; what is not
supported (auth providers, passwords, impersonation) is refused, never left out.
"""

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from runner.kubernetes.credentials import Credentials, Fixed, Identity, TokenFile
from runner.kubernetes.errors import ConfigError

if TYPE_CHECKING:
    from runner.kubernetes.kubeconfig import Cluster, Context, Kubeconfig, User

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where the kubelet mounts a pod's service account."""


@dataclass(frozen=True, kw_only=True)
class Access:
    """All that is needed to talk to one cluster."""

    server: str
    """Base URL of the API, http:// or https://, with an optional path."""
    context: str | None = None
    """Name of the kubeconfig's context; null inside a pod."""
    namespace: str = "default"
    """Namespace to use where none is named."""
    ca: str | None = field(default=None, repr=False)
    """Certificates to trust, as PEM; null for those that the system trusts."""
    insecure: bool = False
    """Whether any certificate of the server is accepted."""
    tls_server_name: str | None = None
    """Name that the server's certificate must have; null for the host of `server`."""
    proxy: str | None = field(default=None, repr=False)
    """URL of the proxy that the kubeconfig names; null for what the environment variables say."""
    credentials: Credentials = field(default_factory=lambda: Fixed(Identity()), repr=False)
    """Client certificate, token, or a source of them."""

    @property
    def label(self) -> str:
        """The cluster, as the subject of a message."""
        whose = "this pod" if self.context is None else f"context {self.context}"
        return f"The cluster of {whose} ({self.server})"


def load(*, kubeconfig: str | None = None, context: str | None = None) -> Access:
    """The access that is configured here.

    A kubeconfig or context that is given comes first, then $KUBECONFIG (several files are merged), then the service
    account of the pod that this is, then ~/.kube/config.

    Args:
        kubeconfig: path of a kubeconfig.
        context: name of a context; null for the current one.

    Raises:
        ConfigError: nothing is configured, or it cannot be used.
    """
    from_environment = [Path(name) for name in os.environ.get("KUBECONFIG", "").split(os.pathsep) if name]
    if kubeconfig is not None:
        files = [Path(kubeconfig)]
    elif from_environment:
        files = from_environment
    elif context is None and _in_pod():
        return _of_pod()
    else:
        files = [Path("~/.kube/config").expanduser()]
    from runner.kubernetes.kubeconfig import Kubeconfig

    return _of_context(Kubeconfig(files), context)


def _in_pod() -> bool:
    variables = ("KUBERNETES_SERVICE_HOST", "KUBERNETES_SERVICE_PORT")
    return all(os.environ.get(name) for name in variables) and (SERVICE_ACCOUNT / "token").is_file()


def _of_pod() -> Access:
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ["KUBERNETES_SERVICE_PORT"]
    try:
        ca = (SERVICE_ACCOUNT / "ca.crt").read_text()
        namespace = (SERVICE_ACCOUNT / "namespace").read_text().strip()
    except OSError as error:
        raise ConfigError(
            f"The pod's service account is not whole ({error}). Let Kubernetes mount it, or name a file in KUBECONFIG."
        ) from None
    return Access(
        server=f"https://{f'[{host}]' if ':' in host else host}:{port}",
        namespace=namespace,
        ca=ca,
        credentials=TokenFile(SERVICE_ACCOUNT / "token"),
    )


def _of_context(config: "Kubeconfig", wanted: str | None) -> Access:
    name = wanted or config.current
    names = ", ".join(config.contexts) or "none"
    if not name:
        raise ConfigError(f"No context is current in {config.place}. Choose one with --context: {names}.")
    if name not in config.contexts:
        raise ConfigError(f"There is no context {name} in {config.place}. Choose another with --context: {names}.")
    context = config.contexts[name]
    if context.cluster not in config.clusters:
        raise _broken(name, f"names the cluster {context.cluster}, which is not in {config.place}")
    cluster, folder = config.clusters[context.cluster]
    if not _is_address(cluster.server or ""):
        raise _broken(name, f"has the server {cluster.server!r}, which is no http:// or https:// address")
    ca = _pem(name, "certificate-authority", cluster.certificate_authority_data, cluster.certificate_authority, folder)
    return Access(
        server=str(cluster.server).rstrip("/"),
        context=name,
        namespace=context.namespace or "default",
        ca=ca,
        insecure=bool(cluster.insecure_skip_tls_verify),
        tls_server_name=cluster.tls_server_name or None,
        proxy=cluster.proxy_url or None,
        credentials=_credentials(config, name, context, cluster, ca),
    )


def _is_address(server: str) -> bool:
    try:
        parts = urlsplit(server)
        host = (parts.hostname or "").encode("idna")
        return parts.scheme in {"http", "https"} and bool(host) and parts.port != 0
    except ValueError:
        return False


def _credentials(
    config: "Kubeconfig", name: str, context: "Context", cluster: "Cluster", ca: str | None
) -> Credentials:
    if not context.user:
        return Fixed(Identity())
    if context.user not in config.users:
        raise _broken(name, f"names the user {context.user}, which is not in {config.place}")
    user, folder = config.users[context.user]
    _refuse_unsupported(name, user)
    identity = Identity(
        token=(user.token or "").strip() or None,
        certificate=_pem(name, "client-certificate", user.client_certificate_data, user.client_certificate, folder),
        key=_pem(name, "client-key", user.client_key_data, user.client_key, folder),
    )
    if bool(identity.certificate) != bool(identity.key):
        raise _broken(name, "has only one of client-certificate and client-key")
    if user.token_file:
        return TokenFile(folder / user.token_file, certificate=identity.certificate, key=identity.key)
    if user.exec is None or identity.token:
        return Fixed(identity)
    from runner.kubernetes.exec_plugin import ExecPlugin, cluster_info

    return ExecPlugin(user.exec, context=name, folder=folder, cluster=cluster_info(cluster, ca), identity=identity)


def _refuse_unsupported(name: str, user: "User") -> None:
    for found, what in (
        (user.auth_provider, "an auth-provider"),
        (user.username, "a user name and password"),
        (user.impersonate, "impersonation (`as`)"),
    ):
        if found:
            raise ConfigError(
                f"The context {name} logs in with {what}, which Penstock does not support. "
                "Use a client certificate, a token or an exec command, or choose another context with --context."
            )


def _pem(name: str, key: str, data: str | None, file: str | None, folder: Path) -> str | None:
    """PEM from base64, else from a file. Remarks around it may be of any encoding, so what is not ASCII is left out."""
    try:
        if data:
            return base64.b64decode("".join(data.split()), validate=True).decode("ascii", "ignore")
        return (folder / file).read_bytes().decode("ascii", "ignore") if file else None
    except ValueError:
        raise _broken(name, f"has a {key}-data that is not base64") from None
    except OSError as error:
        raise _broken(name, f"has a {key} that cannot be read ({error})") from None


def _broken(name: str, what: str) -> ConfigError:
    return ConfigError(f"The context {name} {what}. Correct the kubeconfig, or choose another context with --context.")
