"""How often entries of policy maps decided."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbooks.practice.policies.ends import Place
from playbooks.practice.policies.rows import Key
from playbooks.practice.policies.rules import PROTOCOLS
from playbooks.practice.policies.verdicts import Side

if TYPE_CHECKING:
    from playbooks.practice.traffic.lane import Lane
    from playbooks.practice.world import World

# A call by TCP is a handshake, a request, acknowledgements and an end; a refused one is tried again once.
_PACKETS = {("TCP", True): 5, ("TCP", False): 2, ("UDP", True): 1, ("UDP", False): 1}
_SIZES = {"TCP": 86, "UDP": 102}


@dataclass(slots=True)
class Hits:
    """What an entry has counted."""

    packets: int = 0
    """Packets that it decided about."""
    bytes: int = 0
    """Their bytes."""


def hits(world: World, place: Place) -> dict[Key, Hits]:
    """What the entries of an endpoint's map have counted, by key; those that never decided are left out."""
    traffic, found = world.traffic, dict[Key, Hits]()
    if traffic.epoch is None:
        return found
    rows = place.map(world)
    for period in traffic.periods(0, traffic.now):
        for lane in period.lanes:
            for side, is_egress in _sides(lane, place):
                row = rows.find(side.peer, PROTOCOLS[lane.protocol], lane.port, is_egress=is_egress)
                calls = lane.count(period.begin, period.end) if row else 0
                if row is not None and calls:
                    packets = calls * _PACKETS[lane.protocol, side.is_admitted]
                    total = found.setdefault(row.key, Hits())
                    total.packets += packets
                    total.bytes += packets * _SIZES[lane.protocol]
    return found


def _sides(lane: Lane, place: Place) -> Iterator[tuple[Side, bool]]:
    egress, ingress = lane.verdict.egress, lane.verdict.ingress
    here = place.node, place.number
    if egress is not None and (egress.node, egress.endpoint) == here:
        yield egress, True
    is_reached = egress is None or egress.is_admitted
    if ingress is not None and is_reached and (ingress.node, ingress.endpoint) == here:
        yield ingress, False
