"""Who talks to whom: events and attempts by workload, port, verdict and drop reason, and edges of a map."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from enum import StrEnum
from typing import NamedTuple

import msgspec

from playbooks.model.hubble.aggregation.tally import RATE, Recent, Row, Tally
from playbooks.model.hubble.seen import Seen

VERDICT_FORWARDED, VERDICT_DROPPED, VERDICT_REDIRECTED = 1, 2, 5
"""`flow.Verdict`."""

_SOCKET = 7

Connection = tuple[str, int, str, int, str]
"""Client and server address and port, and protocol."""


class Lane(NamedTuple):
    """Everything by which traffic is told apart at once."""

    client: str
    """Workload that opened the connection, as far as Hubble tells; a DNS name for what is outside."""
    server: str
    """Workload at the other end."""
    protocol: str
    """`TCP`, `UDP` …; empty when not told."""
    port: int
    """The server's port; 0 for protocols without ports."""
    verdict: int
    """`flow.Verdict`."""
    drop_reason: int
    """`flow.DropReason`; 0 for none."""
    is_reply: bool
    """Whether these events are answers."""


_Lane = tuple[str, str, str, int, int, int, bool]


class By(StrEnum):
    """What traffic can be summed up by."""

    CLIENT = "client"
    SERVER = "server"
    PORT = "port"
    VERDICT = "verdict"
    DROP_REASON = "drop reason"
    EDGE = "edge"


_PARTS: dict[By, Callable[[Lane], Hashable]] = {
    By.CLIENT: lambda lane: lane.client,
    By.SERVER: lambda lane: lane.server,
    By.PORT: lambda lane: (lane.protocol, lane.port),
    By.VERDICT: lambda lane: lane.verdict,
    By.DROP_REASON: lambda lane: lane.drop_reason,
    By.EDGE: lambda lane: (lane.client, lane.server, lane.protocol, lane.port),
}


class Edge(msgspec.Struct, frozen=True):
    """One arrow of a service map."""

    client: str
    """Workload that opens connections."""
    server: str
    """Workload that they go to."""
    protocol: str
    """`TCP`, `UDP` …"""
    port: int
    """The server's port."""
    attempts: int
    """Distinct connections."""
    events: dict[int, int]
    """Events by `flow.Verdict`."""
    drop_reasons: tuple[int, ...]
    """`flow.DropReason` of what was dropped."""
    last: int
    """Nanoseconds since 1970 of the last event."""


class Traffic:
    """Counts flows by lane; a drop and its policy verdict are two events and one attempt."""

    def __init__(self) -> None:
        """Nothing is counted."""
        self.lanes: Tally[_Lane] = Tally()
        """The finest rows, by what `Lane` is made of."""
        self._attempts: dict[By, Counter[Hashable]] = {by: Counter() for by in By}
        self._recent = Recent(limit=400_000)

    @property
    def is_exact(self) -> bool:
        """Whether every event is in a row and every attempt is counted once."""
        return self.lanes.is_exact and self._recent.is_exact

    def add(self, flows: Sequence[Seen], now: int = 0) -> None:
        """Count a batch that arrived now (0: not live)."""
        if not flows:
            return
        lanes, connections = _keys(flows)
        times = [flow.time for flow in flows]
        if fresh := self.lanes.add(lanes, times, connections, now):
            self._note([(Lane(*lane), connection) for lane, connection in fresh], max(times))

    def rows(self, by: By, now: int = 0) -> list[Row[Hashable]]:
        """Rows of a kind, those with most events first; drops only where it is by drop reason."""
        part = _PARTS[by]
        found: dict[Hashable, list[Row[Lane]]] = defaultdict(list)
        for row in self._rows(now):
            if by is not By.DROP_REASON or row.key.drop_reason:
                found[part(row.key)].append(row)
        rows = [_sum(key, lanes, self._attempts[by][key]) for key, lanes in found.items()]
        return sorted(rows, key=lambda row: -row.events)

    def edges(self) -> list[Edge]:
        """The arrows of a service map, those with most attempts first; nothing without both ends."""
        found: dict[Hashable, list[Row[Lane]]] = defaultdict(list)
        for row in self._rows():
            if row.key.client and row.key.server:
                found[_PARTS[By.EDGE](row.key)].append(row)
        edges = (_edge(rows, self._attempts[By.EDGE][key]) for key, rows in found.items())
        return sorted(edges, key=lambda edge: -edge.attempts)

    def _rows(self, now: int = 0) -> Iterator[Row[Lane]]:
        for row in self.lanes.rows(now):
            yield Row(Lane(*row.key), row.events, row.attempts, row.first, row.last, row.rate)

    def _note(self, fresh: list[tuple[Lane, Hashable]], time: int) -> None:
        """Count new attempts of lanes also by each part of a lane, where the connection is new to that."""
        keys = [(by, part(lane)) for lane, _ in fresh for by, part in _PARTS.items()]
        hashes = [
            hash((by, part(lane), connection)) for lane, connection in fresh for by, part in _PARTS.items()
        ]
        new = self._recent.fresh(hashes, time)
        for (by, key), one in zip(keys, hashes, strict=True):
            if one in new:
                new.discard(one)
                self._attempts[by][key] += 1


