"""A short list to choose from, over whatever was there."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.ink import Ink, line
from tui.keys import Place, bindings
from tui.screens.calm import CalmScreen
from tui.view.rows import Row
from tui.widgets.listing import Listing
from tui.widgets.one_line import OneLine


class ChoiceScreen(CalmScreen):
    """Choose one row with enter."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("open",))]

    def __init__(self, title: str, rows: tuple[Row, ...], chosen: Callable[[str], None]) -> None:
        """`chosen` gets the key of the row."""
        super().__init__()
        self.head = OneLine(classes="head")
        self.listing = Listing(Place.CHOICE, id="text")
        self._title, self._rows, self._chosen = title, rows, chosen

    def compose(self) -> ComposeResult:
        """Title, rows, keys."""
        yield self.head
        yield self.listing
        yield self.key_line

    def on_mount(self) -> None:
        """Show the rows."""
        super().on_mount()
        self.head.show(line(self._title, ink=Ink.TITLE))
        self.listing.show(self._rows)
        self.listing.focus()
        self.update_keys()

    def on_listing_opened(self) -> None:
        """A row was clicked twice."""
        self.action_open()

    def action_open(self) -> None:
        """Take the row at the cursor."""
        key = self.listing.selected
        self.app.pop_screen()
        if key:
            self._chosen(key)
