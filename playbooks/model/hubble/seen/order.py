"""Several streams as one: in the order of time, and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush

from playbooks.model.hubble.seen.event import Event, Seen

WINDOW = 1_000_000_000
"""Nanoseconds for which a message waits for older ones of other nodes."""

REMEMBERED = 65_536
"""Events that are remembered to tell what comes twice; up to twice as many."""


class Merge:
    """Puts messages of several nodes in the order of time.

    Each waits for the window at most. One that comes after younger ones have been let go is late: it is let
    go at once after them, and marked. A clock that is ahead of ours counts as ours, so that one node in the
    future does not make all others late.
    """

    def __init__(self, window: int = WINDOW) -> None:
        """Nothing waits."""
        self._window = window
        self._waiting: list[tuple[int, int, int, bytes]] = []
        self._arrivals = 0
        self._passed = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, raw: bytes, time: int, now: int) -> None:
        """Take a message of a time (0 for none) that arrives now, both in nanoseconds since 1970."""
        self._arrivals += 1
        heappush(self._waiting, (min(time, now) if time else now, self._arrivals, now, raw))

    def due(self, now: int) -> tuple[tuple[bytes, ...], frozenset[int]]:
        """Messages whose time to wait is over, with all that are older than these; positions of late ones."""
        over = [time for time, _, arrived, _ in self._waiting if arrived <= now - self._window]
        return self._let_go(max(over)) if over else ((), frozenset())

    def rest(self) -> tuple[tuple[bytes, ...], frozenset[int]]:
        """All that wait still; positions of late ones."""
        return self._let_go(max(self._waiting)[0]) if self._waiting else ((), frozenset())

    def _let_go(self, until: int) -> tuple[tuple[bytes, ...], frozenset[int]]:
        raws: list[bytes] = []
        late: set[int] = set()
        passed = self._passed
        while self._waiting and self._waiting[0][0] <= until:
            time, _, _, raw = heappop(self._waiting)
            if time < passed:
                late.add(len(raws))
            self._passed = max(self._passed, time)
            raws.append(raw)
        return tuple(raws), frozenset(late)


class Duplicates:
    """Tells what came before: by uuid, or where there is none by the whole message.

    Messages without a time are never called duplicates: two that look alike may well be two.
    """

    def __init__(self, limit: int = REMEMBERED) -> None:
        """Nothing has come."""
        self._limit = limit
        self._known: set[str | int] = set()
        self._older: set[str | int] = set()
        self.count = 0
        """How many were told to be duplicates."""

    def among(self, raws: Sequence[bytes], events: Sequence[Event]) -> frozenset[int]:
        """Positions of those that came before, in this batch or an earlier one."""
        keys = [
            event.uuid if isinstance(event, Seen) and event.uuid else hash(raw) if event.time else None
            for raw, event in zip(raws, events, strict=True)
        ]
        fresh = {key for key in keys if key is not None}
        is_new = len(fresh) == len(keys) and self._known.isdisjoint(fresh) and self._older.isdisjoint(fresh)
        found = frozenset() if is_new else self._again(keys)
        self._known |= fresh
        if len(self._known) >= self._limit:
            self._known, self._older = set(), self._known
        self.count += len(found)
        return found

    def _again(self, keys: Sequence[str | int | None]) -> frozenset[int]:
        here: set[str | int] = set()
        found = []
        for position, key in enumerate(keys):
            if key is None:
                continue
            if key in here or key in self._known or key in self._older:
                found.append(position)
            here.add(key)
        return frozenset(found)
