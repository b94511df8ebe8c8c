"""What datapaths and agents have counted: every number follows from the lanes and the time they ran for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from playbooks.knowledge.drop_reasons import printed_text
from playbooks.practice.traffic.lane import Lane, Outcome, Path
from playbooks.practice.traffic.sight import Event, Point, Sight, Way

if TYPE_CHECKING:
    from playbooks.practice.world import World

FORWARDED = "Success"
"""What counters call what went through."""
_LXC, _LOCAL = "bpf_lxc.c", "local_delivery.h"
_SOCKETS_CLOSED = 14


class Place(NamedTuple):
    """Where the datapath counts something."""

    reason: str
    """In words."""
    direction: Way
    """Of the packets."""
    line: int
    """Line of its source."""
    file: str
    """File of its source."""


@dataclass(slots=True)
class Sum:
    """Packets and their bytes."""

    packets: int = 0
    """How many."""
    bytes: int = 0
    """How large they were together."""


def datapath(world: World, node: str) -> dict[Place, Sum]:
    """What the metrics map of a node holds; it outlives restarts of the agent."""
    traffic, found = world.traffic, dict[Place, Sum]()
    for period in traffic.periods(0, traffic.now):
        for lane in period.lanes:
            _count(lane, lane.count(period.begin, period.end), node, found)
    return dict(sorted(found.items()))


def seen_flows(world: World, node: str, since: datetime) -> int:
    """How many events the agent of a node has told of since a time."""
    traffic = world.traffic
    return sum(
        lane.count(period.begin, period.end) * sum(step.sight.node == node for step in lane.steps)
        for period in traffic.periods(traffic.moment(since), traffic.now)
        for lane in period.lanes
    )


def requests(world: World, node: str, since: datetime) -> dict[tuple[str, str], int]:
    """Requests that the proxies of a node received since a time, by proxy and what became of them."""
    traffic, found = world.traffic, dict[tuple[str, str], int]()
    for period in traffic.periods(traffic.moment(since), traffic.now):
        for lane in period.lanes:
            for step in lane.steps:
                layer7 = step.sight.l7
                if layer7 is None or layer7.is_response or step.sight.node != node:
                    continue
                kind = "fqdn" if layer7.dns else "envoy"
                rule = "denied" if lane.outcome is Outcome.FORBIDDEN else "forwarded"
                for one in ("received", rule):
                    count = lane.count(period.begin, period.end)
                    found[kind, one] = found.get((kind, one), 0) + count
    return found


def _count(lane: Lane, calls: int, node: str, found: dict[Place, Sum]) -> None:
    for place, packets, size in _of_each(lane, node) if calls else ():
        total = found.setdefault(place, Sum())
        total.packets += packets * calls
        total.bytes += size * calls


@lru_cache(maxsize=4096)
def _of_each(lane: Lane, node: str) -> tuple[tuple[Place, int, int], ...]:
    """What one call of a lane adds on a node."""
    found: dict[Place, Sum] = {}
    for step in lane.steps:
        if step.sight.node == node:
            for place in _places(lane, step.sight):
                total = found.setdefault(place, Sum())
                total.packets += 1
                total.bytes += step.size
    if (
        node == lane.client.node
        and not lane.entry
        and lane.service != ("", "")
        and lane.outcome is not Outcome.UNREACHABLE
    ):
        found[Place(printed_text(_SOCKETS_CLOSED), Way.EGRESS, 1310, "bpf_sock.c")] = Sum(1, 0)
    return tuple((place, total.packets, total.bytes) for place, total in found.items())


def _places(lane: Lane, sight: Sight) -> Iterator[Place]:
    if sight.event is Event.DROP:
        yield Place(printed_text(sight.drop_reason), sight.direction, sight.line, sight.file)
    if sight.event is not Event.TRACE:
        return
    if sight.point is Point.TO_ENDPOINT:
        is_local = lane.path is Path.LOCAL
        yield Place(FORWARDED, Way.EGRESS if is_local else Way.INGRESS, 152, _LOCAL)
        yield Place(FORWARDED, Way.INGRESS, 2316, _LXC)
    elif sight.point is Point.TO_OVERLAY:
        yield Place(FORWARDED, Way.EGRESS, 34, "encap.h")
    elif sight.point is Point.TO_NETWORK and lane.masquerade:
        yield Place(FORWARDED, Way.EGRESS, 470, "nodeport_egress.h")
    else:
        yield Place(FORWARDED, Way.EGRESS, 1389 if sight.point is Point.TO_STACK else 1359, _LXC)
