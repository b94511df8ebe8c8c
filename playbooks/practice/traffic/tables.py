"""What the maps of a node hold of the traffic: tracked connections and translated addresses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

from playbooks.practice.naming import stable
from playbooks.practice.traffic.lane import SECOND, Lane, Outcome
from playbooks.practice.traffic.sequences import RETRIES

if TYPE_CHECKING:
    from playbooks.practice.world import World

CLOSED, OPENING, DATAGRAM = 10, 60, 60
"""Seconds that entries outlive their last packet: of a closed, of an unanswered connection, without one."""
_SEEN_ALL, _SEEN_SYN, _SEEN_RESET = 0x1B, 0x02, 0x14
_CLOSING, _NOT_ONLY_SYN, _REDIRECTED = 0x03, 0x10, 0x40


class Kind(IntEnum):
    """The kind of an entry: the tuple's flags."""

    OUT = 0
    IN = 1


@dataclass(frozen=True, slots=True)
class Tracked:
    """One tracked connection, on one side of it."""

    kind: Kind
    """Whose side."""
    protocol: str
    """TCP or UDP."""
    client: str
    """Who asked."""
    client_port: int
    """From which port."""
    server: str
    """Who was asked."""
    server_port: int
    """On which port."""
    identity: int
    """The asking side's identity."""
    expires: int
    """When the entry may go: seconds since the node started."""
    sent: int
    """When the asking side was last seen; the same."""
    answered: int
    """When the asked side was; 0 for never, in TCP."""
    sent_flags: int
    """TCP flags that the asking side has shown."""
    answered_flags: int
    """Those of the asked side."""
    flags: int
    """State of the entry."""


@dataclass(frozen=True, slots=True)
class Translated:
    """One connection that leaves with the node's address."""

    protocol: str
    """TCP or UDP."""
    client: str
    """Who asked."""
    port: int
    """From which port, before and after."""
    address: str
    """The address that others see."""
    server: str
    """Who was asked."""
    server_port: int
    """On which port."""
    created: int
    """When: seconds since the node started."""


def uptime(world: World, node: str) -> int:
    """Seconds since a node was started, as its kernel counts them."""
    return _seconds(world, node, world.traffic.now)


def tracked(world: World, node: str) -> Iterator[Tracked]:
    """The connection table of a node, oldest calls first within a lane."""
    for lane, number in _alive(world, node):
        last = lane.begins(number) + (RETRIES[-1] if lane.outcome is Outcome.DROPPED else lane.duration)
        for kind in _kinds(lane, node):
            yield _entry(lane, number, kind, _seconds(world, node, last))


def translated(world: World, node: str) -> Iterator[Translated]:
    """The table of translations of a node, one for the two entries that each has."""
    for lane, number in _alive(world, node):
        if lane.masquerade and lane.client.node == node:
            yield Translated(
                lane.protocol,
                lane.client.ip,
                lane.client_port(number),
                lane.masquerade,
                lane.server.ip,
                lane.port,
                _seconds(world, node, lane.begins(number)),
            )


def _alive(world: World, node: str) -> Iterator[tuple[Lane, int]]:
    """Calls of which the node still remembers something."""
    traffic = world.traffic
    now = traffic.now
    for period in traffic.periods(max(now - (OPENING + 10) * SECOND, 0), now):
        for lane in period.lanes:
            if not _kinds(lane, node):
                continue
            border = now - _kept(lane) * SECOND - lane.duration
            for number in lane.numbers(max(period.begin, border + 1), period.end):
                yield lane, number


def _kinds(lane: Lane, node: str) -> tuple[Kind, ...]:
    if not lane.steps or (lane.drops_at == lane.client.node and not _passed_egress(lane)):
        return ()
    is_out = lane.client.is_endpoint and lane.client.node == node
    is_in = lane.server.is_endpoint and lane.server.node == node and lane.outcome is not Outcome.DROPPED
    return (*((Kind.OUT,) if is_out else ()), *((Kind.IN,) if is_in else ()))


def _passed_egress(lane: Lane) -> bool:
    refusing = lane.verdict.refusing
    return refusing is not None and refusing is lane.verdict.ingress


def _kept(lane: Lane) -> int:
    if lane.protocol == "UDP":
        return DATAGRAM
    return OPENING if lane.outcome is Outcome.DROPPED else CLOSED


def _seconds(world: World, node: str, moment: int) -> int:
    started_before = stable(f"{world.network.nodes[node].boot_id} uptime", 3_000, 90_000)
    return started_before + moment // SECOND


def _entry(lane: Lane, number: int, kind: Kind, last: int) -> Tracked:
    is_tcp = lane.protocol == "TCP"
    is_answered = lane.outcome is not Outcome.DROPPED
    flags, sent, answered = 0, 0, 0
    if is_tcp:
        flags = _CLOSING | _NOT_ONLY_SYN if is_answered else 0
        sent = _SEEN_SYN if lane.outcome in (Outcome.DROPPED, Outcome.RESET) else _SEEN_ALL
        answered = (_SEEN_RESET if lane.outcome is Outcome.RESET else _SEEN_ALL) if is_answered else 0
    egress = lane.verdict.egress
    if kind is Kind.OUT and egress is not None and egress.proxy and is_answered:
        flags |= _REDIRECTED
    return Tracked(
        kind,
        lane.protocol,
        lane.client.ip,
        lane.client_port(number),
        lane.server.ip,
        lane.port,
        lane.client.identity,
        last + _kept(lane),
        last,
        last if is_answered else 0,
        sent,
        answered,
        flags,
    )
