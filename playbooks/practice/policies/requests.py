"""What a proxy looks at: one request of a protocol above ports."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request by HTTP."""

    method: str = "GET"
    """The method."""
    path: str = "/"
    """The path."""
    host: str = ""
    """The host that is asked for."""
    headers: tuple[tuple[str, str], ...] = ()
    """Other headers: name and value."""


@dataclass(frozen=True, slots=True)
class DnsQuery:
    """One question to a name server."""

    name: str
    """The name; a dot at its end does not matter."""


@dataclass(frozen=True, slots=True)
class KafkaRequest:
    """One request to Kafka."""

    role: str = ""
    """`produce` or `consume`."""
    topic: str = ""
    """The topic."""
    client: str = ""
    """The client's id."""
    key: str = ""
    """The API's key, as `fetch`."""


Request = HttpRequest | DnsQuery | KafkaRequest
"""Any of them."""
