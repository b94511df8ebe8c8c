"""Widgets of one row: they repaint only when they say something else."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textual.strip import Strip
from textual.widget import Widget

from tui.ink import BLANK, Ink, Line, Piece, clipped
from tui.look import look_of

_BETWEEN = Piece(" │ ", Ink.QUIET)


class OneLine(Widget, can_focus=False):
    """One line, cut at the right edge."""

    ALLOW_SELECT = False

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        """An empty line."""
        super().__init__(id=id, classes=classes)
        self.line = BLANK

    def show(self, line: Line) -> None:
        """Say something; nothing is drawn when it is what was said before."""
        if line != self.line:
            self.line = line
            self.refresh()

    def laid_out(self, width: int) -> Line:
        """The line for a width."""
        return clipped(look_of(self).drawn(self.line), width)

    def visible_text(self) -> str:
        """What can be read."""
        return self.laid_out(self.size.width).text

    def render_line(self, y: int) -> Strip:
        """Draw the line; further rows are empty."""
        line = self.laid_out(self.size.width) if y == 0 else BLANK
        return look_of(self).strip(line, self.size.width, self.rich_style)


@dataclass(frozen=True, slots=True)
class Field:
    """One part of the status line."""

    pieces: tuple[Piece, ...]
    """What it says."""
    rank: int
    """Lower ones are kept when there is no room for all."""

    @property
    def line(self) -> Line:
        """As a line."""
        return Line(self.pieces)


class StatusLine(OneLine):
    """Fields beside each other: as many as there is room for, the most important first."""

    def __init__(self, *, id: str | None = None) -> None:
        """An empty status line."""
        super().__init__(id=id)
        self._fields: tuple[Field, ...] = ()

    def show_fields(self, fields: Iterable[Field]) -> None:
        """Say these; nothing is drawn when they are what was said before."""
        told = tuple(fields)
        if told != self._fields:
            self._fields = told
            self.refresh()

    def laid_out(self, width: int) -> Line:
        """The fields that fit, in their order."""
        look = look_of(self)
        between = look.drawn(Line((_BETWEEN,)))
        kept: list[Field] = []
        left = width
        for field in sorted(self._fields, key=lambda one: one.rank):
            needed = look.drawn(field.line).width + (between.width if kept else 0)
            if kept and needed > left:
                break
            kept.append(field)
            left -= needed
        pieces: list[Piece] = []
        for field in self._fields:
            if field in kept:
                pieces += [*between.pieces, *field.pieces] if pieces else field.pieces
        return clipped(look.drawn(Line(tuple(pieces))), width)
