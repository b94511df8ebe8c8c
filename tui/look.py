"""How the terminal is drawn on: a palette, and whether it knows more than ASCII."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, cast

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip
from textual.widget import Widget

from tui.ink import Line
from tui.themes import Palette


@dataclass(frozen=True)
class Look:
    """The look of a console."""

    palette: Palette
    """Colours."""
    is_ascii: bool = False
    """Whether only ASCII may be drawn."""

    def drawn(self, line: Line) -> Line:
        """A line as this terminal can show it."""
        return line.in_ascii() if self.is_ascii else line

    def text(self, words: str) -> str:
        """Our own words as this terminal can show them."""
        from tui.ink import plain

        return plain(words) if self.is_ascii else words

    def strip(self, line: Line, width: int, base: Style, over: Style | None = None) -> Strip:
        """A line on the screen, cut or filled to a width; `over` replaces every ink."""
        ground = base + over if over else base
        return Strip(list(self._segments(self.drawn(line), base, over))).adjust_cell_length(width, ground)

    def _segments(self, line: Line, base: Style, over: Style | None) -> Iterator[Segment]:
        if line.indent:
            yield Segment(" " * line.indent, base + over if over else base)
        for one in line.pieces:
            yield Segment(one.text, base + (over or self.palette.styles[one.ink]))


class HasLook(Protocol):
    """An app with a look."""

    look: Look


def look_of(widget: Widget) -> Look:
    """The look of the console that a widget is in."""
    return cast("HasLook", widget.app).look
