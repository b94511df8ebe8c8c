"""What becomes of a new connection: the one place that decides it, for maps, flows and logs alike."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

from playbooks.practice.policies.asking import is_allowed
from playbooks.practice.policies.census import End
from playbooks.practice.policies.ends import endpoint_at, find, peer_identity, proxy_of, seen_from
from playbooks.practice.policies.requests import Request
from playbooks.practice.policies.rows import Row
from playbooks.practice.policies.rules import PROTOCOLS, Origin
from playbooks.practice.policies.universe import OF_CLUSTER, OF_MESH, OF_NODES, OF_WORLD, WORLD

__all__ = ("Decision", "Match", "Origin", "Side", "Verdict", "verdict")

if TYPE_CHECKING:
    from playbooks.practice.world import World


class Decision(StrEnum):
    """What one direction says."""

    ALLOWED = "allowed"
    """By a rule, or because nothing is enforced."""
    DENIED = "denied"
    """By a deny rule: drop reason 181."""
    DEFAULT_DENIED = "default-denied"
    """No rule allows it where one must: drop reason 133."""


class Match(IntEnum):
    """What of the packet the deciding entry looked at, as flows number it (`policy_match_type`)."""

    NONE = 0
    L3 = 1
    L3_L4 = 2
    L4 = 3
    ALL = 4
    L3_PROTOCOL = 5
    PROTOCOL = 6


@dataclass(frozen=True, slots=True)
class Side:
    """What the datapath beside one end decides."""

    node: str
    """The node that decides."""
    endpoint: int
    """Number of the endpoint whose policy it is."""
    identity: int
    """Its identity."""
    peer: int
    """Identity of the other end as this node knows it."""
    decision: Decision
    """What is decided."""
    match: Match
    """What the deciding entry looked at; ALL where nothing is enforced."""
    is_enforced: bool = False
    """Whether traffic in this direction is refused unless allowed."""
    is_audited: bool = False
    """Whether a refusal is only written down."""
    origins: tuple[Origin, ...] = ()
    """Who decided; none where nothing is enforced and at a default deny."""
    proxy: str = ""
    """Name of the proxy's listener that it is led to, as `cilium-dns-egress`; empty for none."""
    proxy_port: int = 0
    """That listener's port."""

    @property
    def is_admitted(self) -> bool:
        """Whether packets go on."""
        return self.decision is Decision.ALLOWED or self.is_audited

    @property
    def drop_reason(self) -> int:
        """Number of the drop reason; 0 where packets go on."""
        if self.is_admitted:
            return 0
        return 181 if self.decision is Decision.DENIED else 133


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a new connection in both directions."""

    source: int
    """Identity of the source, as its own side knows it."""
    destination: int
    """Identity of the destination, as its own side knows it."""
    egress: Side | None
    """At the source; nothing where no endpoint is there, or no policy applies to it."""
    ingress: Side | None
    """At the destination; nothing where no endpoint is there, or no policy applies to it."""
    is_request_refused: bool = False
    """Whether a proxy refuses the request itself (HTTP 403, DNS REFUSED), once packets go on."""
    refused_by: str = ""
    """Name of the listener that refuses the request."""

    @property
    def refusing(self) -> Side | None:
        """The side at which packets are dropped, the source's first."""
        for side in (self.egress, self.ingress):
            if side is not None and not side.is_admitted:
                return side
        return None

    @property
    def is_admitted(self) -> bool:
        """Whether packets arrive; the request in them may still be refused."""
        return self.refusing is None

    @property
    def is_served(self) -> bool:
        """Whether the request is let through as well."""
        return self.is_admitted and not self.is_request_refused


def verdict(
    world: World,
    source: str,
    destination: str,
    port: int,
    protocol: str = "TCP",
    l7: Request | None = None,
) -> Verdict:
    """Decide a new connection.

    `source` and `destination` are an IP address or a pod as `namespace/name`. `port` is that of the
    destination after services were resolved (the backend's), for ICMP the type; `protocol` is TCP, UDP, SCTP,
    ICMP or ICMPv6. Replies need no question: they pass. A pod that talks to itself is not looked at.
    Only this cluster's sides decide: what another one of the mesh says must be asked there. Unknown
    addresses are outside of all clusters. Raises `ValueError` for an unknown pod or protocol.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"{protocol!r} is no protocol; there are {', '.join(PROTOCOLS)}")
    ends = _Ends(world, find(world, source), find(world, destination))
    packet = _Packet(PROTOCOLS[protocol], port, l7)
    if ends.source == ends.destination:
        return Verdict(ends.identity(ends.source), ends.identity(ends.destination), None, None)
    sides = [ends.side(packet, is_ingress=is_ingress) for is_ingress in (False, True)]
    refusing = [side.proxy for side, is_refused in filter(None, sides) if is_refused]
    egress, ingress = (found[0] if found else None for found in sides)
    return Verdict(
        ends.identity(ends.source),
        ends.identity(ends.destination),
        egress,
        ingress,
        bool(refusing),
        refusing[0] if refusing else "",
    )


@dataclass(frozen=True, slots=True)
class _Packet:
    protocol: int
    port: int
    request: Request | None


@dataclass(frozen=True, slots=True)
class _Ends:
    """Both ends of a connection."""

    world: World
    source: End
    destination: End

    def identity(self, end: End) -> int:
        """The identity of an end, as its own side knows it."""
        other = self.destination if end is self.source else self.source
        node = end.node or other.node
        return peer_identity(self.world, node, end) if node else WORLD

    def side(self, packet: _Packet, *, is_ingress: bool) -> tuple[Side, bool] | None:
        """What one side decides, and whether its proxy refuses the request."""
        mine, other = (self.destination, self.source) if is_ingress else (self.source, self.destination)
        place = endpoint_at(self.world, mine)
        if place is None:
            return None
        held = place.held(self.world)
        # A packet that arrives tells whom it is from; one that leaves is judged by what its node knows.
        known = other if is_ingress else seen_from(self.world, mine.node, other)
        peer = peer_identity(self.world, mine.node, known)
        direction = held.policy.direction(is_ingress=is_ingress)
        row = place.map(self.world).find(peer, packet.protocol, packet.port, is_egress=not is_ingress)
        side = Side(
            mine.node,
            place.number,
            place.identity,
            peer,
            _decision(row),
            _match(row),
            direction.is_enforced,
            place.is_audited,
            row.origins if row else (),
            *proxy_of(self.world, mine.node, row.kind if row else "", is_ingress=is_ingress),
        )
        if not side.is_admitted or not side.proxy or packet.request is None:
            return side, False
        asked = place.asked(self.world, direction, peer, packet.protocol, packet.port)
        return side, not is_allowed(asked, packet.request)


def _decision(row: Row | None) -> Decision:
    if row is None:
        return Decision.DEFAULT_DENIED
    return Decision.DENIED if row.is_deny else Decision.ALLOWED


def _match(row: Row | None) -> Match:
    if row is None:
        return Match.NONE
    # An entry that stands for many counts as one for everybody.
    is_l3 = row.key.identity not in (0, OF_CLUSTER, OF_MESH, OF_WORLD, OF_NODES)
    if row.key.bits:
        return Match.L3_L4 if is_l3 else Match.L4
    if row.key.protocol:
        return Match.L3_PROTOCOL if is_l3 else Match.PROTOCOL
    return Match.L3 if is_l3 else Match.ALL
