"""Flows: every event of every call, in the order of time, as the agents tell of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from playbooks.practice.traffic.lane import SECOND, Lane
from playbooks.practice.traffic.sight import Layer7, Ruling, Sight

if TYPE_CHECKING:
    from playbooks.practice.traffic.history import Period
    from playbooks.practice.world import World

_SLICE = SECOND
_STEPS = 64
_KEPT = 20_000
_ODD = 0x9E3779B97F4A7C15F39CC0605CEDC835
_MASK = (1 << 128) - 1
_time_of = attrgetter("time")


class WorldFlow(msgspec.Struct, frozen=True, gc=False):
    """One event: what is the same in every call of its lane, and what is not.

    `sight` is shared by all flows of its kind, so that an encoder may keep by it what it made of it.
    """

    time: int
    """Nanoseconds after 1970."""
    sight: Sight
    """Everything that does not differ from call to call."""
    client_port: int
    """The port that the client asks from."""
    serial: int
    """What makes it differ from every other flow."""

    @property
    def uuid(self) -> str:
        """Its id."""
        text = f"{self.serial * _ODD & _MASK:032x}"
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"

    @property
    def source_port(self) -> int:
        """The port that the packet comes from."""
        return self.sight.source_port or self.client_port

    @property
    def destination_port(self) -> int:
        """The port that it goes to."""
        return self.sight.destination_port or self.client_port

    @property
    def node(self) -> str:
        """The node that tells of it."""
        return self.sight.node

    @property
    def verdict(self) -> Ruling:
        """What was decided."""
        return self.sight.verdict

    @property
    def l7(self) -> Layer7 | None:
        """What a proxy saw, for an event of one."""
        return self.sight.l7


def flows(world: World, since: datetime, until: datetime, node: str = "") -> Iterator[WorldFlow]:
    """All flows from `since` to before `until`, oldest first; those of one node, when one is named.

    Nothing is kept of them: the same times give the same flows, as long as the world's history reaches back.
    """
    traffic = world.traffic
    if traffic.epoch is None:
        return iter(())
    begin, end = traffic.moment(since), traffic.moment(until)

    def is_wanted(sight: Sight) -> bool:
        return not node or sight.node == node

    return told(traffic.periods, nanoseconds(traffic.epoch), begin, end, is_wanted)


def told(
    periods: Callable[[int, int], Iterable[Period]],
    epoch: int,
    begin: int,
    end: int,
    is_wanted: Callable[[Sight], bool],
    step: int = _SLICE,
) -> Iterator[WorldFlow]:
    """The flows of a kind from a moment to before another; moments are nanoseconds after the epoch.

    `step` is how much time is worked out at once.
    """
    slow = max((lane.duration for period in periods(0, end) for lane in period.lanes), default=0)
    telling = Telling(epoch, is_wanted)
    at = max(begin - slow, 0)
    while at < end:
        until = min(at + step, end)
        for flow in telling.more(periods(at, until), until):
            if flow.time >= epoch + begin:
                yield flow
        at = until


class Telling:
    """Tells flows of a kind as time goes on: events of calls that have begun wait for their moment."""

    def __init__(self, epoch: int, is_wanted: Callable[[Sight], bool]) -> None:
        """`epoch` is what moments are counted from; a kind is judged once for each lane."""
        self._epoch = epoch
        self._is_wanted = is_wanted
        self._waiting: list[WorldFlow] = []
        self._steps: dict[int, tuple[Lane, list[tuple[int, int, Sight]]]] = {}

    def more(self, periods: Iterable[Period], until: int) -> list[WorldFlow]:
        """The flows up to before a moment, in order; the periods go on from the moment before."""
        found = self._waiting
        for period in periods:
            for lane in period.lanes:
                if steps := self._of(lane):
                    _tell(lane, steps, period.begin, period.end, self._epoch, found)
        found.sort(key=_time_of)
        border = bisect_left(found, self._epoch + until, key=_time_of)
        self._waiting = found[border:]
        return found[:border]

    def _of(self, lane: Lane) -> list[tuple[int, int, Sight]]:
        known = self._steps.get(id(lane))
        if known is None:
            if len(self._steps) >= _KEPT:
                self._steps.clear()
            wanted = [
                (number, step.delay, step.sight)
                for number, step in enumerate(lane.steps)
                if self._is_wanted(step.sight)
            ]
            # The lane is kept with them, so that no other one gets its number.
            known = self._steps[id(lane)] = (lane, wanted)
        return known[1]


def _tell(
    lane: Lane,
    steps: list[tuple[int, int, Sight]],
    begin: int,
    end: int,
    epoch: int,
    found: list[WorldFlow],
) -> None:
    """Add the events of all calls of a lane that begin in a time."""
    for number in lane.numbers(begin, end):
        start = epoch + lane.begins(number)
        port = lane.client_port(number)
        serial = lane.seed + number * _STEPS << 8
        found.extend([WorldFlow(start + delay, sight, port, serial + index) for index, delay, sight in steps])


def nanoseconds(when: datetime) -> int:
    """A time in nanoseconds after 1970."""
    delta = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400_000_000 + delta.seconds * 1_000_000 + delta.microseconds) * 1000
