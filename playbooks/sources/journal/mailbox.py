"""A queue of small pieces of work for the journal's thread, bounded by the bytes that wait in it."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Condition

Work = Callable[[], None]
"""Something that the journal's thread does."""

ROOM = 32 * 1024 * 1024
"""Bytes that may wait for the disk before senders are asked to wait."""


class Mailbox:
    """Work in order; any thread puts, one thread takes."""

    def __init__(self) -> None:
        """Empty and open."""
        self._changed = Condition()
        self._waiting: deque[tuple[Work, int]] = deque()
        self._bytes = 0
        self._in_hand = 0
        self._is_busy = False
        self._is_closed = False

    def put(self, work: Work, size: int = 0) -> None:
        """Add work that holds `size` bytes; after `close` it is dropped."""
        with self._changed:
            if not self._is_closed:
                self._waiting.append((work, size))
                self._bytes += size
                self._changed.notify_all()

    def take(self) -> Work | None:
        """Wait for the next work; None when closed and empty. Taking says that the last work is done."""
        with self._changed:
            self._bytes -= self._in_hand
            self._in_hand, self._is_busy = 0, False
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._waiting or self._is_closed)
            if not self._waiting:
                return None
            work, self._in_hand = self._waiting.popleft()
            self._is_busy = True
            return work

    @property
    def has_room(self) -> bool:
        """Whether a sender may go on."""
        return self._bytes <= ROOM or self._is_closed

    def wait_for_room(self, seconds: float) -> bool:
        """Wait until there is room; whether there is."""
        with self._changed:
            return self._changed.wait_for(lambda: self.has_room, seconds)

    def wait_until_done(self, seconds: float) -> bool:
        """Wait until all work put so far and since is done; whether it is."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._waiting and not self._is_busy, seconds)

    def close(self) -> None:
        """Take no more work; what waits is still done."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
