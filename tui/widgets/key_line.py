"""The last line: the keys that apply, or for a moment what just happened."""

from __future__ import annotations

from collections.abc import Iterable

from tui.ink import BLANK, Ink, Line, Piece, clipped, line, piece
from tui.look import look_of
from tui.widgets.one_line import OneLine


class KeyLine(OneLine):
    """Keys with their words, as many as there is room for."""

    def __init__(self, *, id: str | None = None) -> None:
        """An empty key line."""
        super().__init__(id=id)
        self._offers: tuple[Line, ...] = ()
        self._told = BLANK
        self._busy = BLANK

    def offer(self, keys: Iterable[tuple[str, str]]) -> None:
        """Name these keys, each with its word."""
        offers = tuple(line(piece(key, Ink.KEY), piece(f" {word}", Ink.QUIET)) for key, word in keys)
        if offers != self._offers:
            self._offers = offers
            self.refresh()

    def work(self, progress: Line) -> None:
        """Say how far work is; an empty line when there is none."""
        if progress != self._busy:
            self._busy = progress
            self.refresh()

    def tell(self, text: str, ink: Ink) -> None:
        """Say something instead of the keys."""
        self._told = line(text, ink=ink)
        self.refresh()

    def untell(self) -> None:
        """Show the keys again."""
        if self._told is not BLANK:
            self._told = BLANK
            self.refresh()

    def laid_out(self, width: int) -> Line:
        """What was told, else progress and the keys that fit."""
        look = look_of(self)
        if self._told is not BLANK:
            return clipped(look.drawn(self._told), width)
        pieces = list(look.drawn(self._busy).pieces)
        left = width - sum(len(one.text) for one in pieces)
        for offer in self._offers:
            room = offer.width + (2 if pieces else 0)
            if room > left:
                break
            pieces += [*([Piece("  ")] if pieces else []), *offer.pieces]
            left -= room
        return Line(tuple(pieces))
