"""Which HTTP proxy leads to a server: one that is configured, else what HTTPS_PROXY and NO_PROXY say."""

import base64
import ipaddress
import os
from dataclasses import dataclass, field
from urllib.parse import SplitResult, unquote, urlsplit

from runner.errors import UnavailableError


class ProxyError(UnavailableError):
    """The proxy is of a kind that is not supported."""


@dataclass(frozen=True, kw_only=True)
class Proxy:
    """An HTTP proxy that is asked for a tunnel, with CONNECT."""

    host: str
    port: int
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    """Headers of the request for the tunnel: the proxy's own credentials."""


def proxy_for(server: SplitResult, configured: str | None) -> Proxy | None:
    """The proxy to use for a server; null for none.

    Args:
        server: the API's base URL.
        configured: URL of a proxy, such as a kubeconfig's. It holds for every host; that of the environment does not.

    Raises:
        ProxyError: it is of another kind than http://.
    """
    url = configured or _from_environment(server)
    if not url:
        return None
    found = urlsplit(url if "://" in url else f"http://{url}")
    shown = f"{found.scheme}://{found.hostname}"
    try:
        port = found.port or 80
    except ValueError:
        port = 0
    if found.scheme != "http" or not found.hostname or not port:
        raise ProxyError(
            f"The proxy {shown} to {server.hostname} is of a kind that Penstock does not support. "
            "Name one that begins with http:// in the kubeconfig's proxy-url or in HTTPS_PROXY, or exempt that host "
            "with NO_PROXY."
        )
    headers = {}
    if found.username is not None:
        login = f"{unquote(found.username)}:{unquote(found.password or '')}"
        headers["Proxy-Authorization"] = f"Basic {base64.b64encode(login.encode()).decode()}"
    return Proxy(host=found.hostname, port=port, headers=headers)


def _from_environment(server: SplitResult) -> str | None:
    name = "HTTPS_PROXY" if server.scheme == "https" else "HTTP_PROXY"
    url = os.environ.get(name) or os.environ.get(name.lower())
    return url if url and not _exempt(server) else None


def _exempt(server: SplitResult) -> bool:
    """Whether NO_PROXY names the server: `*`, a domain, an address, a network; each but a network with a port, or not.

    The machine's own addresses are never reached through a proxy.
    """
    host = (server.hostname or "").rstrip(".")
    port = server.port or (443 if server.scheme == "https" else 80)
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        return True
    rules = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    return any(_names(rule.strip().lower(), host, port, address) for rule in rules.split(",") if rule.strip())


Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def _names(rule: str, host: str, port: int, address: Address | None) -> bool:
    if rule == "*":
        return True
    if "/" in rule:
        try:
            return address is not None and address in ipaddress.ip_network(rule, strict=False)
        except ValueError:
            return False
    if _address(rule) is None:
        parts = urlsplit(f"//{rule}")
        try:
            if parts.port is not None:
                if parts.port != port:
                    return False
                rule = parts.hostname or ""
        except ValueError:
            return False
    if address is not None:
        return _address(rule) == address
    # `.example.com` and `*.example.com` are what is below a domain, `example.com` is the domain as well.
    domain = rule.removeprefix("*")
    return host.endswith(domain) if domain.startswith(".") else host == domain or host.endswith(f".{domain}")


def _address(text: str) -> Address | None:
    try:
        return ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return None
