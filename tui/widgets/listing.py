"""A list with a cursor: one entry may take several rows, headings cannot be selected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.ink import BLANK, Line, Piece, wrapped
from tui.keys import Place
from tui.look import look_of
from tui.widgets.inked import Inked

if TYPE_CHECKING:
    from tui.view.rows import Row

_MARK = 2
"""Columns at the left for the mark of the selected row."""


class Listing(Inked):
    """Rows with a cursor."""

    class Selected(Message):
        """The cursor is on another row."""

        def __init__(self, listing: Listing, key: str) -> None:
            super().__init__()
            self.listing = listing
            self.key = key

        @property
        def control(self) -> Listing:
            """The list."""
            return self.listing

    class Opened(Selected):
        """The selected row was clicked again."""

    def __init__(self, place: Place, *, id: str | None = None, classes: str | None = None) -> None:
        """An empty list."""
        super().__init__(id=id, classes=classes)
        self.place = place
        self._entries: tuple[Row, ...] = ()
        self._laid: list[tuple[int, Line]] = []
        self._first: list[int] = []
        self._cursor = -1
        self.is_steered = False

    @property
    def row_count(self) -> int:
        """How many rows the entries take."""
        return len(self._laid)

    def row_at(self, index: int) -> Line:
        """A row, without the cursor's mark."""
        return self._laid[index][1]

    @property
    def entries(self) -> tuple[Row, ...]:
        """What is listed."""
        return self._entries

    @property
    def selected(self) -> str:
        """The key of the entry at the cursor; empty when there is none."""
        return self._entries[self._cursor].key if 0 <= self._cursor < len(self._entries) else ""

    def show(self, entries: tuple[Row, ...], *, is_new: bool = False) -> None:
        """List these; the cursor stays on its entry or near it; in something new it begins at the top."""
        if entries == self._entries:
            return
        key, position = ("", -1) if is_new else (self.selected, self._cursor)
        before = self._laid
        self._entries = entries
        self._lay()
        self._cursor = self._place_of(key, position)
        if len(before) == len(self._laid) and position == self._cursor:
            self.redraw(
                *(at for at, (old, new) in enumerate(zip(before, self._laid, strict=True)) if old != new)
            )
        else:
            self._strips.clear()
            self.fit()
            self.refresh()
        if self.selected != key:
            self._tell()

    def select(self, key: str) -> bool:
        """Put the cursor on an entry; whether it is there."""
        for position, entry in enumerate(self._entries):
            if entry.key == key and not entry.is_heading:
                self._go(position)
                return True
        return False

    def lay_out(self) -> None:
        """Lay out again for another width."""
        self._lay()
        super().lay_out()
        self._keep_visible()

    def action_up(self) -> None:
        """One entry up; at the first one, to the very top."""
        if not self._move(range(self._cursor - 1, -1, -1)):
            super().action_top()

    def action_down(self) -> None:
        """One entry down."""
        self._move(range(self._cursor + 1, len(self._entries)))

    def action_page_up(self) -> None:
        """One page up."""
        self._leap(-max(1, self.room.height - 1))

    def action_page_down(self) -> None:
        """One page down."""
        self._leap(max(1, self.room.height - 1))

    def action_top(self) -> None:
        """To the first entry."""
        self._move(range(len(self._entries)))
        super().action_top()

    def action_end(self) -> None:
        """To the last entry."""
        self._move(range(len(self._entries) - 1, -1, -1))

    def on_click(self, event: events.Click) -> None:
        """Select what is clicked; a second click opens it."""
        index = event.y - self.gutter.top + self.scroll_offset.y
        if not 0 <= index < len(self._laid):
            return
        position = self._laid[index][0]
        if self._entries[position].is_heading:
            return
        self.is_steered = True
        if position == self._cursor:
            self.post_message(self.Opened(self, self.selected))
        else:
            self._go(position)

    def _drawn(self, index: int) -> Strip:
        look = look_of(self)
        if index >= len(self._laid):
            return look.strip(BLANK, self.room.width, self.rich_style)
        position, line = self._laid[index]
        is_selected = position == self._cursor
        over = None
        if is_selected:
            palette = look.palette
            over = palette.cursor_style if self.has_focus else palette.cursor_elsewhere_style
        sign = "› " if is_selected and index == self._first[position] else "  "
        return look.strip(Line((Piece(sign), *_at(line).pieces)), self.room.width, self.rich_style, over)

    def _lay(self) -> None:
        """Wrap the entries."""
        self._laid, self._first = [], []
        width = max(10, self.room.width - _MARK)
        look = look_of(self)
        for position, entry in enumerate(self._entries):
            self._first.append(len(self._laid))
            right = look.drawn(Line((entry.right,))).pieces[0] if entry.right else None
            line = look.drawn(entry.line)
            self._laid += [(position, row) for row in _rows(line, right, entry.tall, width)]

    def _place_of(self, key: str, position: int) -> int:
        """Where the cursor belongs after the entries changed."""
        selectable = [at for at, entry in enumerate(self._entries) if not entry.is_heading]
        same = next((at for at in selectable if self._entries[at].key == key), None)
        if same is not None:
            return same
        return min(selectable, key=lambda at: abs(at - max(position, 0)), default=-1)

    def _move(self, positions: range) -> bool:
        self.is_steered = True
        for position in positions:
            if not self._entries[position].is_heading:
                self._go(position)
                return True
        return False

    def _leap(self, rows: int) -> None:
        if not self._laid or self._cursor < 0:
            return
        target = min(max(0, self._first[self._cursor] + rows), len(self._laid) - 1)
        position = self._laid[target][0]
        below, above = range(position, len(self._entries)), range(position, -1, -1)
        if not self._move(below if rows > 0 else above):
            self._move(above if rows > 0 else below)

    def _go(self, position: int) -> None:
        if position == self._cursor:
            return
        before, self._cursor = self._cursor, position
        self.redraw(*self._rows_of(before), *self._rows_of(position))
        self._keep_visible()
        self._tell()

    def _rows_of(self, position: int) -> range:
        if not 0 <= position < len(self._first):
            return range(0)
        end = self._first[position + 1] if position + 1 < len(self._first) else len(self._laid)
        return range(self._first[position], end)

    def _keep_visible(self) -> None:
        rows = self._rows_of(self._cursor)
        if not rows:
            return
        top, height = self.scroll_offset.y, self.room.height
        if rows[0] < top:
            self.scroll_to(y=rows[0], animate=False, force=True)
        elif rows[-1] >= top + height:
            self.scroll_to(y=rows[-1] - height + 1, animate=False, force=True)

    def _tell(self) -> None:
        self.post_message(self.Selected(self, self.selected))


def _at(line: Line) -> Line:
    """A line whose indent is blanks, so that pieces can stand before it."""
    return Line((Piece(" " * line.indent), *line.pieces)) if line.indent else line


def _rows(line: Line, right: Piece | None, tall: int, width: int) -> list[Line]:
    """An entry as rows, its right-hand piece at the end of the first."""
    room = width - (cell_len(right.text) + 2 if right else 0)
    rows = list(wrapped(line, max(10, room), tall))
    if right:
        first = _at(rows[0])
        gap = Piece(" " * max(1, width - first.width - cell_len(right.text)))
        rows[0] = Line((*first.pieces, gap, right))
    return rows
