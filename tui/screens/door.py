"""The door for who does not know what to look for: what do you see, and of what? Then the guide walks."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui.ink import Ink, Line, line, piece
from tui.keys import Place, bindings
from tui.screens.prompting import PromptScreen
from tui.view.rows import Row, filtered, heading
from tui.widgets.listing import Listing
from tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from playbooks.knowledge.symptoms import Kind, Symptom
    from playbooks.model.answer import Gap
    from tui.asking_choices import Choice

_UNSURE = "unsure"
_MOST = 2000
"""Rows of a list at most: more are found by a filter."""


class DoorScreen(PromptScreen):
    """Symptoms, then at most three questions; each a list."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("open", "filter"))]

    class Listed(Message):
        """What the cluster has to choose from, or why that is not known."""

        def __init__(self, lists: dict[Kind, tuple[Choice, ...] | Gap]) -> None:
            super().__init__()
            self.lists = lists

    def __init__(self) -> None:
        """Nothing is chosen yet."""
        super().__init__()
        self.head = OneLine(classes="head")
        self.listing = Listing(Place.DOOR, id="text")
        self._symptom: Symptom | None = None
        self._answers: list[Choice | None] = []
        self._lists: dict[Kind, tuple[Choice, ...] | Gap] = {}
        self._filter = ""
        self._is_asked = False

    def compose(self) -> ComposeResult:
        """Question, list, prompt, keys."""
        yield self.head
        yield self.listing
        yield self.prompt
        yield self.key_line

    def on_mount(self) -> None:
        """Ask what is seen; what there is to choose from is read meanwhile."""
        super().on_mount()
        self._learn()
        self._show()
        self.set_focus(self.listing)
        self.update_keys()

    def follow(self) -> None:
        """There may be a connection now."""
        if not self._is_asked:
            self._learn()

    def action_open(self) -> None:
        """Take the answer at the cursor."""
        from playbooks.knowledge.symptoms import symptoms

        key = self.listing.selected
        if not key:
            return
        if self._symptom is None:
            self._symptom = next(one for one in symptoms() if one.key == key)
        else:
            found = self._listed()
            self._answers.append(next((one for one in found if one.name == key), None))
        self._filter = ""
        if len(self._answers) == len(self._symptom.asks):
            self._walk(self._symptom)
        self._show()

    def action_back(self) -> None:
        """Go back one question; from the first one to where one came from."""
        self._filter = ""
        if self._answers:
            self._answers.pop()
        elif self._symptom is not None:
            self._symptom = None
        else:
            self.app.pop_screen()
            return
        self._show()

    def action_filter(self) -> None:
        """Ask which rows to show."""
        self.ask("/", self._filter)

    def changed(self, sign: str, text: str) -> None:
        """Filter while typing."""
        del sign
        self._filter = text
        self._show()

    def entered(self, sign: str, text: str) -> None:
        """Show only rows that hold a text."""
        self.changed(sign, text)

    def on_listing_opened(self) -> None:
        """A row was clicked twice."""
        self.action_open()

    def on_door_screen_listed(self, event: Listed) -> None:
        """The lists have come."""
        self._lists = event.lists
        self._show()
        self.update_keys()

    def _show(self) -> None:
        symptom, count = self._symptom, len(self._answers)
        if symptom is None or count >= len(symptom.asks):
            self.head.show(line("What do you see?", ink=Ink.TITLE))
            self.listing.show(filtered(_symptom_rows(), self._filter), is_new=not self._filter)
            if symptom is not None:
                # Back from the guide leads to the last question.
                self.head.show(line(symptom.says, ink=Ink.TITLE))
            return
        ask = piece(symptom.asks[count].ask, Ink.TITLE)
        number = piece(f"Question {count + 1} of {len(symptom.asks)}: ", Ink.QUIET)
        self.head.show(line(number, ask, piece(f"  {symptom.says}", Ink.QUIET)))
        self.listing.show(filtered(self._choice_rows(), self._filter), is_new=not self._filter)

    def _choice_rows(self) -> tuple[Row, ...]:
        assert self._symptom is not None
        question = self._symptom.asks[len(self._answers)]
        unsure = Row(_UNSURE, line("not sure", ink=Ink.KEY))
        found = self._lists.get(question.kind)
        if found is None:
            return (unsure, _waiting())
        if not isinstance(found, tuple):
            from tui.view.answers import gap_lines

            gap = [
                Row(f"gap {at}", said, tall=4, is_heading=True) for at, said in enumerate(gap_lines(found))
            ]
            return (unsure, *gap)
        from tui.view.guide import troubled

        bad = troubled(self.console.session.snapshot)
        states = [(one.name, one.state or bad.get(one.name, "")) for one in found]
        sick = [Row(name, line(name), piece(state, Ink.WARN)) for name, state in states if state]
        sound = [Row(name, line(name)) for name, state in states if not state]
        more = len(sound) - _MOST
        rest = (heading("more", f"and {more:,} more, found by /"),) if more > 0 and not self._filter else ()
        return (*sick, unsure, *(sound if self._filter else sound[:_MOST]), *rest)

    def _listed(self) -> tuple[Choice, ...]:
        assert self._symptom is not None
        found = self._lists.get(self._symptom.asks[len(self._answers)].kind)
        return found if isinstance(found, tuple) else ()

    def _learn(self) -> None:
        from playbooks.knowledge.symptoms import Kind
        from tui.asking_choices import choices

        self._is_asked = self.console.session.ask(lambda knowing: choices(knowing, Kind), self._tell)

    def _tell(self, done: Future[dict[Kind, tuple[Choice, ...] | Gap]]) -> None:
        from playbooks.knowledge.symptoms import Kind
        from playbooks.model.answer import Gap, GapKind

        if not done.cancelled() and not done.exception():
            self.post_message(self.Listed(done.result()))
            return
        why = "asking was stopped" if done.cancelled() else str(done.exception())
        gap = Gap(GapKind.FAILED, why, remedy="choose not sure, or come in again with s")
        self.post_message(self.Listed(dict.fromkeys(Kind, gap)))

    def _walk(self, symptom: Symptom) -> None:
        from tui.screens.guide import GuideScreen

        chosen = tuple(one for one in self._answers if one is not None)
        self.app.push_screen(GuideScreen(symptom, chosen))
        if self._answers:
            self._answers.pop()
        else:
            self._symptom = None


def _symptom_rows() -> tuple[Row, ...]:
    from playbooks.knowledge.symptoms import symptoms

    return tuple(Row(one.key, line(one.says)) for one in symptoms())


def _waiting() -> Row:
    said: Line = line("reading what there is...", ink=Ink.QUIET)
    return Row("waiting", said, is_heading=True)
