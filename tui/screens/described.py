"""All that is known of one object: what it is, what is found about it, what Kubernetes complained about."""

from __future__ import annotations

from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from textual.message import Message

from tui.screens.reader import PaperScreen

if TYPE_CHECKING:
    from playbooks.model.answer import Gap
    from playbooks.model.kube.events import Warnings
    from tui.screens.calm import CalmScreen
    from tui.view.objects import Item, Shelf
    from tui.view.topic import Copy


class DescribedScreen(PaperScreen):
    """A page; the events come after it is there."""

    class Complained(Message):
        """The events were read, or why not."""

        def __init__(self, warnings: Warnings | Gap) -> None:
            super().__init__()
            self.warnings = warnings

    def __init__(self, item: Item, shelf: Shelf) -> None:
        """`shelf` names the cells of the object."""
        super().__init__(f"{item.ref}", ())
        self._item, self._shelf = item, shelf
        self._warnings: Warnings | Gap | None = None

    def on_mount(self) -> None:
        """Show what is known, and read the events."""
        self._draw()
        from playbooks.model.kube.events import Warnings

        self.console.session.ask_kept(lambda knows: knows.know(Warnings), self._tell)

    def follow(self) -> None:
        """Something else may be found about it now."""
        self._draw()

    def on_described_screen_complained(self, event: Complained) -> None:
        """The events have come."""
        self._warnings = event.warnings
        self._draw()

    def copies(self) -> tuple[Copy, ...]:
        """The command that shows it, and the page."""
        from playbooks.model.text import Text
        from tui.view.subjects import request_of, yaml_command
        from tui.view.topic import Copy, command_copy

        request = request_of(self._item.ref, self._item.resource)
        page = "".join(f"{' ' * one.indent}{one.text}\n" for one in self.printed())
        command = Text(yaml_command(request, self.console.session.kubectl))
        return (command_copy("the object, as YAML", command), Copy("this page", page))

    def _draw(self) -> None:
        from tui.view.described import described

        lines = tuple(described(self._item, self._shelf, self.console.session.snapshot, self._warnings))
        if lines != self._lines:
            self._lines = lines
            if self.is_mounted:
                self.paper.show(lines, self._title)

    def _tell(self, done: Future[Any]) -> None:
        from playbooks.model.answer import Gap, GapKind

        if done.cancelled() or done.exception():
            why = "asking was stopped" if done.cancelled() else str(done.exception())
            self.post_message(self.Complained(Gap(GapKind.FAILED, why)))
        else:
            self.post_message(self.Complained(done.result()))


def show_log(screen: CalmScreen, item: Item) -> None:
    """Show the log of a pod, or of the agent on a node."""
    if item.ref.kind == "Node":
        screen.console.diagnose.show_log(item.ref.name)
    elif item.containers[1:]:
        screen.console.choose(
            f"Log of which container of {item.path}?", item.containers, lambda one: _log(screen, item, one)
        )
    elif item.containers:
        _log(screen, item, item.containers[0])
    else:
        screen.tell(f"{item.ref.kind} {item.path} has no log; pods and nodes have")


def _log(screen: CalmScreen, item: Item, container: str) -> None:
    from tui import asking
    from tui.screens.reader import AnswerScreen

    session = screen.console.session
    request = asking.container_log(item.ref, container)
    name = request.command(session.kubectl)
    screen.app.push_screen(AnswerScreen(name))
    session.ask(lambda knowing: asking.raw(knowing, request), asking.told_answer(name, session.post))
