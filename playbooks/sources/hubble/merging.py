"""Several nodes' events in the order of time: held back for a moment, marked when they come later."""

from __future__ import annotations

from heapq import heappop, heappush

from playbooks.sources.hubble.feed import Late
from playbooks.sources.hubble.wish import SECOND

WINDOW = 1 * SECOND
"""How long an event waits for older ones of other nodes."""


class Merge:
    """A window over arrivals; reads no clock."""

    def __init__(self, window: int = WINDOW) -> None:
        """`window` in nanoseconds."""
        self._window = window
        self._waiting: list[tuple[int, int, int, bytes]] = []
        self._count = 0
        self._passed = 0

    def push(self, at: int, raw: bytes, now: int) -> None:
        """An event of that time has arrived."""
        self._count += 1
        heappush(self._waiting, (at, self._count, now, raw))

    def pop(self, now: int) -> list[bytes]:
        """What need not wait any longer, in order of time; `Late` when that order is broken.

        An event leaves as soon as it, or one behind it, has waited long enough.
        """
        due = [at for at, _, arrived, _ in self._waiting if now - arrived >= self._window]
        return self._until(max(due)) if due else []

    def rest(self) -> list[bytes]:
        """All that is left."""
        return self._until(self._waiting[0][0] if len(self._waiting) == 1 else None)

    def _until(self, last: int | None) -> list[bytes]:
        found: list[bytes] = []
        while self._waiting and (last is None or self._waiting[0][0] <= last):
            at, _, _, raw = heappop(self._waiting)
            found.append(raw if at >= self._passed else Late(raw))
            self._passed = max(self._passed, at)
        return found
