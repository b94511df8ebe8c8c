"""Rows of a roll that grows by thousands a second: only those on the screen are made, once each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from tui.flows.roll import Entry, Roll
from tui.ink import BLANK, Ink, Line, Piece, line, wrapped
from tui.look import look_of
from tui.widgets.inked import Inked

if TYPE_CHECKING:
    from tui.view.flow_row import Rows

_MARK = 2
"""Columns at the left for the mark of the selected row."""


class Growing(Inked):
    """Rows with a cursor, which follows the newest or stands still with all the rest."""

    def __init__(self, *, id: str | None = None) -> None:
        """An empty list."""
        super().__init__(id=id)
        self.is_following = True
        self._roll = Roll()
        self._rows: Rows | None = None
        # How much of the roll is shown: a paused list stands still while the roll goes on.
        self._begin = self._end = 0
        self._cursor = -1
        self._left = 0
        self._instead: tuple[Line, ...] = ()
        self._said: tuple[Line, ...] = ()

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return self._end - self._begin or len(self._said)

    def row_at(self, index: int) -> Line:
        """A row, made now."""
        if self._end == self._begin:
            return self._said[index]
        entry = self._entry(self._begin + index)
        return BLANK if entry is None else self._made(entry)

    def _made(self, entry: Entry) -> Line:
        if self._rows is None:
            # Only now: this loads what reads flows, and a console that shows none does without.
            from tui.view.flow_row import Rows

            self._rows = Rows()
        return self._rows.line(entry, self.room.width - _MARK)

    @property
    def entry(self) -> Entry | None:
        """What the cursor is on."""
        return self._entry(self._cursor)

    @property
    def unseen(self) -> int:
        """How many have come since the list stopped to follow."""
        return self._roll.end - self._end

    def show(self, roll: Roll) -> None:
        """Show another roll, from its newest."""
        self._roll, self._rows = roll, None
        self._begin = self._end = 0
        self._cursor, self.is_following, self._left = -1, True, 0
        self._strips.clear()
        self.advance()
        self.fit()
        self.refresh()

    def advance(self) -> None:
        """Show what has come since; nothing moves while the list does not follow."""
        if not self.is_following and self._end > self._begin:
            if self._roll.begin > self._window().start:
                self._let_go()
            return
        if self._end == self._roll.end:
            return
        was_empty = self._end == self._begin
        self._begin, self._end = self._roll.begin, self._roll.end
        self._strips.pop(self._cursor, None)
        self._cursor = self._end - 1
        if was_empty:
            self._strips.clear()
        self._fit_quietly()
        self._place(self.max_scroll_y)
        self._forget()
        self.refresh()

    def say_instead(self, said: tuple[Line, ...]) -> None:
        """What stands here while there is no row."""
        if said != self._instead:
            self._instead = said
            if self._end == self._begin:
                self.lay_out()

    def lay_out(self) -> None:
        """Lay out again for another width."""
        look, width = look_of(self), max(10, self.room.width)
        self._said = tuple(row for one in self._instead for row in wrapped(look.drawn(one), width))
        super().lay_out()
        if self.is_following:
            self._place(self.max_scroll_y)
        else:
            self._keep_visible()

    def render_line(self, y: int) -> Strip:
        """Draw one row; kept by the number of its entry, which stays while rows move up."""
        index = y + self.scroll_offset.y
        key = self._begin + index
        if index >= self.row_count:
            # Not kept: an entry may stand here soon.
            return look_of(self).strip(BLANK, self.room.width, self.rich_style)
        if (strip := self._strips.get(key)) is None:
            strip = self._strips[key] = self._drawn(index)
        return strip

    def redraw(self, *indices: int) -> None:
        """Draw some rows again, and no others."""
        for index in indices:
            self._strips.pop(self._begin + index, None)
        super().redraw(*indices)

    def _drawn(self, index: int) -> Strip:
        look, width = look_of(self), self.room.width
        row = look.drawn(self.row_at(index))
        if self._end == self._begin:
            return look.strip(row, width, self.rich_style)
        over = None
        is_selected = self._begin + index == self._cursor
        if is_selected:
            palette = look.palette
            over = palette.cursor_style if self.has_focus else palette.cursor_elsewhere_style
        whole = look.strip(row, max(row.width, self._left + width), self.rich_style, over)
        room = width - _MARK
        strip = whole.crop(self._left, self._left + room)
        if row.width > self._left + room:
            more = look.strip(line("…", ink=Ink.KEY), 1, self.rich_style, over)
            strip = Strip.join([strip.crop(0, room - 1), more])
        mark = look.strip(Line((Piece("› " if is_selected else "  "),)), _MARK, self.rich_style, over)
        return Strip.join([mark, strip])

    def _entry(self, number: int) -> Entry | None:
        # The roll may have let it go since the list was last brought up to date.
        return self._roll[number] if self._roll.begin <= number < self._roll.end else None

    def _window(self) -> range:
        top = self._begin + self.scroll_offset.y
        return range(top, min(self._end, top + self.room.height))

    def _let_go(self) -> None:
        """Rows on the screen have made room for newer ones."""
        gone = self._roll.begin - self._begin
        self._begin, self._end = self._roll.begin, max(self._end, self._roll.begin)
        self._cursor = max(self._cursor, self._begin)
        self._fit_quietly()
        self._place(self.scroll_offset.y - gone)
        self._strips.clear()
        self.refresh()

    def _go(self, number: int) -> None:
        before, self._cursor = self._cursor, number
        self.redraw(before - self._begin, number - self._begin)
        self._keep_visible()

    def _keep_visible(self) -> None:
        row, top, height = self._cursor - self._begin, self.scroll_offset.y, self.room.height
        if row < top:
            self._place(max(0, row))
        elif row >= top + height:
            self._place(row - height + 1)

    def _place(self, top: int) -> None:
        if top != self.scroll_offset.y:
            self.scroll_to(y=max(0, top), animate=False, force=True)

    def _forget(self) -> None:
        """Let go of rows that are far from the screen."""
        if len(self._strips) > 8 * max(1, self.room.height):
            window = self._window()
            self._strips = {at: strip for at, strip in self._strips.items() if at in window}

    def _fit_quietly(self) -> None:
        """Tell the scrollbar how many rows there are, without drawing them."""
        size = Size(self.room.width, self.row_count)
        self.set_reactive(Widget.virtual_size, size)
        self._scroll_update(size)
