"""Counting by any key: events, distinct connections, first, last and rate; a batch at a time."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Hashable, Sequence
from typing import Generic, TypeVar

import msgspec

K = TypeVar("K", bound=Hashable)
"""What is counted by."""

SECOND = 1_000_000_000
"""Nanoseconds."""

WINDOW = 30 * SECOND
"""A connection that is seen again after so long (at most twice as long) counts as another attempt."""

RATE = 10
"""Seconds of arrivals over which a rate is taken."""

ROWS = 20_000
"""Keys that are counted one by one; what comes after is counted together."""

REMEMBERED = 100_000
"""Connections by key that are remembered at most; twice as many for a moment."""


class Row(msgspec.Struct, Generic[K], frozen=True):
    """What was counted of one key."""

    key: K
    """By what."""
    events: int
    """Events; one packet may be seen at several points, so that they are no share of anything."""
    attempts: int
    """Distinct connections: addresses, ports and protocol, once in a while of `WINDOW`."""
    first: int
    """Nanoseconds since 1970 of the first event that has a time; 0 for none."""
    last: int
    """Nanoseconds since 1970 of the last one; 0 for none."""
    rate: float | None
    """Events a second that arrived in the last `RATE` seconds; None when nobody said when they arrived."""


class Recent:
    """Tells what is new, forgetting what has not come again for a while; by the time of flows."""

    def __init__(self, window: int = WINDOW, limit: int = REMEMBERED) -> None:
        """Nothing has come."""
        self._window, self._limit = window, limit
        self._now: set[int] = set()
        self._before: set[int] = set()
        self._turned = 0
        self.is_exact = True
        """Whether nothing had to be forgotten before its time."""

    def fresh(self, hashes: Sequence[int], time: int) -> set[int]:
        """Those that did not come before; `time` is the last one of the batch."""
        came = set(hashes)
        if time - self._turned >= self._window or len(self._now) >= self._limit:
            if time - self._turned < self._window:
                self.is_exact = False
            elif time - self._turned >= 2 * self._window:
                self._now = set()
            self._before, self._now, self._turned = self._now, set(), max(time, self._turned)
        fresh = came - self._now - self._before
        self._now |= came
        return fresh


class Tally(Generic[K]):
    """Counts events by key."""

    def __init__(self, rows: int = ROWS) -> None:
        """Nothing is counted."""
        self._rows = rows
        self.events: Counter[K] = Counter()
        """Events by key."""
        self.attempts: Counter[K] = Counter()
        """Distinct connections by key."""
        self.overflow = 0
        """Events that are not in any row, because their keys came when there were too many."""
        self.recent = Recent()
        """The connections that are counted already."""
        self._first: dict[K, int] = {}
        self._last: dict[K, int] = {}
        self._arrived: deque[tuple[int, Counter[K]]] = deque()

    @property
    def is_exact(self) -> bool:
        """Whether every event is in a row and every attempt is counted once."""
        return not self.overflow and self.recent.is_exact

    def add(
        self,
        keys: Sequence[K],
        times: Sequence[int],
        connections: Sequence[Hashable] = (),
        now: int = 0,
    ) -> list[tuple[K, Hashable]]:
        """Count a batch: key, time and connection (or None) of each event, and when it arrived (0: not live).

        Gives key and connection of each new attempt.
        """
        if len(self.events) >= self._rows:
            keys, times, connections = self._known(keys, times, connections)
        if not keys:
            return []
        batch = Counter(keys)
        self.events.update(batch)
        self._note_times(keys, times)
        if now:
            self._arrived.append((now, batch))
            self._forget(now)
        return self._attempts(keys, max(times), connections) if connections else []

    def rows(self, now: int = 0) -> list[Row[K]]:
        """All rows, those with most events first; `now` by our clock (0: when the last ones arrived)."""
        rates = self.rates(now)
        return [
            Row(
                key,
                events,
                self.attempts[key],
                self._first.get(key, 0),
                self._last.get(key, 0),
                rates[key] if rates is not None else None,
            )
            for key, events in self.events.most_common()
        ]

    def rates(self, now: int = 0) -> dict[K, float] | None:
        """Events a second by key; None when nobody said when events arrived."""
        if not self._arrived:
            return None
        since = (now or self._arrived[-1][0]) - RATE * SECOND
        found: Counter[K] = Counter()
        for arrived, batch in self._arrived:
            if arrived > since:
                found.update(batch)
        return {key: found[key] / RATE for key in self.events}

    def _known(
        self, keys: Sequence[K], times: Sequence[int], connections: Sequence[Hashable]
    ) -> tuple[Sequence[K], Sequence[int], Sequence[Hashable]]:
        """Of a batch what has a row, once there are enough rows."""
        kept = [number for number, key in enumerate(keys) if key in self.events]
        self.overflow += len(keys) - len(kept)
        chosen = [connections[number] for number in kept] if connections else ()
        return [keys[number] for number in kept], [times[number] for number in kept], chosen

    def _note_times(self, keys: Sequence[K], times: Sequence[int]) -> None:
        if list(times) != (ordered := sorted(times)):
            order = sorted(range(len(times)), key=times.__getitem__)
            keys, times = [keys[number] for number in order], ordered
        if not times[0]:
            dated = sum(1 for time in times if not time)
            keys, times = keys[dated:], times[dated:]
        first, last = self._first, self._last
        # The last one of equal keys stays in a dict made of pairs.
        for key, time in dict(zip(reversed(keys), reversed(times), strict=True)).items():
            first[key] = min(time, first.get(key, time))
        for key, time in dict(zip(keys, times, strict=True)).items():
            last[key] = max(time, last.get(key, 0))

    def _forget(self, now: int) -> None:
        while self._arrived and self._arrived[0][0] <= now - RATE * SECOND:
            self._arrived.popleft()

    def _attempts(
        self, keys: Sequence[K], time: int, connections: Sequence[Hashable]
    ) -> list[tuple[K, Hashable]]:
        pairs = list(zip(keys, connections, strict=True))
        hashes = list(map(hash, pairs))
        fresh = self.recent.fresh(hashes, time)
        if not fresh:
            return []
        found = {
            one: pair for one, pair in zip(hashes, pairs, strict=True) if one in fresh and pair[1] is not None
        }
        new = list(found.values())
        self.attempts.update(key for key, _ in new)
        return new
