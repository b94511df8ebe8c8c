"""The bounded buffer between the stream's thread and whoever uses it; what does not fit is counted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from playbooks.sources.hubble.events import Batch, Dropped, Event

COUNT_LIMIT = 100_000
SIZE_LIMIT = 64 * 1024 * 1024
MOMENT = 0.02
"""Seconds for which messages may gather before they are taken."""


class Inbox:
    """One thread puts, another takes; neither waits for the other, unless nothing may be lost.

    A message wakes nobody: at tens of thousands a second the two threads would do little else.
    When it is full the newest messages are dropped, so that what is kept has no holes but the stated one.
    """

    def __init__(
        self,
        now: Callable[[], datetime],
        count_limit: int = COUNT_LIMIT,
        size_limit: int = SIZE_LIMIT,
        *,
        is_waiting: bool = False,
    ) -> None:
        """`now` is our clock, asked only when something is dropped; `is_waiting` waits for room instead."""
        self._now = now
        self._is_waiting = is_waiting
        self._count_limit = count_limit
        self._size_limit = size_limit
        self._lock = threading.Lock()
        self._told = threading.Event()
        self._room = threading.Event()
        self._done: list[Event] = []
        self._raws: list[bytes] = []
        self._late: list[int] = []
        self._count = 0
        self._size = 0
        self._dropped = 0
        self._dropped_size = 0
        self._since: datetime | None = None
        self._until: datetime | None = None

    def put(self, raw: bytes) -> None:
        """Add a message; when there is no room wait for it, or count the message as dropped."""
        size = len(raw)
        while not self._is_put(raw, size):
            self._room.wait()

    def _is_put(self, raw: bytes, size: int) -> bool:
        with self._lock:
            if self._count >= self._count_limit or (self._count and self._size + size > self._size_limit):
                if self._is_waiting:
                    self._room.clear()
                    return False
                self._drop(size)
                return True
            if self._dropped:
                self._settle()
            if raw.__class__ is not bytes:
                self._late.append(len(self._raws))
            self._raws.append(raw)
            self._count += 1
            self._size += size
        return True

    def release(self) -> None:
        """Let nobody wait for room any more."""
        with self._lock:
            self._is_waiting = False
        self._room.set()

    def tell(self, *events: Event) -> None:
        """Add events, which are never dropped, behind the messages that came before them."""
        with self._lock:
            self._settle()
            self._done.extend(events)
        self._told.set()

    def take(self) -> Sequence[Event]:
        """All that is there, in order."""
        with self._lock:
            self._settle()
            taken, self._done = self._done, []
            self._count = self._size = 0
            self._told.clear()
        self._room.set()
        return taken

    def wait(self) -> None:
        """Block for a moment, less when something was told."""
        self._told.wait(MOMENT)

    def _drop(self, size: int) -> None:
        now = self._now()
        self._dropped += 1
        self._dropped_size += size
        self._since = self._since or now
        self._until = now

    def _settle(self) -> None:
        """Close the batch, and what was dropped behind it."""
        if self._raws:
            self._done.append(Batch(tuple(self._raws), frozenset(self._late)))
            self._raws, self._late = [], []
        if self._dropped and self._since and self._until:
            self._done.append(Dropped(self._dropped, self._dropped_size, self._since, self._until))
            self._dropped = self._dropped_size = 0
            self._since = self._until = None
