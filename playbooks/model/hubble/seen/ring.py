"""The newest events of a stream, kept hot."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence

from playbooks.model.hubble.seen.event import Event
from playbooks.model.window import Window

HOT = 100_000
"""Events that are kept hot."""

HOT_BYTES = 256 * 1024 * 1024
"""Bytes that the messages of hot events had; flows of ordinary size take less than half of it."""


class Ring(Window):
    """The newest events by their number; the first one ever has number 0.

    Numbers grow without end, so that a place in the list stays a place while older events fall out.
    """

    def __init__(self, limit: int = HOT, limit_bytes: int = HOT_BYTES) -> None:
        """Empty."""
        super().__init__()
        self._slots: list[Event | None] = [None] * limit
        self._limit, self._limit_bytes = limit, limit_bytes
        self._batches: deque[tuple[int, int]] = deque()
        self._bytes = 0

    def __getitem__(self, number: int) -> Event:
        event = self._slots[number % self._limit] if self._begin <= number < self._end else None
        if event is None:
            raise IndexError(f"event {number} is not among {self._begin} to {self._end}")
        return event

    def __iter__(self) -> Iterator[Event]:
        return iter(self.slice(self._begin, self._end))

    def slice(self, begin: int, end: int) -> list[Event]:
        """The events from number `begin` up to `end`, as far as they are here."""
        begin, end = max(begin, self._begin), min(end, self._end)
        return [self[number] for number in range(begin, end)]

    def extend(self, events: Sequence[Event], size: int) -> None:
        """Add events whose messages had `size` bytes together."""
        if not events:
            return
        self._end += max(0, len(events) - self._limit)
        events = events[-self._limit :]
        at = self._end % self._limit
        first = min(len(events), self._limit - at)
        self._slots[at : at + first] = events[:first]
        self._slots[: len(events) - first] = events[first:]
        self._end += len(events)
        self._begin = max(self._begin, self._end - self._limit)
        self._batches.append((self._end, size))
        self._bytes += size
        self._forget()

    def _forget(self) -> None:
        """Let go of batches that have fallen out, and of old ones while the messages were too large."""
        batches = self._batches
        while batches and (
            batches[0][0] <= self._begin or (self._bytes > self._limit_bytes and len(batches) > 1)
        ):
            end, size = batches.popleft()
            self._bytes -= size
            for number in range(self._begin, end):
                self._slots[number % self._limit] = None
            self._begin = max(self._begin, end)
