"""One thing that a program asks for, again and again, as data."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit

from playbooks.practice.objects import Json

_PORTS = {"http": 80, "dns": 53, "kafka": 9092}
_FIELDS = frozenset(
    {
        "from",
        "to",
        "every",
        "method",
        "status",
        "latency",
        "bytes",
        "reply",
        "api",
        "topic",
        "keeps",
        "through",
    }
)


class Scheme(StrEnum):
    """What a call speaks."""

    HTTP = "http"
    TCP = "tcp"
    UDP = "udp"
    DNS = "dns"
    KAFKA = "kafka"


@dataclass(frozen=True, slots=True)
class Call:
    """One call that every pod of a client makes at a steady pace."""

    namespace: str
    """Namespace of the clients; empty for somebody outside of the cluster."""
    app: str
    """Value of their label `app`, or the address of somebody outside."""
    scheme: Scheme
    """What is spoken."""
    host: str
    """A name or an address."""
    port: int
    """The port that is asked."""
    every: float
    """Seconds from one call of a pod to its next."""
    path: str = "/"
    """Path of an HTTP request."""
    method: str = "GET"
    """Method of an HTTP request."""
    status: int = 200
    """Status that the server answers with."""
    latency: float = 2.0
    """Milliseconds that the server takes."""
    size: int = 50
    """Bytes of the answer."""
    reply: str = ""
    """What a TCP server says."""
    api: str = "produce"
    """Kafka's name of the request."""
    topic: str = ""
    """The topic of a Kafka request."""
    through: str = ""
    """`ingress` for a client outside whose request the proxy of Ingress passes on."""
    keeps: bool = False
    """Whether each pod asks from one connected socket all its life, which no agent can end."""

    @property
    def is_from_outside(self) -> bool:
        """Whether somebody outside of the cluster asks."""
        return not self.namespace and bool(self.app)

    @property
    def protocol(self) -> str:
        """TCP or UDP."""
        return "UDP" if self.scheme in (Scheme.UDP, Scheme.DNS) else "TCP"

    @property
    def url(self) -> str:
        """What is asked for, as a URL."""
        default = _PORTS.get(self.scheme)
        host = f"[{self.host}]" if ":" in self.host else self.host
        place = host if self.port == default else f"{host}:{self.port}"
        return f"{self.scheme}://{place}{self.path if self.scheme is Scheme.HTTP else ''}"

    @property
    def title(self) -> str:
        """What is asked for, as the client's log has it."""
        if self.scheme is Scheme.HTTP:
            return f"http:{self.url}"
        return f"dns:{self.host}" if self.scheme is Scheme.DNS else self.url.replace("://", ":", 1)


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def call_of(row: Json) -> Call:
    """The call that a row of data describes. Raises `ValueError` for one that makes no sense."""
    unknown = row.keys() - _FIELDS
    if unknown:
        raise ValueError(f"a call has unknown fields: {', '.join(sorted(unknown))}")
    namespace, slash, app = str(row.get("from", "")).rpartition("/")
    parts = urlsplit(str(row.get("to", "")))
    is_told = bool(slash) or _is_address(app)
    if not is_told or parts.scheme not in tuple(Scheme) or not parts.hostname:
        raise ValueError(f"a call needs `from: namespace/app` or an address, `to: scheme://host`, not {row}")
    scheme = Scheme(parts.scheme)
    port = parts.port or _PORTS.get(scheme)
    every = float(row.get("every", 5))
    if port is None or every <= 0:
        raise ValueError(f"a call needs a port and a pace above zero: {row}")
    given: Json = {
        key: row[key]
        for key in ("method", "status", "latency", "reply", "api", "topic", "keeps", "through")
        if key in row
    }
    if "bytes" in row:
        given["size"] = row["bytes"]
    return Call(namespace, app, scheme, parts.hostname, port, every, parts.path or "/", **given)
