"""The world's traffic over time: who asked whom, between every two changes that made a difference."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from playbooks.practice import manifests
from playbooks.practice.catalog import EVENTS, LEASES
from playbooks.practice.objects import Json
from playbooks.practice.traffic.call import Call, call_of
from playbooks.practice.traffic.lane import Lane
from playbooks.practice.traffic.plan import lanes_of

if TYPE_CHECKING:
    from playbooks.practice.world import World

KEPT = 200
"""How many periods are kept one by one; what was before them is one, as the oldest of them was."""
_IDLE = {EVENTS.key, LEASES.key}


@dataclass(frozen=True, slots=True)
class Period:
    """A time in which nothing changed about who asks whom."""

    lanes: tuple[Lane, ...]
    """What went on in it."""
    begin: int
    """Its beginning: nanoseconds after the beginning of the traffic."""
    end: int
    """Its end."""


class Traffic:
    """Who asks whom, as data that can be changed, and what that came to until now.

    The past is written down only where it differed from now; the rest is worked out when it is asked for.
    """

    def __init__(self, world: World) -> None:
        """The calls and names of the shop; nothing is said before `begin`."""
        data: Json = manifests.traffic()
        self.calls: list[Call] = [call_of(row) for row in data["calls"]]
        self.names: dict[str, tuple[str, ...]] = {name: tuple(ips) for name, ips in data["names"].items()}
        self.sockets: dict[tuple[str, str], tuple[str, int]] = {}
        self.epoch: datetime | None = None
        self._world = world
        self._past: list[Period] = []
        self._since = 0
        self._lanes: tuple[Lane, ...] = ()

    @property
    def now(self) -> int:
        """The world's clock, in nanoseconds after the beginning of the traffic."""
        return self.moment(self._world.now)

    def begin(self) -> None:
        """Let everybody begin to talk."""
        self.epoch = self._world.now
        self._lanes = lanes_of(self._world)

    def add(self, row: Json) -> None:
        """Have a client make one more call. Raises `ValueError` for data that describes none."""
        self.calls.append(call_of(row))
        self.renew()

    def drop(self, row: Json) -> None:
        """Have clients stop the calls that carry all of these values, such as `from` and `to`."""
        gone = call_of({"to": "tcp://nobody:1", **row})
        self.calls = [
            call
            for call in self.calls
            if (call.namespace, call.app) != (gone.namespace, gone.app)
            or ("to" in row and call.url != gone.url)
        ]
        self.renew()

    def name(self, name: str, ips: tuple[str, ...]) -> None:
        """Let a name outside of the cluster lead somewhere else; nowhere when there is no address."""
        self.names = {key: value for key, value in self.names.items() if key != name}
        if ips:
            self.names[name] = ips
        self.renew()

    def note(self, changed: set[tuple[str, str]]) -> None:
        """Look again after objects of these kinds have changed."""
        if self.epoch is not None and changed - _IDLE:
            self.renew()
            for peer in self._world.peers:
                peer.traffic.renew()

    def renew(self) -> None:
        """Look again at who asks whom; what was until now is written down when it differs."""
        if self.epoch is None:
            return
        lanes = lanes_of(self._world)
        if lanes == self._lanes:
            return
        now = self.now
        if now > self._since:
            self._past.append(Period(self._lanes, self._since, now))
            self._since = now
            if len(self._past) > KEPT:
                first, second = self._past[:2]
                self._past[:2] = [Period(second.lanes, first.begin, second.end)]
        self._lanes = lanes

    def shift(self, delta: timedelta) -> None:
        """Move its history in time."""
        self.epoch = self.epoch and self.epoch + delta

    def moment(self, when: datetime) -> int:
        """A time in nanoseconds after the beginning of the traffic; nothing is before it."""
        if self.epoch is None:
            return 0
        delta = when - self.epoch
        return (delta.days * 86_400_000_000 + delta.seconds * 1_000_000 + delta.microseconds) * 1000

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """What goes on now."""
        return self._lanes

    def periods(self, begin: int, end: int) -> Iterator[Period]:
        """The periods between two moments, oldest first; they end with the moments."""
        for one in (*self._past, Period(self._lanes, self._since, max(end, self._since))):
            first, last = max(one.begin, begin), min(one.end, end)
            if first < last:
                yield Period(one.lanes, first, last)
