"""Closing what another source yields."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playbooks.model.answer import End, Gap

Piece = bytes | End | Gap
"""What a source yields."""


@asynccontextmanager
async def closing(pieces: AsyncIterator[Piece]) -> AsyncIterator[AsyncIterator[Piece]]:
    """The pieces, closed at once when who reads them stops early: that is what ends a command."""
    try:
        yield pieces
    finally:
        if close := getattr(pieces, "aclose", None):
            await close()
