"""Counts of the most frequent things in a stream, in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


@dataclass(slots=True)
class HeavyHitters(Generic[K]):
    """A counter that forgets the rarest when it holds too many.

    Whatever is more than 1/`limit` of the stream is never lost; a count is short by `error` at most.
    """

    limit: int = 4096
    """How many things are remembered after forgetting."""
    counts: Counter[K] = field(default_factory=Counter)
    """What is remembered."""
    error: int = 0
    """By how much a count may be too small."""

    def update(self, things: Iterable[K]) -> None:
        """Count a batch."""
        self.counts.update(things)
        if len(self.counts) > 8 * self.limit:
            self._forget()

    def top(self, number: int) -> list[tuple[K, int]]:
        """The most frequent ones."""
        return self.counts.most_common(number)

    def _forget(self) -> None:
        # Everything that is no more frequent than the first one too many goes: a sort of numbers is cheap.
        cut = sorted(self.counts.values())[-self.limit - 1]
        self.error += cut
        self.counts = Counter({thing: count for thing, count in self.counts.items() if count > cut})
