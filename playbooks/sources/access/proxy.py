"""Which proxy stands before the API server."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from playbooks.sources.access.options import CannotConnect

SCHEMES = ("http", "https", "socks5", "socks5h")


def proxy_for(server: str, proxy_url: str, environment: Mapping[str, str]) -> str:
    """The proxy's URL, or nothing: the kubeconfig's, else HTTPS_PROXY unless NO_PROXY excepts the server."""
    parts = urlsplit(server)
    source = "proxy-url of the kubeconfig"
    if not proxy_url:
        name = f"{parts.scheme}_proxy"
        proxy_url = environment.get(name.upper()) or environment.get(name) or ""
        source = name.upper()
        if not proxy_url or _is_direct(parts, environment):
            return ""
        if "://" not in proxy_url:
            proxy_url = f"http://{proxy_url}"
    try:
        chosen = urlsplit(proxy_url)
        is_good = chosen.scheme in SCHEMES and bool(chosen.hostname) and chosen.port != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise CannotConnect(
            f"{source} is no proxy", without_userinfo(proxy_url), f"use one of {', '.join(SCHEMES)}"
        )
    return proxy_url


def without_userinfo(url: str) -> str:
    """A URL that may be shown: without user and password."""
    scheme, mark, rest = url.rpartition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}{mark}{host.rpartition('@')[2]}{slash}{path}"


def _is_direct(server: SplitResult, environment: Mapping[str, str]) -> bool:
    host = (server.hostname or "").rstrip(".")
    port = server.port or (443 if server.scheme == "https" else 80)
    address = _address(host)
    if host == "localhost" or (address is not None and address.is_loopback):
        # As in Go: a variable of the environment never sends loopback through a proxy.
        return True
    listed = environment.get("NO_PROXY") or environment.get("no_proxy") or ""
    return any(_covers(entry.strip().lower(), host, port, address) for entry in listed.split(","))


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _covers(
    entry: str, host: str, port: int, address: ipaddress.IPv4Address | ipaddress.IPv6Address | None
) -> bool:
    if not entry:
        return False
    if entry == "*":
        return True
    if address is not None:
        try:
            return address in ipaddress.ip_network(entry, strict=False)
        except ValueError:
            bare, _, named_port = entry.rpartition(":")
            return bare.strip("[]") == str(address) and named_port == str(port)
    bare, colon, named_port = entry.partition(":")
    if colon and named_port != str(port):
        return False
    if bare.startswith(("*.", ".")):
        return host.endswith(bare.lstrip("*"))
    return host == bare or host.endswith(f".{bare}")
