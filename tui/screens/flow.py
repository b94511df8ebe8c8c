"""One flow on the whole screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from tui.ink import Line
from tui.keys import Place, bindings
from tui.screens.reader import PaperScreen

if TYPE_CHECKING:
    from playbooks.model.answer import Gap
    from playbooks.model.policies.reading import WrittenPolicies
    from tui.view.flow_page import FlowPage
    from tui.view.topic import Copy


class FlowScreen(PaperScreen):
    """All that is known of a flow; the cluster's policies follow when they are read."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(("open",))]

    def __init__(self, page: FlowPage, ask: Callable[[], object]) -> None:
        """`ask` asks for the policies."""
        super().__init__(page.title.text, page.lines)
        self.paper.place = Place.FLOW
        self.page = page
        self._ask = ask

    def on_mount(self) -> None:
        """Show what is there, and ask for the rest."""
        super().on_mount()
        self.head.show(self.page.title)
        self._ask()

    def take_policies(self, written: WrittenPolicies | Gap) -> None:
        """The policies of the cluster, or why they cannot be read."""
        self.page = replace(self.page, written=written)
        self._lines = self.page.lines
        if self.is_mounted:
            self.paper.show(self._lines, self._title)

    def action_open(self) -> None:
        """Ask what the policies say of this flow now."""
        from tui.screens.why import WhyScreen

        question = self.page.question
        if question is None:
            self.tell("this flow does not tell who called whom")
        else:
            self.app.push_screen(WhyScreen(question))

    def copies(self) -> tuple[Copy, ...]:
        """The commands, and the flow as JSON."""
        return self.page.copies()

    def printed(self) -> Iterable[Line]:
        """The page."""
        return (self.page.title, *self._lines)
