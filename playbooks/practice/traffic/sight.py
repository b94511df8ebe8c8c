"""What an agent sees of a packet or a request: all that does not differ from one call to the next."""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from playbooks.practice.policies.rules import Origin
    from playbooks.practice.traffic.party import Party


class Event(IntEnum):
    """Kinds of events, as the datapath's monitor numbers them."""

    DROP = 1
    TRACE = 4
    POLICY_VERDICT = 5
    ACCESS_LOG = 129


class Point(IntEnum):
    """Where a packet was traced: the event's sub type."""

    TO_ENDPOINT = 0
    TO_PROXY = 1
    TO_STACK = 3
    TO_OVERLAY = 4
    TO_NETWORK = 11


class Ruling(StrEnum):
    """What was decided, as flows name it."""

    FORWARDED = "FORWARDED"
    DROPPED = "DROPPED"
    REDIRECTED = "REDIRECTED"
    AUDIT = "AUDIT"


class Way(StrEnum):
    """The direction of a connection, seen from the endpoint that a node looks after."""

    INGRESS = "INGRESS"
    EGRESS = "EGRESS"


class Http(msgspec.Struct, frozen=True, gc=False):
    """One half of an HTTP exchange."""

    method: str
    url: str
    protocol: str = "HTTP/1.1"
    code: int = 0
    headers: tuple[tuple[str, str], ...] = ()


class Dns(msgspec.Struct, frozen=True, gc=False):
    """One half of a lookup."""

    query: str
    qtypes: tuple[str, ...]
    ips: tuple[str, ...] = ()
    ttl: int = 0
    rcode: int = 0
    rrtypes: tuple[str, ...] = ()
    observation_source: str = "proxy"


class Kafka(msgspec.Struct, frozen=True, gc=False):
    """One half of a Kafka request."""

    api_key: str
    topic: str
    api_version: int = 5
    error_code: int = 0


class Layer7(msgspec.Struct, frozen=True, gc=False):
    """What a proxy saw."""

    is_response: bool
    latency: int = 0
    http: Http | None = None
    dns: Dns | None = None
    kafka: Kafka | None = None


class Sight(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event of every call of a lane; an encoder may keep what it made of it.

    Empty texts and tuples stand for what is left out. Port 0 is that of the client, which differs each time.
    """

    node: str
    event: Event
    verdict: Ruling
    source: Party
    destination: Party
    protocol: str
    source_port: int
    destination_port: int
    direction: Way
    is_reply: bool | None = None
    flags: tuple[str, ...] = ()
    point: Point | None = None
    trace_reason: str = ""
    drop_reason: int = 0
    drop_name: str = ""
    file: str = ""
    line: int = 0
    match: int = 0
    interface: str = ""
    interface_index: int = 0
    proxy_port: int = 0
    allowed_by: tuple[Origin, ...] = ()
    denied_by: tuple[Origin, ...] = ()
    source_service: tuple[str, str] = ("", "")
    destination_service: tuple[str, str] = ("", "")
    l7: Layer7 | None = None

    @property
    def sub_type(self) -> int:
        """The event's sub type: the drop reason, or where a packet was traced."""
        return self.drop_reason if self.event is Event.DROP else int(self.point or 0)

    @property
    def type(self) -> str:
        """`L3_L4` or `L7`."""
        return "L7" if self.event is Event.ACCESS_LOG else "L3_L4"


class Step(msgspec.Struct, frozen=True, gc=False):
    """One event and when it comes."""

    delay: int
    """Nanoseconds after the call begins."""
    size: int
    """Bytes of the packet; 0 for what is no packet."""
    sight: Sight
