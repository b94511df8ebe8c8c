"""The list of flows: it follows the newest until somebody goes up."""

from __future__ import annotations

from textual import events
from textual.message import Message

from tui.keys import Place
from tui.widgets.growing import Growing

_SIDEWAYS = 16
"""Columns that one key moves to the side."""
_WHEEL = 3
"""Rows that the wheel moves."""


class FlowList(Growing):
    """Keys and mouse."""

    class Opened(Message):
        """A row was clicked again."""

    class Steered(Message):
        """It stopped to follow, or follows again."""

    place = Place.FLOWS

    def follow(self) -> None:
        """Go to the newest, and stay there."""
        self.is_following = True
        self.advance()
        self._go(self._end - 1)
        self.post_message(self.Steered())

    def hold(self) -> None:
        """Stand still, where it is."""
        if self.is_following:
            self.is_following = False
            self.post_message(self.Steered())

    def action_up(self) -> None:
        """One row up; the list no longer follows."""
        self._steer(self._cursor - 1)

    def action_down(self) -> None:
        """One row down; below the last one it follows again."""
        self._steer(self._cursor + 1)

    def action_page_up(self) -> None:
        """One page up."""
        self._steer(self._cursor - max(1, self.room.height - 1))

    def action_page_down(self) -> None:
        """One page down."""
        self._steer(self._cursor + max(1, self.room.height - 1))

    def action_top(self) -> None:
        """To the oldest."""
        self._steer(self._begin)

    def action_end(self) -> None:
        """To the newest, and follow it."""
        self.follow()

    def action_left(self) -> None:
        """To the left."""
        self._shift(-_SIDEWAYS)

    def action_right(self) -> None:
        """To the right."""
        self._shift(_SIDEWAYS)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel moves the cursor, so that the list stops following."""
        event.stop()
        self._steer(self._cursor - _WHEEL)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor."""
        event.stop()
        self._steer(self._cursor + _WHEEL)

    def on_click(self, event: events.Click) -> None:
        """Select what is clicked; a second click opens it."""
        number = self._begin + event.y - self.gutter.top + self.scroll_offset.y
        if not self._begin <= number < self._end:
            return
        if number == self._cursor:
            self.post_message(self.Opened())
        else:
            self._steer(number)

    def _steer(self, number: int) -> None:
        if self._end == self._begin:
            return
        if number >= self._end:
            self.follow()
            return
        if self._roll.begin > self._begin:
            self._let_go()
        self.hold()
        self._go(max(self._begin, number))

    def _shift(self, columns: int) -> None:
        left = max(0, self._left + columns)
        if left != self._left:
            self._left = left
            self._strips.clear()
            self.refresh()