def _keys(flows: Sequence[Seen]) -> tuple[list[_Lane], list[Connection | None]]:
    """Lane and connection of each flow, from the client's side; answers lie in the lane of what they answer.

    One loop without calls, and plain tuples: this is done for every flow there is.
    """
    lanes: list[_Lane] = []
    connections: list[Connection | None] = []
    for flow in flows:
        l4, ip = flow.l4, flow.ip
        is_socket = flow.event_type == _SOCKET
        if flow.names is None and not is_socket:
            source, destination = flow.source.workload, flow.destination.workload
        else:
            source, destination = party(flow, is_source=True), party(flow, is_source=False)
        kind, source_port, destination_port = l4.protocol, l4.source_port, l4.destination_port
        verdict, reason = flow.verdict, flow.drop_reason
        if flow.is_reply:
            lanes.append((destination, source, kind, source_port, verdict, reason, True))
            connections.append((ip.destination, destination_port, ip.source, source_port, kind))
        else:
            lanes.append((source, destination, kind, destination_port, verdict, reason, False))
            # What a socket asks for comes before there is a connection.
            ends = None if is_socket else (ip.source, source_port, ip.destination, destination_port, kind)
            connections.append(ends)
    return lanes, connections


def party(flow: Seen, *, is_source: bool) -> str:
    """A side by name: its workload, else a service or a DNS name, else its identity or its address."""
    endpoint = flow.source if is_source else flow.destination
    service = flow.source_service if is_source else flow.destination_service
    names = flow.source_names if is_source else flow.destination_names
    if (service or names) and not endpoint.namespace:
        return service or names[0]
    return endpoint.workload or (flow.ip.source if is_source else flow.ip.destination)


def connection(flow: Seen) -> Connection | None:
    """The connection of a flow, from the client's side; None for what sockets did before there was one."""
    if flow.event_type == _SOCKET:
        return None
    ip, l4 = flow.ip, flow.l4
    if flow.is_reply:
        return ip.destination, l4.destination_port, ip.source, l4.source_port, l4.protocol
    return ip.source, l4.source_port, ip.destination, l4.destination_port, l4.protocol


def _sum(key: Hashable, rows: Sequence[Row[Lane]], attempts: int) -> Row[Hashable]:
    rates = [row.rate for row in rows if row.rate is not None]
    return Row(
        key,
        sum(row.events for row in rows),
        attempts,
        min((row.first for row in rows if row.first), default=0),
        max(row.last for row in rows),
        round(sum(rates) * RATE) / RATE if rates else None,
    )


def _edge(rows: Sequence[Row[Lane]], attempts: int) -> Edge:
    lane = rows[0].key
    events: Counter[int] = Counter()
    for row in rows:
        events[row.key.verdict] += row.events
    reasons = sorted({row.key.drop_reason for row in rows if row.key.drop_reason})
    last = max(row.last for row in rows)
    return Edge(
        lane.client, lane.server, lane.protocol, lane.port, attempts, dict(events), tuple(reasons), last
    )
