"""Diagnose: what is wrong, the evidence, the finding and its fix."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer

from tui.ink import BLANK, Line
from tui.keys import Place, bindings
from tui.screens.exhibits import Exhibits
from tui.screens.subjects import BESIDE, SubjectScreen
from tui.view.rows import Row, filtered
from tui.view.trouble import failure_lines, failure_rows, waiting_rows
from tui.widgets.listing import Listing
from tui.widgets.panes import Stage

if TYPE_CHECKING:
    from tui.session import Session
    from tui.view.desk import Desk
    from tui.view.topic import Copy, Topic

_REST = 0.06
"""Seconds that the cursor rests before the panes follow it."""


class DiagnoseScreen(SubjectScreen):
    """The screen of the console."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(("open", "again", "raw", "filter", "command", "fold", "door"))
    ]

    def __init__(self) -> None:
        """A screen that is not connected yet."""
        super().__init__()
        self.exhibits: Exhibits | None = None
        self._desk: Desk | None = None
        self._folded: frozenset[str] = frozenset()
        self._filters: dict[Place, str] = {}
        self._filtering = Place.LIST
        self._resting: Timer | None = None

    def compose(self) -> ComposeResult:
        """Status, panes, prompt, keys."""
        yield self.status
        yield self.panes
        yield self.prompt
        yield self.key_line

    def on_mount(self) -> None:
        """Draw what there is: nothing yet."""
        super().on_mount()
        self.exhibits = Exhibits(self.panes, self.console.session)
        self.update()

    def update(self) -> None:
        """Show how things stand now."""
        self.update_status()
        self._desk = self.console.make_desk(self._folded)
        self.panes.board.show(
            filtered(_rows(self.console.session, self._desk), self._filters.get(Place.LIST, ""))
        )
        if self._desk and not self.panes.board.is_steered and (root := self._desk.first_root()):
            self.panes.board.select(root)
        self._show_topic()
        self.update_keys()

    @property
    def topic(self) -> Topic | None:
        """What is selected."""
        return self._desk.topic(self.panes.board.selected) if self._desk else None

    def go_to(self, key: str) -> bool:
        """Select a row and show what is behind it; whether it is there. A step's playbook is unfolded."""
        kind, _, name = key.partition(" ")
        if kind == "step" and not any(row.key == key for row in self.panes.board.entries):
            self._folded = self._folded ^ {name.partition(" ")[0]}
            self.update()
        is_there = self.panes.go_to(key)
        self._show_topic()
        return is_there

    def copies(self) -> tuple[Copy, ...]:
        """What can be copied of the pane with the keys."""
        from tui.view.answers import copies_of

        topic, exhibit = self.topic, self.panes.exhibit
        of_topic = topic.copies() if topic else ()
        sheet = self.panes.answer.sheet
        of_exhibit = copies_of(exhibit.command, exhibit.excerpt, sheet) if exhibit else ()
        if exhibit and exhibit.page:
            of_exhibit = exhibit.page.copies()
        return (*of_exhibit, *of_topic) if self.place in BESIDE else (*of_topic, *of_exhibit)

    def printed(self) -> Iterable[Line]:
        """What is selected, whole and unwrapped; in the evidence, the raw answer."""
        topic, answer = self.topic, self.panes.answer
        if self.place in BESIDE:
            return answer.printed()
        return (*topic.head, BLANK, *topic.fixes, BLANK, *topic.rest) if topic else self.panes.page.lines

    def entered(self, sign: str, text: str) -> None:
        """Do what was typed."""
        from tui.screens.colon import obey

        if sign == "/" and self._filtering is Place.FLOWS:
            self.ask_for_flows(text)
        elif sign == "/":
            self._keep_only(text)
        elif said := obey(self, text):
            self.tell(said)

    def changed(self, sign: str, text: str) -> None:
        """Filter while typing, but for answers of megabytes."""
        if sign == "/" and self._filtering is Place.LIST:
            self._keep_only(text)

    def on_listing_selected(self, event: Listing.Selected) -> None:
        """The cursor moved: show what is there."""
        if event.listing is self.panes.board:
            self._show_topic_soon()
        elif self.exhibits:
            self.exhibits.at_cursor()

    def action_open(self) -> None:
        """Go deeper into what is selected."""
        self._show_topic()
        if self.place is Place.FLOWS:
            super().action_open()
        elif not self.panes.forward() and self.place in BESIDE:
            self.action_raw()

    def action_back(self) -> None:
        """Go back."""
        self.panes.backward()

    def action_close(self) -> None:
        """Leave honeyguide."""
        self.console.leave()

    def action_again(self) -> None:
        """Connect again, or ask again for what is selected."""
        if self.place is Place.FLOWS and self.stream:
            self.ask_for_flows(self.stream.question.words if self.stream.question.is_typed else "")
            return
        self.tell(self.console.ask_again(self.topic))
        self.update()

    def action_raw(self) -> None:
        """Show the raw answer on the whole screen; asks for it when it was too large to keep."""
        from tui.screens.reader import AnswerScreen

        exhibit = self.panes.exhibit
        if not self.panes.is_wide and self.place not in BESIDE:
            self.panes.go(Stage.EVIDENCE)
        elif exhibit is not None and exhibit.page is not None:
            from tui.screens.page import PageScreen

            self.app.push_screen(PageScreen(exhibit.page, exhibit.key))
        elif exhibit is None or not exhibit.command:
            why = exhibit.gap.detail if exhibit and exhibit.gap else "no evidence is selected"
            self.tell(f"there is no raw answer: {why}")
        else:
            self.app.push_screen(AnswerScreen(exhibit.command, exhibit.excerpt))
            self.console.session.ask_answer(exhibit.command, may_ask=True)

    def action_filter(self) -> None:
        """Ask which rows to show."""
        self._filtering = self.place
        if self.place is Place.FLOWS:
            from tui.flows.question import completions

            self.ask("/", self.asked_words, completions)
        else:
            self.ask("/", self._filters.get(self.place, ""))

    def action_command(self) -> None:
        """Ask for a command."""
        from tui.aiming import learn_names
        from tui.screens.colon import completions

        learn_names(self.console.session)
        self.ask(":", complete=lambda text: completions(self, text))

    def action_door(self) -> None:
        """Begin from what is seen."""
        from tui.screens.door import DoorScreen

        self.app.push_screen(DoorScreen())

    def action_fold(self) -> None:
        """Fold or unfold the playbook at the cursor."""
        from tui.view.board import PLAYBOOK, STEP

        key = self.panes.board.selected
        for start in (PLAYBOOK, STEP):
            if key.startswith(start):
                name = key.removeprefix(start).partition(" ")[0]
                self._folded = self._folded ^ {name}
                self.update()
                self.panes.board.select(PLAYBOOK + name)

    def _show_topic_soon(self) -> None:
        """Show what is selected when the cursor rests: the cursor itself must never wait for the panes."""
        if self._resting:
            self._resting.stop()
        self._resting = self.set_timer(_REST, self._show_topic)

    def _show_topic(self) -> None:
        session, topic = self.console.session, self.topic
        if session.failure and (session.connected is None or topic is None):
            self.panes.page.show(failure_lines(session.failure, "no connection"), "failure")
        elif topic is not None:
            self.panes.show_topic(topic)
            if self.exhibits:
                self.exhibits.show(topic, session.snapshot)
            self.follow_topic()

    def _keep_only(self, text: str) -> None:
        self._filters[self._filtering] = text
        if self._filtering is Place.LIST:
            self.update()
        elif self._filtering is Place.ANSWER:
            self.panes.answer.keep_only(text)
        else:
            self.panes.keep_only(text)


def _rows(session: Session, desk: Desk | None) -> tuple[Row, ...]:
    """The list: what is known, or what is waited for, or what went wrong."""
    if session.connected is None and session.failure:
        return failure_rows(session.failure, "no connection")
    if desk is None:
        return waiting_rows("loading the playbooks...")
    broken = failure_rows(session.failure, "the check broke") if session.failure else ()
    connecting = waiting_rows("connecting... x stops") if session.is_connecting else ()
    return (*broken, *connecting, *desk.board.rows())
