"""A page of lines, wrapped to the width of its pane."""

from __future__ import annotations

from tui.ink import Line, wrapped
from tui.look import look_of
from tui.widgets.inked import Inked


class Paper(Inked):
    """Wrapped lines."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        """An empty page."""
        super().__init__(id=id, classes=classes)
        self._lines: tuple[Line, ...] = ()
        self._rows: list[Line] = []
        self._topic = ""

    @property
    def row_count(self) -> int:
        """How many rows the lines take."""
        return len(self._rows)

    def row_at(self, index: int) -> Line:
        """A row."""
        return self._rows[index]

    @property
    def lines(self) -> tuple[Line, ...]:
        """What is shown, unwrapped."""
        return self._lines

    def show(self, lines: tuple[Line, ...], topic: str = "") -> None:
        """Show lines; another topic begins at its top, the same one stays where it was scrolled to."""
        is_new = topic != self._topic
        if lines == self._lines and not is_new:
            return
        self._topic, self._lines = topic, lines
        before = self._rows
        self._wrap()
        if is_new and self.scroll_offset.y:
            self._strips.clear()
            self.scroll_to(y=0, animate=False, force=True)
        if len(before) != len(self._rows) or is_new:
            self._strips.clear()
            self.fit()
            self.refresh()
        else:
            changed = (at for at, (old, new) in enumerate(zip(before, self._rows, strict=True)) if old != new)
            self.redraw(*changed)

    def lay_out(self) -> None:
        """Wrap again for another width."""
        self._wrap()
        super().lay_out()

    def _wrap(self) -> None:
        width = self.room.width
        if width <= 0:
            self._rows = []
            return
        look = look_of(self)
        self._rows = [row for line in self._lines for row in wrapped(look.drawn(line), width)]
