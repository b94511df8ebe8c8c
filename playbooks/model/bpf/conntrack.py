"""The conntrack table of a node, folded while it streams: who holds how many entries, in which state.

Shapes: facts of `cilium-dbg bpf ct list global -o json` (1.14 to 1.20): `[{"Key": …, "Value": …}]`, ports in
network byte order, addresses as arrays of bytes, which in OUT and IN entries stand reversed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from ipaddress import ip_address
from operator import attrgetter
from typing import ClassVar

import msgspec

from playbooks.model.answer import End, Gap
from playbooks.model.bpf.heavy_hitters import HeavyHitters
from playbooks.model.bpf.streaming import Rows
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Way
from playbooks.model.request import Request

TOP = 20
"""How many heavy hitters are kept."""


class Direction(IntEnum):
    """The kind of an entry: the tuple's flags."""

    OUT = 0
    IN = 1
    RELATED_OUT = 2
    RELATED_IN = 3
    SERVICE = 4


class _Key(msgspec.Struct, gc=False, rename="pascal"):
    dest_addr: tuple[int, ...] = ()
    source_addr: tuple[int, ...] = ()
    source_port: int = 0
    dest_port: int = 0
    next_header: int = 0
    flags: int = 0


class _Value(msgspec.Struct, gc=False, rename="pascal"):
    flags: int = 0
    tx_flags_seen: int = 0
    rx_flags_seen: int = 0
    source_security_id: int = msgspec.field(default=0, name="SourceSecurityID")


class _Entry(msgspec.Struct, gc=False, rename="pascal"):
    key: _Key
    value: _Value


_decode = msgspec.json.Decoder(list[_Entry]).decode


@dataclass(frozen=True, slots=True)
class Talker:
    """One side of many connections."""

    address: str
    """Its address."""
    port: int
    """The port on which it is reached; 0 for the side that asks."""
    protocol: int
    """IANA number: 6 TCP, 17 UDP."""
    entries: int
    """How many entries it holds."""


@dataclass(frozen=True, kw_only=True)
class Conntrack(Fact):
    """What a node's conntrack table holds, in numbers."""

    entries: int
    """All entries."""
    by_direction: Counter[int]
    """Entries by tuple flags; see `Direction`."""
    by_protocol: Counter[int]
    """Entries by IANA protocol number."""
    closing: int
    """TCP entries whose both directions have closed."""
    unanswered: int
    """TCP entries in which only one direction ever sent."""
    sources: tuple[Talker, ...]
    """Who opens most, most first."""
    destinations: tuple[Talker, ...]
    """What is reached most, most first."""
    identities: tuple[tuple[int, int], ...]
    """Source identities with their entries, most first."""
    count_error: int
    """By how much a count of a talker may be too small."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


_TCP = 6
_SERVICE = int(Direction.SERVICE)
_CLOSING = 1 | 2


_state_of = attrgetter(
    "key.flags", "key.next_header", "value.flags", "value.tx_flags_seen", "value.rx_flags_seen"
)
_identity_of = attrgetter("value.source_security_id")
# In OUT and IN entries the addresses stand reversed against the ports, in SERVICE entries the ports do.
_source_of = attrgetter("key.dest_addr", "key.next_header")
_destination_of = attrgetter("key.source_addr", "key.dest_port", "key.next_header")
_source_of_service = attrgetter("key.source_addr", "key.next_header")
_destination_of_service = attrgetter("key.dest_addr", "key.source_port", "key.next_header")


@dataclass(slots=True)
class _Fold:
    """Counts entries batch by batch and keeps none of them."""

    rows: Rows[_Entry] = field(default_factory=lambda: Rows(_decode))
    states: Counter[tuple[int, int, int, int, int]] = field(default_factory=Counter)
    sources: HeavyHitters[tuple[tuple[int, ...], int]] = field(default_factory=HeavyHitters)
    destinations: HeavyHitters[tuple[tuple[int, ...], int, int]] = field(default_factory=HeavyHitters)
    identities: Counter[int] = field(default_factory=Counter)

    def feed(self, chunk: bytes) -> None:
        for batch in self.rows.feed(chunk):
            self._count(batch)

    def finish(self, request: Request, end: End) -> Fact | Gap:
        self._count(self.rows.finish())
        directions: Counter[int] = Counter()
        protocols: Counter[int] = Counter()
        closing = unanswered = 0
        for (direction, protocol, flags, tx, rx), entries in self.states.items():
            directions[direction] += entries
            protocols[protocol] += entries
            closing += entries if protocol == _TCP and flags & _CLOSING == _CLOSING else 0
            unanswered += entries if protocol == _TCP and (tx != 0) != (rx != 0) else 0
        return Conntrack(
            provenance=Provenance.of(request, end),
            entries=sum(directions.values()),
            by_direction=directions,
            by_protocol=protocols,
            closing=closing,
            unanswered=unanswered,
            sources=tuple(Talker(_address(a), 0, p, n) for (a, p), n in self.sources.top(TOP)),
            destinations=tuple(
                Talker(_address(a), _port(port), p, n) for (a, port, p), n in self.destinations.top(TOP)
            ),
            identities=tuple(self.identities.most_common(TOP)),
            count_error=max(self.sources.error, self.destinations.error),
        )

    def _count(self, batch: list[_Entry]) -> None:
        # Only attrgetter and Counter touch each entry: both run in C, which is what half a million rows need.
        self.states.update(map(_state_of, batch))
        self.identities.update(map(_identity_of, batch))
        services = [entry for entry in batch if entry.key.flags == _SERVICE]
        others = [entry for entry in batch if entry.key.flags != _SERVICE] if services else batch
        self.sources.update(map(_source_of, others))
        self.destinations.update(map(_destination_of, others))
        self.sources.update(map(_source_of_service, services))
        self.destinations.update(map(_destination_of_service, services))


def _port(network: int) -> int:
    """A port in network byte order, as a little-endian node prints it."""
    return ((network & 0xFF) << 8) | (network >> 8 & 0xFF)


def _address(octets: tuple[int, ...]) -> str:
    try:
        return str(ip_address(bytes(octets)))
    except ValueError:
        return ".".join(map(str, octets)) or "?"


def _ask(*argv: str) -> Callable[[Scene], Request | Gap]:
    def ask(scene: Scene) -> Request | Gap:
        agents = scene.get(Agents)
        agent = agents if isinstance(agents, Gap) else agents.on(scene.node)
        return agent if isinstance(agent, Gap) else agent.command(*argv, is_heavy=True)

    return ask


Conntrack.ways = (
    Way("conntrack JSON", _ask("cilium-dbg", "bpf", "ct", "list", "global", "-o", "json"), _Fold),
)
