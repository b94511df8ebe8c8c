"""The evidence of what is selected: listed, and its raw answer fetched when the cursor rests on it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from textual.timer import Timer

from tui.ink import BLANK, Ink, Line, line, piece
from tui.view.answers import gap_lines, said_instead
from tui.widgets.panes import Panes

if TYPE_CHECKING:
    from playbooks.engine.snapshot import Snapshot
    from tui.news import AnswerArrived, BesideArrived, LookedArrived
    from tui.session import Session
    from tui.view.topic import Exhibit, Topic

_DWELL = 0.12
"""Seconds that the cursor rests on a row before its raw answer is fetched."""
_ASKING = line("reading what was asked for this...", ink=Ink.QUIET)
_NONE = line("no answer was needed for this, or none has come yet", ink=Ink.QUIET)


@dataclass(slots=True)
class Exhibits:
    """What the evidence pane and the raw answer beside it show."""

    panes: Panes
    """Where they are shown."""
    session: Session
    """Who is asked."""
    _topic: str = ""
    _asked: object = None
    _listed: tuple[Exhibit, ...] = ()
    _beside: tuple[Exhibit, ...] = ()
    _answer: str = ""
    _resting: Timer | None = field(default=None)

    def show(self, topic: Topic, snapshot: Snapshot | None) -> None:
        """List the evidence of a topic; what its rules looked at is asked for when that may have changed."""
        if topic.exhibits is not None:
            self._show_own(topic, topic.exhibits, snapshot)
            return
        outcomes = snapshot.outcomes if snapshot else {}
        wanted = (
            topic.key,
            tuple(outcomes.get(rule.id) for rule in topic.rules),
            bool(snapshot and snapshot.is_over),
        )
        if topic.key != self._topic:
            self._topic, self._listed = topic.key, ()
            self.panes.show_exhibits(topic.key, (), _ASKING if topic.rules else _NONE)
        if wanted != self._asked:
            self._asked = wanted
            self.session.ask_looked(topic.key, topic.rules)

    def _show_own(self, topic: Topic, exhibits: tuple[Exhibit, ...], snapshot: Snapshot | None) -> None:
        """List what stands beside a finding, then its own evidence."""
        from tui.view.finding import FindingTopic

        if topic.key != self._topic:
            self._topic, self._asked, self._beside = topic.key, None, ()
        self._listed = exhibits
        self.panes.show_exhibits(topic.key, (*self._beside, *exhibits), _NONE)
        if isinstance(topic, FindingTopic):
            wanted = (topic.finding, bool(snapshot and snapshot.is_over))
            if wanted != self._asked:
                self._asked = wanted
                self.session.aside.ask_beside(self.session, topic.key, topic.ranked)

    def take_beside(self, arrived: BesideArrived) -> None:
        """The tables and log lines that stand beside a finding."""
        from tui.view.beside import exhibits_of

        if arrived.topic != self._topic or self._asked is None:
            return
        self._beside = exhibits_of(arrived.beside)
        self.panes.show_exhibits(arrived.topic, (*self._beside, *self._listed), _NONE)
        exhibit = self.panes.exhibit
        if exhibit is not None and exhibit.key == self._answer and exhibit.page is not None:
            self.panes.answer.show_page(exhibit.page, exhibit.key)

    def take_looked(self, arrived: LookedArrived) -> None:
        """What the rules of a topic looked at."""
        from tui.view.topic import from_looked

        if arrived.topic == self._topic and self._asked is not None:
            self._listed = from_looked(arrived.looked)
            self.panes.show_exhibits(arrived.topic, self._listed, _NONE)

    def at_cursor(self) -> None:
        """Another row of evidence is selected: fetch its answer if the cursor stays there."""
        exhibit = self.panes.exhibit
        name = exhibit.key if exhibit else ""
        if name == self._answer:
            return
        self._answer = name
        if self._resting:
            self._resting.stop()
        pane = self.panes.answer
        pane.say(exhibit.page.title if exhibit and exhibit.page else "Raw answer")
        if exhibit is None:
            pane.say_instead(_NONE)
        elif exhibit.page is not None:
            pane.show_page(exhibit.page, exhibit.key)
        elif exhibit.gap is not None:
            pane.say_instead(*gap_lines(exhibit.gap))
        else:
            pane.say_instead(_command(exhibit.command))
            self._resting = self.panes.set_timer(_DWELL, self._fetch)

    def take_answer(self, arrived: AnswerArrived) -> None:
        """A raw answer, if it is still the one that is selected."""
        exhibit = self.panes.exhibit
        if exhibit is None or exhibit.page is not None or exhibit.command != arrived.name:
            return
        if arrived.sheet is None:
            self.panes.answer.say_instead(_command(exhibit.command), BLANK, *said_instead(arrived))
        else:
            self.panes.answer.show(arrived.sheet, exhibit.excerpt, _command(arrived.command))

    def _fetch(self) -> None:
        exhibit = self.panes.exhibit
        if exhibit is not None and exhibit.command:
            self.session.ask_answer(exhibit.command)


def _command(command: str) -> Line:
    return line(piece("$ ", Ink.QUIET), piece(command, Ink.COMMAND))
