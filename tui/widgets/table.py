"""Rows with a cursor of which only the visible ones are ever made: there may be tens of thousands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.message import Message
from textual.strip import Strip

from tui.ink import BLANK, Line, Piece, wrapped
from tui.keys import Place
from tui.look import look_of
from tui.widgets.inked import Inked

if TYPE_CHECKING:
    from tui.view.objects import Item

_MARK = 2
"""Columns at the left for the mark of the selected row."""
_KEPT = 8
"""Screens of drawn rows that are kept."""


class Table(Inked):
    """One row for each object."""

    class Opened(Message):
        """The selected row was clicked again."""

    def __init__(self, place: Place, *, id: str | None = None) -> None:
        """An empty table."""
        super().__init__(id=id)
        self.place = place
        self._items: Sequence[Item] = ()
        self._make: Callable[[Item], Line] = lambda item: BLANK
        self._cursor = 0
        self._instead: tuple[Line, ...] = ()
        self._said: tuple[Line, ...] = ()

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return len(self._items) or len(self._said)

    def row_at(self, index: int) -> Line:
        """A row, made now."""
        return self._make(self._items[index]) if self._items else self._said[index]

    @property
    def item(self) -> Item | None:
        """What the cursor is on."""
        return self._items[self._cursor] if self._cursor < len(self._items) else None

    @property
    def items(self) -> Sequence[Item]:
        """What is listed."""
        return self._items

    def show(self, items: Sequence[Item], make: Callable[[Item], Line], instead: tuple[Line, ...]) -> None:
        """List these; `instead` stands there when there are none. The cursor stays on its object."""
        here = self.item
        self._items, self._make, self._instead = items, make, instead
        self._cursor = min(self._cursor, max(0, len(items) - 1))
        if here is not None and self.item is not None and self.item.ref != here.ref:
            same = (at for at, one in enumerate(items) if one.ref == here.ref)
            self._cursor = next(same, self._cursor)
        self.lay_out()

    def select(self, path: str) -> bool:
        """Put the cursor on an object by its name; whether it is there."""
        for at, one in enumerate(self._items):
            if one.path == path:
                self._go(at)
                return True
        return False

    def lay_out(self) -> None:
        """Lay out again for another width."""
        look, width = look_of(self), max(10, self.room.width)
        self._said = tuple(row for one in self._instead for row in wrapped(look.drawn(one), width))
        super().lay_out()
        self._keep_visible()

    def action_up(self) -> None:
        """One row up."""
        self._go(self._cursor - 1)

    def action_down(self) -> None:
        """One row down."""
        self._go(self._cursor + 1)

    def action_page_up(self) -> None:
        """One page up."""
        self._go(self._cursor - max(1, self.room.height - 1))

    def action_page_down(self) -> None:
        """One page down."""
        self._go(self._cursor + max(1, self.room.height - 1))

    def action_top(self) -> None:
        """To the first row."""
        self._go(0)

    def action_end(self) -> None:
        """To the last row."""
        self._go(len(self._items) - 1)

    def on_click(self, event: events.Click) -> None:
        """Select what is clicked; a second click opens it."""
        at = event.y - self.gutter.top + self.scroll_offset.y
        if not 0 <= at < len(self._items):
            return
        if at == self._cursor:
            self.post_message(self.Opened())
        else:
            self._go(at)

    def _go(self, at: int) -> None:
        at = max(0, min(at, len(self._items) - 1))
        if at == self._cursor:
            return
        before, self._cursor = self._cursor, at
        if len(self._strips) > _KEPT * max(1, self.room.height):
            self._strips.clear()
        self.redraw(before, at)
        self._keep_visible()

    def _keep_visible(self) -> None:
        top, height = self.scroll_offset.y, max(1, self.room.height)
        if self._cursor < top:
            self.scroll_to(y=self._cursor, animate=False, force=True)
        elif self._cursor >= top + height:
            self.scroll_to(y=self._cursor - height + 1, animate=False, force=True)

    def _drawn(self, index: int) -> Strip:
        look, width = look_of(self), self.room.width
        if index >= self.row_count:
            return look.strip(BLANK, width, self.rich_style)
        row = self.row_at(index)
        if not self._items:
            return look.strip(row, width, self.rich_style)
        is_selected = index == self._cursor
        over = None
        if is_selected:
            palette = look.palette
            over = palette.cursor_style if self.has_focus else palette.cursor_elsewhere_style
        mark = Piece("› " if is_selected else "  ")
        return look.strip(Line((mark, *row.pieces)), width, self.rich_style, over)
