"""Standing before another source: passing on what it is asked, closing what it yields."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from playbooks.model.answer import End, Gap, Source

Piece = bytes | End | Gap
"""What a source yields."""


class Closing:
    """The pieces, closed at once when who reads them stops early: that is what ends a command."""

    __slots__ = ("_pieces",)

    def __init__(self, pieces: AsyncIterator[Piece]) -> None:
        """`pieces` may be an async generator or a plain iterator, which needs no closing."""
        self._pieces = pieces

    async def __aenter__(self) -> AsyncIterator[Piece]:
        """The pieces."""
        return self._pieces

    async def __aexit__(self, *_: object) -> None:
        """Close them."""
        if close := getattr(self._pieces, "aclose", None):
            await close()


class Before:
    """Stands before a source and is the same cluster; who derives from it says how it answers."""

    def __init__(self, source: Source) -> None:
        """`source` is asked."""
        self._source = source

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self._source.name

    @property
    def now(self) -> datetime:
        """The time in the cluster."""
        return self._source.now

    async def pause(self, seconds: float) -> None:
        """Let time pass as the source does."""
        await self._source.pause(seconds)

    async def close(self) -> None:
        """Close the source."""
        await self._source.close()
