"""Full-screen text: a raw answer, a log, help, information."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType

from tui.ink import Ink, Line, line, piece
from tui.keys import Place, bindings
from tui.screens.calm import CalmScreen
from tui.screens.prompting import PromptScreen
from tui.view.answers import copies_of, said_instead
from tui.widgets.answer import AnswerPane
from tui.widgets.one_line import OneLine
from tui.widgets.paper import Paper

if TYPE_CHECKING:
    from tui.news import AnswerArrived
    from tui.view.topic import Copy


class PaperScreen(CalmScreen):
    """A page of our own words."""

    def __init__(self, title: str, lines: tuple[Line, ...]) -> None:
        """`title` names it in its first line."""
        super().__init__()
        self.head = OneLine(classes="head")
        self.paper = Paper(id="text")
        self.paper.place = Place.READER
        self._title = title
        self._lines = lines

    def compose(self) -> ComposeResult:
        """Title, page, keys."""
        yield self.head
        yield self.paper
        yield self.key_line

    def on_mount(self) -> None:
        """Show the page."""
        super().on_mount()
        self.head.show(line(self._title, ink=Ink.TITLE))
        self.paper.show(self._lines, self._title)
        self.paper.focus()
        self.update_keys()

    def printed(self) -> Iterable[Line]:
        """The page."""
        return self._lines


class AnswerScreen(PromptScreen):
    """One raw answer, from the part that proves the point."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("filter",))]

    def __init__(self, name: str, excerpt: str = "") -> None:
        """`name` is under which the answer will arrive."""
        super().__init__()
        self.head = OneLine(classes="head")
        self.answer = AnswerPane(Place.WHOLE, id="text")
        self.name_of_answer = name
        self._excerpt = excerpt
        self._command = name
        self._arrived: AnswerArrived | None = None

    def compose(self) -> ComposeResult:
        """Command, rows, prompt, keys."""
        yield self.head
        yield self.answer
        yield self.prompt
        yield self.key_line

    def on_mount(self) -> None:
        """Wait for the answer."""
        super().on_mount()
        self._entitle()
        self.answer.say_instead(line("asking... x stops", ink=Ink.QUIET))
        self.answer.focus()
        self.update_keys()
        if self._arrived is not None:
            self._show(self._arrived)

    def take_answer(self, arrived: AnswerArrived) -> None:
        """Show the answer, or why there is none."""
        if arrived.name == self.name_of_answer:
            # What is in memory arrives before the screen is there to show it.
            self._arrived = arrived
            if self.is_mounted:
                self._show(arrived)

    def _show(self, arrived: AnswerArrived) -> None:
        self._command = arrived.command
        self._entitle()
        if arrived.sheet is not None:
            self.answer.show(arrived.sheet, self._excerpt)
        else:
            self.answer.say_instead(*said_instead(arrived))

    def copies(self) -> tuple[Copy, ...]:
        """The command, the part that proves the point, the whole answer."""
        return copies_of(self._command, self._excerpt, self.answer.sheet)

    def printed(self) -> Iterable[Line]:
        """The rows that are shown."""
        return (self.answer.row_at(at) for at in range(self.answer.row_count))

    def entered(self, sign: str, text: str) -> None:
        """Show only the rows that hold a text."""
        del sign
        self.answer.keep_only(text)

    def action_filter(self) -> None:
        """Ask which rows to show."""
        self.ask("/", self.answer.kept_filter)

    def _entitle(self) -> None:
        self.head.show(line(piece("$ ", Ink.QUIET), piece(self._command, Ink.COMMAND)))
