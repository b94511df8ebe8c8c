"""The half of Diagnose that shows flows: one timer, one stream, a question that follows what is selected."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.timer import Timer

from tui.flows.question import DROPS, HelpWanted, Question, WrongQuestion, typed
from tui.ink import BLANK, Piece, line
from tui.keys import Place, bindings
from tui.screens.prompting import PromptScreen
from tui.widgets.flow_list import FlowList
from tui.widgets.listing import Listing
from tui.widgets.one_line import StatusLine
from tui.widgets.panes import Panes

if TYPE_CHECKING:
    from tui.flows.watch import Watch
    from tui.view.topic import Topic

_FRAME, _SLOW_FRAME = 0.2, 0.5
"""Seconds between two looks at what has come: a list that follows sends all of its rows each time."""
_DWELL = 0.4
"""Seconds that the cursor rests on a finding before its flows are asked for."""


class FlowingScreen(PromptScreen):
    """A screen with panes, one of them with flows."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("flows", "pause"))]

    def __init__(self) -> None:
        """Nothing is asked yet."""
        super().__init__()
        self.status = StatusLine(id="status")
        self.panes = Panes()
        self._draining: Timer | None = None
        self._dwelling: Timer | None = None
        self._wrong_words = ""
        self._stream_told: Piece | None = None

    @property
    def stream(self) -> Watch | None:
        """The flows of this source; nothing before there is one, and where it has none."""
        return self.console.session.watch

    @property
    def topic(self) -> Topic | None:
        """What is selected."""
        return None

    def update_status(self) -> None:
        """Say on the status line how things stand."""
        status = self.console.status(self._stream_told)
        self.status.show_fields(status.fields())
        is_told = status.progress.text in self.status.visible_text()
        self.key_line.work(BLANK if is_told else status.progress)

    def show_flows(self, question: Question | None = None) -> None:
        """Show the pane of flows, and ask if that is to be asked anew."""
        if not self.panes.is_flowing:
            self.panes.turn_to_flows()
        self._ask_flows(question or self._question())

    def ask_for_flows(self, text: str) -> None:
        """Ask in the words of hubble observe; what is wrong with them is told where they stand."""
        watch = self.stream
        if watch is None:
            return
        self._wrong_words = self.panes.flows.wrong = ""
        try:
            question = typed(text, watch.flows.now) if text.strip() else self._following()
        except WrongQuestion as wrong:
            self._wrong_words, self.panes.flows.wrong = text, str(wrong)
        except HelpWanted as wanted:
            from tui.screens.reader import PaperScreen

            lines = tuple(line(said) for said in wanted.text.split("\n"))
            self.app.push_screen(PaperScreen("What flows are asked for with", lines))
        else:
            self._ask_flows(question, is_forced=True)
        self.draw_flows()

    @property
    def asked_words(self) -> str:
        """What the filter line begins with."""
        if self._wrong_words or self.stream is None:
            return self._wrong_words
        return self.stream.question.words

    def follow_topic(self) -> None:
        """Ask for the flows of what is selected now, when the cursor rests on it."""
        watch = self.stream
        if self._dwelling:
            self._dwelling.stop()
        if self.panes.is_flowing and watch is not None and self._draining is None:
            # They were wanted before there was anybody to ask.
            self._ask_flows(self._question())
            return
        if not self.panes.is_flowing or watch is None or watch.question.is_typed or not watch.was_asked:
            return
        if self._following() != watch.question:
            self._dwelling = self.set_timer(_DWELL, self._rested)

    def _rested(self) -> None:
        if self.panes.is_flowing and self.stream and self.stream.was_asked:
            self._ask_flows(self._question())

    def draw_flows(self) -> None:
        """Take what has come and show it; nothing is drawn where nothing is different."""
        watch = self.stream
        if watch is not None:
            watch.drain()
        if self.panes.is_flowing:
            self.panes.flows.show(watch, is_connected=self.console.session.connected is not None)
        self._tell_stream()

    def on_listing_opened(self, event: Listing.Opened) -> None:
        """A selected row was clicked."""
        event.stop()
        self.action_open()

    def on_flow_list_opened(self, event: FlowList.Opened) -> None:
        """A flow was clicked again."""
        event.stop()
        self.open_flow()

    def action_open(self) -> None:
        """Go deeper into what is selected."""
        self.open_flow()

    def on_flow_list_steered(self, event: FlowList.Steered) -> None:
        """Somebody moved in the list."""
        event.stop()
        self.panes.flows.steered()
        self.draw_flows()

    def open_flow(self) -> None:
        """Show all of the flow at the cursor."""
        from tui.screens.flow import FlowScreen
        from tui.view.flow_page import FlowPage

        entry = self.panes.flows.list.entry
        if entry is None:
            self.tell("there is no flow to open yet")
            return
        session = self.console.session
        self.panes.flows.list.hold()
        self.app.push_screen(FlowScreen(FlowPage(entry, session.catalogue), session.ask_policies))

    def action_stop(self) -> None:
        """In the list of flows end the stream, elsewhere all work."""
        if self.place is not Place.FLOWS:
            super().action_stop()
            return
        was_on = bool(self.stream and self.stream.stop())
        self.draw_flows()
        self.tell("the stream is stopped; r asks again" if was_on else "nothing is under way; q leaves")

    def action_flows(self) -> None:
        """Show flows in place of the evidence, or the evidence again."""
        if self.panes.turn_to_flows():
            self._ask_flows(self._question())
        self.update_keys()

    def action_pause(self) -> None:
        """Let the list stand still, or follow again."""
        self.panes.flows.pause()
        self.draw_flows()

    def _question(self) -> Question:
        """What was typed, or what belongs to the selected finding."""
        watch = self.stream
        if watch is not None and watch.question.is_typed:
            return watch.question
        return self._following()

    def _following(self) -> Question:
        from tui.flows.subjects import flows_of
        from tui.view.finding import FindingTopic

        topic = self.topic
        return flows_of(topic.finding.subjects) if isinstance(topic, FindingTopic) else DROPS

    def _ask_flows(self, question: Question, *, is_forced: bool = False) -> None:
        watch = self.stream
        if watch is not None and (is_forced or question != watch.question or not watch.was_asked):
            self.panes.flows.wrong = self._wrong_words = ""
            watch.ask(question, self.topic.nodes if self.topic else ())
        if self._draining is None and watch is not None:
            pace = _SLOW_FRAME if self.console.session.options.is_slow else _FRAME
            self._draining = self.set_interval(pace, self.draw_flows)
        self.draw_flows()

    def _tell_stream(self) -> None:
        """Repaint the status line only when the stream says something else."""
        from tui.view.flow_state import told

        watch = self.stream
        said = told(watch) if watch and (watch.was_asked or self._stream_told) else None
        if said != self._stream_told:
            self._stream_told = said
            self.update_status()
