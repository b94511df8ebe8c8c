"""One table or log on the whole screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.ink import Ink, Line, line
from tui.keys import Place, bindings
from tui.screens.prompting import PromptScreen
from tui.widgets.answer import AnswerPane
from tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from tui.view.topic import Copy, Page


class PageScreen(PromptScreen):
    """A page, as wide as the terminal."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("filter",))]

    def __init__(self, page: Page, key: str) -> None:
        """`key` tells pages apart."""
        super().__init__()
        self.head = OneLine(classes="head")
        self.answer = AnswerPane(Place.WHOLE, id="text")
        self._page = page
        self._key = key

    def compose(self) -> ComposeResult:
        """Title, rows, prompt, keys."""
        yield self.head
        yield self.answer
        yield self.prompt
        yield self.key_line

    def on_mount(self) -> None:
        """Show the page."""
        super().on_mount()
        self.head.show(line(self._page.title, ink=Ink.TITLE))
        self.answer.show_page(self._page, self._key)
        self.answer.focus()
        self.update_keys()

    def copies(self) -> tuple[Copy, ...]:
        """What can be copied of it."""
        return self._page.copies()

    def printed(self) -> Iterable[Line]:
        """The page, unwrapped."""
        return self.answer.printed()

    def entered(self, sign: str, text: str) -> None:
        """Show only the rows that hold a text."""
        del sign
        self.answer.keep_only(text)

    def action_filter(self) -> None:
        """Ask which rows to show."""
        self.ask("/", self.answer.kept_filter)
