"""Messages on their way from a stream to those who keep and count them."""

from __future__ import annotations

from collections.abc import Sequence, Set

from msgspec.structs import replace

from playbooks.model.hubble.seen.event import Event, Seen
from playbooks.model.hubble.seen.order import Duplicates
from playbooks.model.hubble.seen.reader import Reader

NONE: frozenset[int] = frozenset()
"""No positions."""


class Intake:
    """Reads messages, marks the late ones, and leaves out what came before."""

    def __init__(self, home: str = "") -> None:
        """For the streams of a cluster; see `Reader`."""
        self._reader = Reader(home)
        self._duplicates = Duplicates()

    @property
    def duplicates(self) -> int:
        """How many messages were left out because they had come before."""
        return self._duplicates.count

    def take(self, raws: Sequence[bytes], late: Set[int] = NONE) -> tuple[Sequence[bytes], list[Event]]:
        """Messages that are new and what they say; `late` are positions of those that came late."""
        events = self._reader.read_all(raws)
        for position in late:
            event = events[position]
            if isinstance(event, Seen):
                events[position] = replace(event, is_late=True)
        twice = self._duplicates.among(raws, events)
        if not twice:
            return raws, events
        new = [position for position in range(len(raws)) if position not in twice]
        return [raws[position] for position in new], [events[position] for position in new]
