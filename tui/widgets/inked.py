"""What all panes are: rows of ink, drawn only where they are visible and only when they changed."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.content import Content
from textual.geometry import Region, Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from tui.ink import BLANK, Line
from tui.keys import MOVES, Place, bindings
from tui.look import look_of

_SIDEWAYS = 16
"""Columns that one key moves to the side."""


class Inked(ScrollView, can_focus=True, inherit_bindings=False):
    """Rows of ink that scroll."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(MOVES)]
    ALLOW_SELECT = False
    place = Place.PAGE
    """What the keys are called here."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        """An empty pane."""
        super().__init__(id=id, classes=classes)
        self._strips: dict[int, Strip] = {}
        self._titles = ("", "")

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return 0

    def row_at(self, index: int) -> Line:  # noqa: ARG002
        """A row, laid out for the present width."""
        return BLANK

    @property
    def room(self) -> Size:
        """Columns and rows between borders and scrollbar."""
        return self.scrollable_content_region.size

    def visible_text(self) -> str:
        """What can be read in this pane now."""
        top = self.scroll_offset.y
        rows = range(top, min(self.row_count, top + self.room.height))
        return "\n".join(self.row_at(index).text for index in rows)

    def say(self, title: str, note: str = "") -> None:
        """Name the pane in its border."""
        if (title, note) != self._titles:
            self._titles = (title, note)
            look = look_of(self)
            self.border_title = Content(look.text(title))
            self.border_subtitle = Content(look.text(note))

    def render_line(self, y: int) -> Strip:
        """Draw one row of the visible part."""
        index = y + self.scroll_offset.y
        if (strip := self._strips.get(index)) is None:
            strip = self._strips[index] = self._drawn(index)
        return strip

    def notify_style_update(self) -> None:
        """Forget what was drawn in another style."""
        super().notify_style_update()
        self._strips.clear()

    def on_resize(self, event: events.Resize) -> None:
        """Lay out again for another width."""
        del event
        self.lay_out()

    def lay_out(self) -> None:
        """Fit the rows to the present width."""
        self._strips.clear()
        self.fit()
        self.refresh()

    def fit(self) -> None:
        """Tell the scrollbars how many rows there are."""
        size = Size(self.content_width, self.row_count)
        if size != self.virtual_size:
            # Set past the reactive, which would lay out and repaint the whole screen: our size stays.
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)

    @property
    def content_width(self) -> int:
        """Columns of the widest row; the pane's own width where rows are wrapped or cut."""
        return self.room.width

    def redraw(self, *indices: int) -> None:
        """Draw some rows again, and no others."""
        for index in indices:
            self._strips.pop(index, None)
            y = index - self.scroll_offset.y
            if 0 <= y < self.room.height:
                self.refresh(Region(0, y, self.room.width, 1))

    def action_up(self) -> None:
        """Scroll one row up."""
        self.scroll_relative(y=-1, animate=False, force=True)

    def action_down(self) -> None:
        """Scroll one row down."""
        self.scroll_relative(y=1, animate=False, force=True)

    def action_page_up(self) -> None:
        """Scroll one page up."""
        self.scroll_relative(y=-max(1, self.room.height - 1), animate=False, force=True)

    def action_page_down(self) -> None:
        """Scroll one page down."""
        self.scroll_relative(y=max(1, self.room.height - 1), animate=False, force=True)

    def action_top(self) -> None:
        """Scroll to the first row."""
        self.scroll_to(y=0, animate=False, force=True)

    def action_end(self) -> None:
        """Scroll to the last row."""
        self.scroll_to(y=self.max_scroll_y, animate=False, force=True)

    def action_left(self) -> None:
        """Scroll to the left."""
        self.scroll_relative(x=-_SIDEWAYS, animate=False, force=True)
        self._strips.clear()

    def action_right(self) -> None:
        """Scroll to the right."""
        self.scroll_relative(x=_SIDEWAYS, animate=False, force=True)
        self._strips.clear()

    def _drawn(self, index: int) -> Strip:
        line = self.row_at(index) if index < self.row_count else BLANK
        return look_of(self).strip(line, self.room.width, self.rich_style)
