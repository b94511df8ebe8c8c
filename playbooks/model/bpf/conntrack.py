"""The conntrack table of a node, folded while it streams: who holds how many entries, in which state.

Shapes: facts of `cilium-dbg bpf ct list global -o json` (1.14 to 1.20): `[{"Key": …, "Value": …}]`, ports in
network byte order, addresses as arrays of bytes, which in OUT and IN entries stand reversed. Its text has
one line for each entry, nothing reversed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import IntEnum
from itertools import compress
from operator import attrgetter, itemgetter, not_
from typing import ClassVar

import msgspec
from msgspec.structs import astuple

from playbooks.model.answer import End, Gap
from playbooks.model.bpf.dumps import address_in, address_of, folded, port_of, protocol_in
from playbooks.model.bpf.heavy_hitters import HeavyHitters
from playbooks.model.bpf.streaming import Lines, Rows
from playbooks.model.cilium.agent.commands import asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Provenance, Scope, Way
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
    # In the order of the agent's JSON, which decodes fastest.
    dest_addr: tuple[int, ...]
    source_addr: tuple[int, ...]
    dest_port: int
    source_port: int
    next_header: int
    flags: int


class _Value(msgspec.Struct, gc=False, rename="pascal"):
    flags: int
    tx_flags_seen: int
    rx_flags_seen: int
    source_security_id: int = msgspec.field(name="SourceSecurityID")


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
    """IANA number: 6 TCP, 17 UDP; 0 for the side that asks."""
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


def _fact(
    provenance: Provenance,
    states: Counter[tuple[int, int, int, int, int]],
    sources: list[Talker],
    destinations: list[Talker],
    identities: Counter[int],
    error: int,
) -> Conntrack:
    directions: Counter[int] = Counter()
    protocols: Counter[int] = Counter()
    closing = unanswered = 0
    for (direction, protocol, flags, tx, rx), entries in states.items():
        directions[direction] += entries
        protocols[protocol] += entries
        closing += entries if protocol == _TCP and flags & _CLOSING == _CLOSING else 0
        unanswered += entries if protocol == _TCP and (tx != 0) != (rx != 0) else 0
    return Conntrack(
        provenance=provenance,
        entries=sum(directions.values()),
        by_direction=directions,
        by_protocol=protocols,
        closing=closing,
        unanswered=unanswered,
        sources=tuple(sources),
        destinations=tuple(destinations),
        identities=tuple(identities.most_common(TOP)),
        count_error=error,
    )


_key_of, _value_of = attrgetter("key"), attrgetter("value")


@dataclass(slots=True)
class _Fold:
    """Counts entries batch by batch and keeps none of them."""

    rows: Rows[_Entry] = field(default_factory=lambda: Rows(_decode))
    states: Counter[tuple[int, int, int, int, int]] = field(default_factory=Counter)
    sources: HeavyHitters[tuple[int, ...]] = field(default_factory=HeavyHitters)
    destinations: HeavyHitters[tuple[tuple[int, ...], int, int]] = field(default_factory=HeavyHitters)
    identities: Counter[int] = field(default_factory=Counter)

    def feed(self, chunk: bytes) -> None:
        for batch in self.rows.feed(chunk):
            self._count(batch)

    def finish(self, request: Request, end: End) -> Fact | Gap:
        self._count(self.rows.finish())
        return _fact(
            Provenance.of(request, end),
            self.states,
            [Talker(address_of(a), 0, 0, n) for a, n in self.sources.top(TOP)],
            [Talker(address_of(a), port_of(port), p, n) for (a, port, p), n in self.destinations.top(TOP)],
            self.identities,
            max(self.sources.error, self.destinations.error),
        )

    def _count(self, batch: list[_Entry]) -> None:
        if not batch:
            return
        # Only map, zip and Counter touch each entry: they run in C, which half a million rows need.
        firsts, seconds, first_ports, second_ports, protocols, directions = zip(
            *map(astuple, map(_key_of, batch)), strict=True
        )
        flags, sent, received, identities = zip(*map(astuple, map(_value_of, batch)), strict=True)
        self.states.update(zip(directions, protocols, flags, sent, received, strict=True))
        self.identities.update(identities)
        if _SERVICE in directions:
            is_service = list(map(_SERVICE.__eq__, directions))
            self.sources.update(compress(seconds, is_service))
            self.destinations.update(compress(zip(firsts, second_ports, protocols, strict=True), is_service))
            others = list(map(not_, is_service))
            self.sources.update(compress(firsts, others))
            self.destinations.update(compress(zip(seconds, first_ports, protocols, strict=True), others))
        else:
            self.sources.update(firsts)
            self.destinations.update(zip(seconds, first_ports, protocols, strict=True))


_LINE = re.compile(
    r"^(\w+) (OUT|IN|SVC) (\S+):\d+ -> (\S+):(\d+) ((?:related |service )*)expires=.*? RxFlagsSeen=0x(\w+) "
    r".*?TxFlagsSeen=0x(\w+) .*?Flags=0x(\w+) .*?SourceSecurityID=(\d+) ?.*$",
    re.MULTILINE,
)
_DIRECTIONS = {"OUT": Direction.OUT, "IN": Direction.IN, "SVC": Direction.SERVICE}
_RELATED = 2
_text_state_of = itemgetter(1, 5, 0, 8, 7, 6)
_text_source_of = itemgetter(2)
_text_destination_of = itemgetter(3, 4, 0)
_text_identity_of = itemgetter(9)


@dataclass(slots=True)
class _TextFold:
    """Counts lines and keeps none of them."""

    lines: Lines = field(default_factory=lambda: Lines(_LINE))
    states: Counter[tuple[str, ...]] = field(default_factory=Counter)
    sources: HeavyHitters[str] = field(default_factory=HeavyHitters)
    destinations: HeavyHitters[tuple[str, str, str]] = field(default_factory=HeavyHitters)
    identities: Counter[str] = field(default_factory=Counter)

    def feed(self, chunk: bytes) -> None:
        self._count(self.lines.feed(chunk))

    def finish(self, request: Request, end: End) -> Fact | Gap:
        self._count(self.lines.finish(is_truncated=end.is_truncated))
        states: Counter[tuple[int, int, int, int, int]] = Counter()
        for (way, related, protocol, *flags), entries in self.states.items():
            direction = _DIRECTIONS[way] | (_RELATED if "related" in related else 0)
            known = (direction, protocol_in(protocol), *(int(part, 16) for part in flags))
            states[known] += entries  # type: ignore[index]
        top = self.destinations.top(TOP)
        return _fact(
            Provenance.of(request, end),
            states,
            [Talker(address_in(a.strip("[]")), 0, 0, n) for a, n in self.sources.top(TOP)],
            [Talker(address_in(a.strip("[]")), int(port), protocol_in(p), n) for (a, port, p), n in top],
            Counter({int(identity): entries for identity, entries in self.identities.items()}),
            max(self.sources.error, self.destinations.error),
        )

    def _count(self, rows: Iterable[tuple[str, ...]]) -> None:
        batch = list(rows)
        self.states.update(map(_text_state_of, batch))
        self.sources.update(map(_text_source_of, batch))
        self.destinations.update(map(_text_destination_of, batch))
        self.identities.update(map(_text_identity_of, batch))


_LIST = ("cilium-dbg", "bpf", "ct", "list", "global")
Conntrack.ways = (
    folded("conntrack JSON", asks(*_LIST, "-o", "json", is_heavy=True), _Fold),
    folded("conntrack with ages as text", asks(*_LIST, "-d", is_heavy=True), _TextFold),
    folded("conntrack as text", asks(*_LIST, is_heavy=True), _TextFold),
)
