"""Closing what another source yields."""

from __future__ import annotations

from collections.abc import AsyncIterator

from playbooks.model.answer import End, Gap

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
