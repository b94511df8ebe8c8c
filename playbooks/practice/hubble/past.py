"""What a world's agents remember at one moment: a picture that any thread may look at."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from playbooks.practice import agents
from playbooks.practice.catalog import NODES
from playbooks.practice.traffic.flows import Telling, WorldFlow, nanoseconds, told
from playbooks.practice.traffic.lane import SECOND, Lane

if TYPE_CHECKING:
    from datetime import datetime

    from playbooks.practice.hubble.state import Loss
    from playbooks.practice.runs import PodRun
    from playbooks.practice.traffic.history import Period
    from playbooks.practice.traffic.sight import Sight
    from playbooks.practice.world import World

CAPACITY = 4095
"""Flows that an agent keeps."""
_MOST_KNOWN = 400
_STEPS = 64


@dataclass(frozen=True)
class Past:
    """The world's traffic up to a moment, and since when each agent has watched it.

    Moments are nanoseconds after the beginning of the traffic.
    """

    epoch: int
    """The beginning of the traffic, in nanoseconds after 1970."""
    now: int
    """The moment."""
    history: tuple[Period, ...]
    """Who asked whom until then, oldest first."""
    watched: dict[str, int]
    """Since when the agent of a node has watched; without those that do not answer, or have no Hubble."""
    away: tuple[str, ...]
    """Nodes whose agents do not answer."""
    slow: dict[str, float]
    """Seconds that a node's answers take to reach Relay."""
    losses: tuple[Loss, ...]
    """What agents lost."""

    def periods(self, begin: int, end: int) -> Iterator[Period]:
        """The periods between two moments, cut to them."""
        first = max(bisect_right(self._begins, begin) - 1, 0)
        for one in self.history[first:]:
            if one.begin >= end:
                return
            if one.end > begin:
                yield type(one)(one.lanes, max(one.begin, begin), min(one.end, end))

    def flows(
        self, node: str, begin: int, end: int, is_wanted: Callable[[Sight], bool]
    ) -> Iterator[WorldFlow]:
        """The flows of a kind that a node tells of between two moments, in order."""

        def periods(begin: int, end: int) -> Iterator[Period]:
            for one in self.periods(begin, end):
                lanes = tuple(lane for lane, _ in _on(one.lanes).get(node, ()))
                yield type(one)(lanes, one.begin, one.end)

        step = max(SECOND, (end - begin) // _STEPS)
        return told(
            periods, self.epoch, begin, end, lambda sight: sight.node == node and is_wanted(sight), step
        )

    def telling(self, is_wanted: Callable[[Sight], bool], at: int) -> Telling:
        """What tells the flows of a kind from a moment on."""
        slow = max((lane.duration for period in self.history for lane in period.lanes), default=0)
        found = Telling(self.epoch, is_wanted)
        found.more(self.periods(max(at - slow, 0), at), at)
        return found

    def seen(self, node: str, begin: int = 0, end: int | None = None) -> int:
        """How many flows began between two moments on a node, as far as its agent watched."""
        begin = max(begin, self.watched.get(node, self.now))
        return sum(
            lane.count(period.begin, period.end) * count
            for period in self.periods(begin, self.now if end is None else end)
            for lane, count in _on(period.lanes).get(node, ())
        )

    def oldest(self, node: str, count: int = CAPACITY) -> int:
        """The moment of the oldest flow that the agent of a node keeps, or of the last so many."""
        low, high = self.watched.get(node, self.now), self.now
        while high - low > SECOND // 10:
            middle = (low + high) // 2
            if self.seen(node, middle) > count:
                low = middle
            else:
                high = middle
        return low if self.seen(node, low) <= count else high

    def namespaces(self, node: str) -> set[str]:
        """The namespaces of everybody of whom a node tells now."""
        found: set[str] = set()
        for period in self.history[-1:]:
            for lane, _ in _on(period.lanes).get(node, ()):
                found |= {lane.client.namespace, lane.server.namespace}
        return found - {""}

    def moment(self, nanoseconds_: int) -> int:
        """The moment of a time in nanoseconds after 1970."""
        return max(nanoseconds_ - self.epoch, 0)

    @cached_property
    def _begins(self) -> list[int]:
        return [one.begin for one in self.history]


_ByNode = dict[str, list[tuple[Lane, int]]]
_known: dict[int, tuple[tuple[Lane, ...], _ByNode]] = {}


def _on(lanes: tuple[Lane, ...]) -> _ByNode:
    """The lanes of which each node tells, with how much of each call."""
    # By number and not by value: to hash a thousand lanes takes longer than to look through them.
    known = _known.get(id(lanes))
    if known is not None:
        return known[1]
    found: _ByNode = {}
    for lane in lanes:
        for node, count in Counter(step.sight.node for step in lane.steps).items():
            found.setdefault(node, []).append((lane, count))
    if len(_known) >= _MOST_KNOWN:
        _known.clear()
    # The lanes are kept with it, so that no others get their number.
    _known[id(lanes)] = (lanes, found)
    return found


def has_hubble(run: PodRun) -> bool:
    """Whether an agent runs with Hubble."""
    return run.config.get("enable-hubble", "false").lower() == "true"


def _watched_since(world: World, node: str) -> datetime | None:
    run = world.agents.get(node)
    if run is None or not has_hubble(run) or node in world.silent_nodes:
        return None
    container = agents.container_of(run)
    if not container.is_up or container.run is None:
        return None
    return container.run.noticed.get("definitions", container.run.started)


def past_of(world: World) -> Past:
    """The picture of now. To be called where the world's clock runs."""
    hubble = world.hubble
    key = (
        world.now,
        world.store.version,
        id(world.traffic.lanes),
        len(world.silent_nodes),
        len(hubble.losses),
        tuple(hubble.slow.items()),
    )
    if hubble.pictured is None or hubble.pictured[0] != key:
        hubble.pictured = (key, _pictured(world))
    return hubble.pictured[1]


def _pictured(world: World) -> Past:
    traffic = world.traffic
    watched: dict[str, int] = {}
    away: list[str] = []
    if any(map(has_hubble, world.agents.values())):
        for node in world.network.nodes:
            if world.store.get(NODES, "", node) is None:
                continue
            since = _watched_since(world, node)
            if since is None:
                away.append(node)
            else:
                watched[node] = traffic.moment(since)
    now = traffic.now if traffic.epoch else 0
    return Past(
        nanoseconds(traffic.epoch) if traffic.epoch else 0,
        now,
        tuple(traffic.periods(0, now)),
        watched,
        tuple(away),
        dict(world.hubble.slow),
        tuple(world.hubble.losses),
    )
