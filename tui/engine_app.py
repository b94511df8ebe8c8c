"""The half of the console that talks to the engine: keeps the session, takes messages, draws at a pace."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.app import App
from textual.driver import Driver
from textual.events import Event, Key
from textual.timer import Timer

from tui.connection import Connect, ConsoleOptions, Failure
from tui.ink import Ink, Piece
from tui.screens.calm import CalmScreen
from tui.screens.diagnose import DiagnoseScreen
from tui.session import Session
from tui.tidy import Tidy
from tui.view.status import Status

if TYPE_CHECKING:
    from tui import news
    from tui.view.desk import Desk
    from tui.view.topic import Topic

_FRAME = 0.1
_SLOW_FRAME = 0.5
"""Seconds between two drawings of what the engine says; keys are answered at once."""


class EngineApp(App[None], inherit_bindings=False):
    """An app with a session."""

    def __init__(
        self, connect: Connect, options: ConsoleOptions, driver: type[Driver] | None, is_ansi: bool
    ) -> None:
        """Nothing is loaded or connected before the first paint."""
        super().__init__(driver_class=driver, ansi_color=is_ansi or None)
        self.session = Session(connect, options, self.post_message)
        self.diagnose = DiagnoseScreen()
        self._pace = _SLOW_FRAME if options.is_slow else _FRAME
        self._drawing: Timer | None = None
        self._tidy = Tidy()

    async def on_event(self, event: Event) -> None:
        """Note every key before it takes effect: what was told has been read."""
        if isinstance(event, Key) and not event.is_forwarded:
            self._tidy.key()
            if isinstance(self.screen, CalmScreen):
                self.screen.key_line.untell()
        await super().on_event(event)

    def _tidy_later(self) -> None:
        self.set_timer(Tidy.QUIET, self._tidy_up)

    def _tidy_up(self) -> None:
        if not self._tidy.up():
            self._tidy_later()

    def stop(self) -> bool:
        """Stop all work; whether there was any."""
        was_running = self.session.stop()
        self.draw_soon()
        return was_running

    def draw_soon(self) -> None:
        """Show how things stand, but not more often than the eye and the link can take."""
        if self._drawing is None:
            self._drawing = self.set_timer(self._pace, self._draw)

    def _draw(self) -> None:
        self._drawing = None
        self.diagnose.update()
        for screen in self.screen_stack:
            if isinstance(screen, CalmScreen):
                screen.follow()

    def make_desk(self, folded: frozenset[str]) -> Desk | None:
        """What the panes show; nothing before the playbooks are loaded."""
        session = self.session
        if session.catalogue is None:
            return None
        from tui.view.board import Board
        from tui.view.desk import Desk

        runs = session.runs
        return Desk(
            Board(
                session.catalogue,
                session.snapshot,
                session.is_running,
                dict(runs.gone) if runs else {},
                frozenset(runs.watched) if runs else frozenset(),
                folded,
                is_aimed=bool(runs and runs.named),
                namespace=session.namespace,
            )
        )

    def status(self, stream: Piece | None = None) -> Status:
        """How things stand, for the status line."""
        session = self.session
        return Status(
            session.connected,
            session.snapshot,
            session.failure,
            session.is_running,
            session.runs.nodes if session.runs else None,
            session.about,
            session.namespace,
            stream,
        )

    def ask_again(self, topic: Topic | None) -> str:
        """Connect again, or ask again what a topic needs; what is told about it."""
        session = self.session
        if session.connected is None:
            session.open()
            return "connecting again"
        if not session.connected.is_live and session.snapshot:
            return f"this is a {session.connected.kind}: it does not change"
        if session.runs is None or topic is None or not topic.rules:
            session.check(session.options.playbooks)
            return "asking everything again"
        kind, _, name = topic.key.partition(" ")
        if kind in ("finding", "gone"):
            session.runs.watch(name, topic.rules[0])
            return f"watching {topic.rules[0].id} until it is gone; x stops"
        session.runs.start(topic.rules)
        return f"asking again: {len(topic.rules)} rules"

    def on_engine_started(self, message: news.EngineStarted) -> None:
        """The playbooks are known: connect."""
        self._tidy.begin()
        self.session.started(message.engine, message.catalogue)
        self.diagnose.update()

    def on_connection_opened(self, message: news.ConnectionOpened) -> None:
        """There is a source."""
        self.session.opened(message.connected)
        self.draw_soon()

    def on_connection_failed(self, message: news.ConnectionFailed) -> None:
        """There is none, and why."""
        self.session.refused(message.failure)
        self.draw_soon()

    def on_snapshot_arrived(self, message: news.SnapshotArrived) -> None:
        """A run stands otherwise."""
        if self.session.runs:
            self.session.runs.take(message.run, message.snapshot)
            self.draw_soon()

    def on_run_ended(self, message: news.RunEnded) -> None:
        """A run is over."""
        if message.failure:
            self.session.failure = message.failure
        if self.session.runs and not message.is_stopped:
            for gone in self.session.runs.ended(message.run, message.last, is_broken=bool(message.failure)):
                self.diagnose.tell(
                    f"gone at {gone.at:%H:%M:%S} UTC: {gone.ranked.finding.summary.shown}", Ink.OK
                )
        self.draw_soon()
        self._tidy_later()

    def on_look_due(self, message: news.LookDue) -> None:
        """A watched finding is to be looked at again."""
        if self.session.runs:
            self.session.runs.look_again(message.key)

    def on_answer_arrived(self, message: news.AnswerArrived) -> None:
        """A raw answer: for the screen that asked for it."""
        from tui.screens.reader import AnswerScreen

        for screen in self.screen_stack:
            if isinstance(screen, AnswerScreen):
                screen.take_answer(message)
        if self.diagnose.exhibits:
            self.diagnose.exhibits.take_answer(message)

    def on_looked_arrived(self, message: news.LookedArrived) -> None:
        """What a step rests on."""
        if self.diagnose.exhibits:
            self.diagnose.exhibits.take_looked(message)

    def on_names_arrived(self, message: news.NamesArrived) -> None:
        """What can be completed."""
        self.session.names = message.names

    def on_aim_resolved(self, message: news.AimResolved) -> None:
        """Aim, or say what was looked for and what is near."""
        session, found = self.session, message.aim
        if session.runs is None:
            return
        if isinstance(found, Failure):
            self.diagnose.tell_in_full(f"{message.ends.said}: {found.what}", "Not aimed")
        elif found.missing:
            gap = found.missing[0]
            self.diagnose.tell_in_full(
                f"{gap.detail}; {gap.remedy}" if gap.remedy else gap.detail, "Not aimed"
            )
        else:
            session.ends = message.ends if message.ends.words else None
            session.runs.aim(message.ends, found)
            session.check(session.options.playbooks)
            self.diagnose.update()
            self.diagnose.tell(
                f"aimed at {', '.join(found.said)}" if found.said else "aimed at nothing in particular"
            )

    def on_beside_arrived(self, message: news.BesideArrived) -> None:
        """What stands beside a finding: for the evidence pane."""
        if self.diagnose.exhibits:
            self.diagnose.exhibits.take_beside(message)

    def on_policies_arrived(self, message: news.PoliciesArrived) -> None:
        """The cluster's policies: for the flow that is open."""
        from tui.screens.flow import FlowScreen

        for screen in self.screen_stack:
            if isinstance(screen, FlowScreen):
                screen.take_policies(message.written)
