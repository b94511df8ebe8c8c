"""The newest flows of a question, as they came: raw messages and remarks, by a number that never changes."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from playbooks.model.window import Window

COUNT_LIMIT = 100_000
SIZE_LIMIT = 30 * 1024 * 1024
"""Bytes of messages that are kept: some forty thousand flows of ordinary size."""
_PIECE = 256


@dataclass(frozen=True, slots=True)
class Remark:
    """A row among flows that is none: what was lost, what became of the stream."""

    said: str
    """What there is to say; raw."""
    is_loss: bool = True
    """Whether flows are missing because of it."""


Entry = bytes | Remark
"""A serialized GetFlowsResponse, still unparsed, or a remark."""


class Roll(Window):
    """Bounded in number and in bytes: the oldest go first, and are counted.

    Nothing is decoded: of twenty thousand flows a second a screen shows fifty.
    """

    def __init__(self, count_limit: int = COUNT_LIMIT, size_limit: int = SIZE_LIMIT) -> None:
        """Empty."""
        super().__init__()
        self._count_limit, self._size_limit = count_limit, size_limit
        # In pieces, because the middle of a long deque is far from both of its ends.
        self._pieces: deque[list[Entry]] = deque([[]])
        self._sizes: deque[int] = deque([0])
        self._size = 0

    def __getitem__(self, number: int) -> Entry:
        if not self._begin <= number < self._end:
            raise IndexError(f"entry {number} is not among {self._begin} to {self._end}")
        piece, place = divmod(number - self._begin, _PIECE)
        return self._pieces[piece][place]

    def extend(self, entries: Sequence[Entry]) -> None:
        """Add entries, and let go of as many old ones as it takes."""
        rest = iter(entries)
        while part := list(islice(rest, _PIECE - len(self._pieces[-1]))):
            size = sum(len(one) for one in part if isinstance(one, bytes))
            self._pieces[-1] += part
            self._sizes[-1] += size
            self._size += size
            self._end += len(part)
            if len(self._pieces[-1]) == _PIECE:
                self._pieces.append([])
                self._sizes.append(0)
        while len(self._pieces) > 1 and (self._size > self._size_limit or len(self) > self._count_limit):
            self._begin += len(self._pieces.popleft())
            self._size -= self._sizes.popleft()
