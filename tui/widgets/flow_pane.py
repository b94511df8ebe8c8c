"""The pane of flows: what is asked, how the stream stands and what is missing, and the list."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical

from tui.flows.roll import Roll
from tui.ink import BLANK, Ink, Line, Piece, line, piece
from tui.widgets.flow_list import FlowList
from tui.widgets.one_line import OneLine

if TYPE_CHECKING:
    from tui.flows.watch import Watch

_BETWEEN = Piece(" │ ", Ink.QUIET)
_COUNTING = 1.0
"""Seconds between two counts on the screen: nobody reads faster, and each costs a row on the wire."""
_NONE = line("No flows can be had here: this source has none.", ink=Ink.UNSEEN)
_NOT_YET = line("Flows are asked for as soon as there is a connection.", ink=Ink.QUIET)


class FlowPane(Vertical, can_focus=False):
    """Two lines, a third where flows are missing, and the list."""

    def __init__(self, *, id: str | None = None) -> None:
        """Nothing is asked yet."""
        super().__init__(id=id)
        self.words = OneLine(classes="head")
        self.head = OneLine(classes="head")
        self.missing = OneLine(classes="head")
        self.missing.display = False
        self.list = FlowList(id="flow-list")
        self.is_paused = False
        self.wrong = ""
        self._roll: Roll | None = None
        self._counted = -_COUNTING
        self._counts: tuple[int, int, str] = (0, 0, "")

    def compose(self) -> ComposeResult:
        """Filter, state, list."""
        yield self.words
        yield self.head
        yield self.missing
        yield self.list

    def on_mount(self) -> None:
        """Name the list."""
        self.list.say("Flows")

    def show(self, watch: Watch | None, *, is_connected: bool = True) -> None:
        """Show how things stand now; draws only what is different."""
        if watch is None:
            why = _NONE if is_connected else _NOT_YET
            self.head.show(why)
            self.list.say_instead((why,))
            return
        from tui.view.flow_state import instead, losses

        if watch.roll is not self._roll:
            self._roll, self.is_paused, self._counted = watch.roll, False, -_COUNTING
            self.list.show(watch.roll)
        if not self.is_paused:
            self.list.advance()
        if not len(watch.roll):
            self.list.say_instead(instead(watch))
        self.words.show(self._asked(watch))
        self.head.show(self._stands(watch))
        missing = losses(watch)
        if self.missing.display is not (missing is not BLANK):
            self.missing.display = missing is not BLANK
        self.missing.show(missing)

    def pause(self) -> None:
        """Stand still, or follow again."""
        if self.is_paused or not self.list.is_following:
            self.is_paused = False
            self.list.follow()
        else:
            self.is_paused = True
            self.list.hold()

    def steered(self) -> None:
        """Somebody moved in the list."""
        if self.list.is_following:
            self.is_paused = False
        self._counted = -_COUNTING

    def _asked(self, watch: Watch) -> Line:
        if self.wrong:
            return line(piece("✗ ", Ink.ERROR), piece(self.wrong, Ink.ERROR))
        return line(piece("/ ", Ink.KEY), piece(watch.question.words, Ink.COMMAND))

    def _stands(self, watch: Watch) -> Line:
        from tui.view.flow_state import rate, told

        now = time.monotonic()
        if now - self._counted >= _COUNTING:
            self._counted, self._counts = now, (watch.count, self.list.unseen, rate(watch))
        count, unseen, much = self._counts
        pieces = [told(watch)]
        if much and not self.is_paused:
            pieces.append(piece(much, Ink.INFO))
        if self.is_paused:
            pieces.append(piece("paused, p follows", Ink.WARN))
        elif not self.list.is_following:
            pieces.append(
                piece(f"+{unseen:,} below, end follows" if unseen else "stands, end follows", Ink.WARN)
            )
        elif watch.is_on:
            pieces.append(piece("follows", Ink.QUIET))
        if not self.is_paused:
            pieces.append(piece(f"{count:,} came", Ink.QUIET))
        if not self.missing.display:
            pieces.append(piece("none known to be missing", Ink.QUIET))
        parts = [part for one in pieces for part in (_BETWEEN, one)]
        return Line(tuple(parts[1:]))
