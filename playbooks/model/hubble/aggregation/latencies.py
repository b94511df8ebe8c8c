"""How long things took: exact while there are few, in narrow classes when there are many."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from heapq import nlargest
from math import ceil, log2
from typing import Generic, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)
"""What is told of a slow one."""

EXACT = 2000
"""Latencies that are kept one by one."""

STEPS = 32
"""Classes for each doubling: a latency from a class is at most 2.2 % above the true one."""

SLOWEST = 10
"""How many of the slowest are kept."""


class Latencies:
    """Durations in nanoseconds."""

    def __init__(self) -> None:
        """None yet."""
        self.count = 0
        """How many."""
        self._each: list[int] | None = []
        self._classes: Counter[int] = Counter()

    @property
    def is_exact(self) -> bool:
        """Whether quantiles are durations that occurred, not upper ends of classes."""
        return self._each is not None

    def add(self, durations: Iterable[int]) -> None:
        """Take durations; 0 and less are none."""
        new = [duration for duration in durations if duration > 0]
        self.count += len(new)
        if self._each is not None:
            self._each += new
            if len(self._each) <= EXACT:
                return
            new, self._each = self._each, None
        self._classes.update(ceil(log2(duration) * STEPS) for duration in new)

    def quantile(self, share: float) -> int | None:
        """The duration that this share of all does not exceed, in nanoseconds; None when there are none."""
        if not self.count:
            return None
        rank = max(1, ceil(share * self.count))
        if self._each is not None:
            return sorted(self._each)[rank - 1]
        for number in sorted(self._classes):
            rank -= self._classes[number]
            if rank <= 0:
                return round(2 ** (number / STEPS))
        return None


class Slowest(Generic[T]):
    """The slowest few, with what is told of each."""

    def __init__(self, limit: int = SLOWEST) -> None:
        """None yet."""
        self._limit = limit
        self._kept: list[tuple[int, int, T]] = []
        self._count = 0

    def add(self, duration: int, what: T) -> None:
        """Take one, in nanoseconds."""
        if len(self._kept) < self._limit or duration > self._kept[-1][0]:
            self._count += 1
            self._kept = nlargest(self._limit, (*self._kept, (duration, -self._count, what)))

    @property
    def found(self) -> tuple[T, ...]:
        """The slowest first."""
        return tuple(what for _, _, what in self._kept)
