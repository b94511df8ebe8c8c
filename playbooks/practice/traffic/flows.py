"""Flows: every event of every call, in the order of time, as the agents tell of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING

import msgspec

from playbooks.practice.traffic.lane import SECOND, Lane
from playbooks.practice.traffic.sight import Layer7, Ruling, Sight

if TYPE_CHECKING:
    from playbooks.practice.world import World

_SLICE = SECOND
_STEPS = 64
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
        return
    begin, end = traffic.moment(since), traffic.moment(until)
    epoch = _nanoseconds(traffic.epoch)
    waiting: list[WorldFlow] = []
    slow = max((lane.duration for period in traffic.periods(0, end) for lane in period.lanes), default=0)
    at = max(begin - slow, 0)
    while at < end or (waiting and at < end + slow):
        until_ = at + _SLICE
        found = waiting
        for period in traffic.periods(at, min(until_, end)):
            for lane in period.lanes:
                _tell(lane, period.begin, period.end, epoch, node, found)
        found.sort(key=_time_of)
        border = epoch + min(until_, end)
        waiting = []
        for flow in found:
            if flow.time >= border:
                waiting.append(flow)
            elif flow.time >= epoch + begin:
                yield flow
        if until_ >= end:
            return
        at = until_


def _tell(lane: Lane, begin: int, end: int, epoch: int, node: str, found: list[WorldFlow]) -> None:
    """Add the events of all calls of a lane that begin in a time."""
    steps = [
        (number, step.delay, step.sight)
        for number, step in enumerate(lane.steps)
        if not node or step.sight.node == node
    ]
    if not steps:
        return
    for number in lane.numbers(begin, end):
        start = epoch + lane.begins(number)
        port = lane.client_port(number)
        serial = lane.seed + number * _STEPS << 8
        found.extend([WorldFlow(start + delay, sight, port, serial + index) for index, delay, sight in steps])


def _nanoseconds(when: datetime) -> int:
    delta = when - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400_000_000 + delta.seconds * 1_000_000 + delta.microseconds) * 1000
