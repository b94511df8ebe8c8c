"""How much is asked at once: a pool that shrinks when the API server suffers, and grows back slowly."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass

WINDOW = 16
SLOWER = 4.0
NOTICEABLE = 1.0
CALM = 1.0
STEPS = 16


@dataclass(frozen=True, slots=True)
class Load:
    """How many commands may run at once, for the status line."""

    workers: int
    """Now."""
    maximum: int
    """When all is well."""
    reason: str
    """Why there are fewer than that; empty when there are not."""


class Slots:
    """At most so many at once, first come first served; the limit may change."""

    def __init__(self, limit: int) -> None:
        """`limit` is at least one."""
        self._limit = max(1, limit)
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    @property
    def limit(self) -> int:
        """How many may be taken."""
        return self._limit

    @limit.setter
    def limit(self, limit: int) -> None:
        self._limit = max(1, limit)
        self._wake()

    async def __aenter__(self) -> None:
        """Take one, waiting for it if there is none."""
        await self._take()

    async def __aexit__(self, *_: object) -> None:
        """Give it back."""
        self._taken -= 1
        self._wake()

    async def _take(self) -> None:
        if self._taken < self._limit and not self._waiting:
            self._taken += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._taken -= 1
                self._wake()
            raise

    def _wake(self) -> None:
        while self._waiting and self._taken < self._limit:
            turn = self._waiting.popleft()
            if not turn.done():
                self._taken += 1
                turn.set_result(None)


class Workers:
    """The pool of commands: halves under pressure, at most once a second, and recovers answer by answer."""

    def __init__(self, maximum: int, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock` is monotonic."""
        self._maximum = max(1, maximum)
        self.slots = Slots(self._maximum)
        """To be held while a command runs."""
        self._clock = clock
        self._reason = ""
        self._calm_at = 0.0
        self._answers = 0
        self._fastest: dict[Hashable, float] = {}
        self._recent: deque[tuple[float, float]] = deque(maxlen=WINDOW)

    @property
    def state(self) -> Load:
        """How many there are, and why."""
        return Load(self.slots.limit, self._maximum, self._reason)

    def press(self, reason: str) -> None:
        """The API server refused something as too much."""
        self._answers = 0
        now = self._clock()
        if now < self._calm_at:
            return
        # One wave of refusals is one sign, however many requests were on their way.
        self._calm_at = now + CALM
        self._reason = reason
        self._recent.clear()
        self.slots.limit //= 2

    def answered(self, what: Hashable, seconds: float) -> None:
        """A command was answered: the first byte came after so long."""
        fastest = self._fastest[what] = min(seconds, self._fastest.get(what, seconds))
        self._recent.append((seconds / max(fastest, 0.01), seconds))
        if len(self._recent) == WINDOW:
            ratio, typical = (statistics.median(column) for column in zip(*self._recent, strict=True))
            if ratio >= SLOWER and typical >= NOTICEABLE:
                self.press(f"answers take {typical:.1f} s, {ratio:.0f} times as long as before")
                return
        self._answers += 1
        if self._answers >= self.slots.limit and self.slots.limit < self._maximum:
            self._answers = 0
            self.slots.limit = min(self._maximum, self.slots.limit + max(1, self._maximum // STEPS))
            if self.slots.limit == self._maximum:
                self._reason = ""
