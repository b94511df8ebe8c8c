"""The panes of Diagnose: side by side where there is room, else one after the other."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.widget import Widget

from tui.ink import BLANK, Ink, Line, line
from tui.keys import Place, bindings
from tui.trail import Trail
from tui.view.rows import Row, filtered
from tui.widgets.answer import AnswerPane
from tui.widgets.flow_pane import FlowPane
from tui.widgets.inked import Inked
from tui.widgets.listing import Listing
from tui.widgets.one_line import OneLine
from tui.widgets.paper import Paper

if TYPE_CHECKING:
    from tui.view.topic import Exhibit, Topic

WIDE = 120
"""Columns from which the panes stand side by side."""


class Stage(StrEnum):
    """In a narrow terminal: which pane is shown."""

    LIST = "list"
    DETAIL = "detail"
    FIX = "fix"
    EVIDENCE = "evidence"
    FLOWS = "flows"


class Panes(Widget, can_focus=False):
    """List, evidence with its raw answer, finding and fix."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("next", "previous", "older", "newer"))]

    def __init__(self) -> None:
        """Empty panes."""
        super().__init__(id="panes", classes="-list")
        self.thread = OneLine(id="thread")
        self.board = Listing(Place.LIST, id="board")
        self.evidence = Listing(Place.EVIDENCE, id="evidence")
        self.answer = AnswerPane(id="answer")
        self.flows = FlowPane(id="flows")
        self.page = Paper(id="page")
        self.below = OneLine(id="below")
        self.stage = Stage.LIST
        self.is_wide = False
        self.is_flowing = False
        """Whether flows stand where the evidence does."""
        self.topic: Topic | None = None
        self._exhibits: dict[str, Exhibit] = {}
        self._why_none = Row("none", BLANK, is_heading=True)
        self._trail = Trail()
        self._filter = ""
        self._listed = ""
        self._is_new = True
        self._is_arranged = False
        self._before_flows = Stage.LIST

    def compose(self) -> ComposeResult:
        """The panes, and the two fixed lines of a narrow terminal."""
        yield self.thread
        with Horizontal(id="row"):
            yield self.board
            with Vertical(id="middle"):
                yield self.evidence
                yield self.answer
                yield self.flows
            yield self.page
        yield self.below

    def on_mount(self) -> None:
        """Name the panes."""
        self.board.say("Diagnose")
        self.evidence.say("Evidence")
        self.answer.say("Raw answer")
        self.page.say("Finding & fix")

    def on_resize(self, event: events.Resize) -> None:
        """Put the panes side by side, or one after the other."""
        is_wide = event.size.width >= WIDE
        if is_wide != self.is_wide or not self._is_arranged:
            self.is_wide = is_wide
            if self.is_flowing and not is_wide:
                self.stage = Stage.FLOWS
            self._arrange()

    @property
    def exhibit(self) -> Exhibit | None:
        """The evidence at the cursor."""
        return self._exhibits.get(self.evidence.selected)

    def show_topic(self, topic: Topic) -> None:
        """Show what is selected."""
        self.topic = topic
        self.thread.show(topic.thread)
        self.below.show(topic.below)
        self.page.say("Finding & fix" if topic.fixes else "Details")
        self.page.show(self._page_lines(topic), f"{topic.key} {self.stage if not self.is_wide else ''}")
        if not self.is_wide and self.stage is Stage.FIX and not topic.fixes:
            self.go(Stage.DETAIL)

    def show_exhibits(self, topic: str, exhibits: tuple[Exhibit, ...], why_none: Line) -> None:
        """List the evidence of a topic."""
        self._is_new, self._listed = topic != self._listed, topic
        if self._is_new:
            self.evidence.is_steered = False
        self._exhibits = {one.key: one for one in exhibits}
        self._why_none = Row("none", why_none, tall=3, is_heading=True)
        self._list_evidence()

    def forward(self) -> bool:
        """Go deeper: list, detail, fix; or list, evidence, raw answer. False at the end."""
        has_fixes = self.topic is not None and bool(self.topic.fixes)
        self.board.is_steered = True
        self._trail.visit(self.board.selected)
        if self.is_wide:
            return self._forward_wide(has_fixes=has_fixes)
        after = {
            Stage.LIST: Stage.DETAIL,
            Stage.DETAIL: Stage.FIX if has_fixes else Stage.EVIDENCE,
            Stage.FIX: Stage.EVIDENCE,
        }.get(self.stage)
        if after is None:
            return False
        self.go(after)
        return True

    def backward(self) -> bool:
        """Go back one; false on the list."""
        if self.is_wide:
            if self.board.has_focus:
                return False
            self._focus(self.evidence if self.answer.has_focus else self.board)
            return True
        before = {
            Stage.DETAIL: Stage.LIST,
            Stage.FIX: Stage.DETAIL,
            Stage.EVIDENCE: Stage.DETAIL,
            Stage.FLOWS: self._before_flows,
        }
        if self.stage is Stage.EVIDENCE and self.answer.has_focus:
            self._focus(self.evidence)
        elif self.stage in before:
            self.go(before[self.stage])
        else:
            return False
        return True

    def go(self, stage: Stage) -> None:
        """In a narrow terminal show a pane; in a wide one give it the keys."""
        if stage is Stage.FLOWS and self.stage is not stage:
            self._before_flows = self.stage
        self.stage = stage
        if not self.is_wide:
            self.is_flowing = stage is Stage.FLOWS
        self._arrange()

    def turn_to_flows(self) -> bool:
        """Show flows in place of the evidence, or the evidence again; whether it is flows now."""
        if not self.is_wide:
            self.go(self._before_flows if self.is_flowing else Stage.FLOWS)
            return self.is_flowing
        self.is_flowing = not self.is_flowing
        self._arrange()
        self._focus(self.flows.list if self.is_flowing else self.evidence)
        return self.is_flowing

    def go_to(self, key: str) -> bool:
        """Select a row of the list; whether it is there."""
        if not self.board.select(key):
            return False
        self.board.is_steered = True
        self._trail.visit(key)
        if not self.is_wide:
            self.go(Stage.DETAIL)
        return True

    def keep_only(self, text: str) -> None:
        """List only evidence that holds a text."""
        self._filter = text
        self._list_evidence()

    def action_next_pane(self) -> None:
        """Give the keys to the next pane."""
        self._turn(1)

    def action_previous_pane(self) -> None:
        """Give the keys to the pane before."""
        self._turn(-1)

    def action_older(self) -> None:
        """Select what was opened before."""
        self.board.select(self._trail.older(self.board.selected))

    def action_newer(self) -> None:
        """Select what was opened after that."""
        self.board.select(self._trail.newer())

    def _turn(self, step: int) -> None:
        middle: tuple[Inked, ...] = (self.flows.list,) if self.is_flowing else (self.evidence, self.answer)
        order: tuple[Inked, ...] = (self.board, *middle, self.page)
        if not self.is_wide:
            order = (self.evidence, self.answer) if self.stage is Stage.EVIDENCE else ()
        focused = next((at for at, pane in enumerate(order) if pane.has_focus), -1 if step > 0 else 0)
        if order:
            self._focus(order[(focused + step) % len(order)])

    def _list_evidence(self) -> None:
        rows = tuple(Row(one.key, one.line) for one in self._exhibits.values())
        shown = filtered(rows, self._filter) or (self._why_none,)
        self.evidence.show(shown, is_new=self._is_new)
        if not self.evidence.is_steered:
            # What is first may come last: tables are made after the rest is listed.
            self.evidence.select(shown[0].key)
        self.evidence.say("Evidence", f"{len(rows):,}" if rows else "")

    def _forward_wide(self, *, has_fixes: bool) -> bool:
        if self.board.has_focus:
            beside = self.flows.list if self.is_flowing else self.evidence
            self._focus(self.page if has_fixes else beside)
        elif self.evidence.has_focus:
            self._focus(self.answer)
        else:
            return False
        return True

    def _page_lines(self, topic: Topic) -> tuple[Line, ...]:
        if not self.is_wide:
            # The thread stands above already.
            head = topic.head[1:] if topic.head[:1] == (topic.thread,) else topic.head
            return topic.fixes if self.stage is Stage.FIX else _parts(head, topic.rest)
        todo = (line("What to do", ink=Ink.TITLE), *topic.fixes) if topic.fixes else ()
        return _parts(topic.head, todo, topic.rest)

    def _arrange(self) -> None:
        shown_stage = None if self.is_wide else self.stage
        stages = {f"-{stage.value}": stage is shown_stage for stage in Stage}
        self.update_classes({"-wide": self.is_wide, "-flowing": self.is_flowing, **stages})
        if self.topic is not None:
            self.show_topic(self.topic)
        self._is_arranged = True
        if self.is_wide:
            middle: tuple[Inked, ...] = (
                (self.flows.list,) if self.is_flowing else (self.evidence, self.answer)
            )
            self._home(self.board, *middle, self.page)
        else:
            shown: dict[Stage, tuple[Inked, ...]] = {
                Stage.LIST: (self.board,),
                Stage.EVIDENCE: (self.evidence, self.answer),
                Stage.FLOWS: (self.flows.list,),
            }
            self._home(*shown.get(self.stage, (self.page,)))

    def _home(self, *shown: Inked) -> None:
        """Give the keys to the first of these, unless one of them has them or none of our panes has."""
        focused = self.screen.focused
        if focused is None or (focused not in shown and self in focused.ancestors):
            self._focus(shown[0])

    def _focus(self, pane: Inked) -> None:
        self.screen.set_focus(pane, scroll_visible=False)


def _parts(*parts: tuple[Line, ...]) -> tuple[Line, ...]:
    """Parts under each other, a blank line between them."""
    told = [part for part in parts if part]
    return tuple(one for at, part in enumerate(told) for one in ((BLANK, *part) if at else part))
