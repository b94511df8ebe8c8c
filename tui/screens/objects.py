"""Objects of the cluster, sick ones first: each can be aimed at, described and read."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.message import Message

from tui.ink import Line
from tui.keys import Place, bindings
from tui.screens.prompting import PromptScreen
from tui.view.object_table import ObjectTable, Spot, marks_of
from tui.view.objects import Listed, Shelf
from tui.widgets.one_line import OneLine, StatusLine
from tui.widgets.table import Table

if TYPE_CHECKING:
    from playbooks.model.finding import Severity
    from tui.view.topic import Copy


class ObjectsScreen(PromptScreen):
    """One list of objects."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings(("open", "again", "raw", "yaml", "logs", "filter", "command"))
    ]

    class Read(Message):
        """A list was read."""

        def __init__(self, shelf: Shelf, listed: Listed) -> None:
            super().__init__()
            self.shelf = shelf
            self.listed = listed

    def __init__(self, shelf: Shelf, wanted: str = "") -> None:
        """`wanted` is a text that rows must hold."""
        super().__init__()
        self.status = StatusLine(id="status")
        self.head = OneLine(classes="head")
        self.missing = OneLine(classes="head")
        self.missing.display = False
        self.titles = OneLine(classes="head")
        self.table = Table(Place.OBJECTS, id="objects")
        self._shelf, self._wanted = shelf, wanted
        self._listed: Listed | None = None
        self._is_asked = False
        self._marks: dict[Spot, Severity] | None = None
        self._shown = ObjectTable(shelf)

    def compose(self) -> ComposeResult:
        """Status, what is listed, what is missing, titles, rows, prompt, keys."""
        yield self.status
        yield self.head
        yield self.missing
        yield self.titles
        yield self.table
        yield self.prompt
        yield self.key_line

    def on_mount(self) -> None:
        """Read the list."""
        super().on_mount()
        self.set_focus(self.table)
        self._read()
        self._show()
        self.update_keys()

    def on_resize(self) -> None:
        """Fit the columns to the width."""
        self._show()

    def turn_to(self, shelf: Shelf, wanted: str) -> None:
        """Show another list."""
        self._shelf, self._wanted, self._listed, self._is_asked = shelf, wanted, None, False
        self._read()
        self._show()

    def follow(self) -> None:
        """There may be a connection now, or findings about what is listed."""
        if not self._is_asked:
            self._read()
            self._show()
        self.status.show_fields(self.console.status().fields())
        if self._marks is None or marks_of(self.console.session.snapshot) != self._marks:
            self._show()

    def action_open(self) -> None:
        """Aim the playbooks at the object; what cannot be aimed at has its page."""
        item = self.table.item
        if item is None:
            return
        if not item.target:
            self.action_raw()
            return
        from tui.aiming import Ends, aim

        self.app.pop_screen()
        if not aim(self.console.session, Ends(item.target)):
            self.console.diagnose.tell("there is no connection yet")

    def action_again(self) -> None:
        """Read the list again from the cluster."""
        self._read(is_fresh=True)
        self.tell(f"reading {self._shelf.key} again")

    def action_raw(self) -> None:
        """Show all that is known of the object."""
        from tui.screens.described import DescribedScreen

        if self.table.item:
            self.app.push_screen(DescribedScreen(self.table.item, self._shelf))

    def action_yaml(self) -> None:
        """Show the object as YAML."""
        from tui.screens.yaml import show_yaml

        if self.table.item:
            show_yaml(self, (self.table.item.ref,))

    def action_logs(self) -> None:
        """Show the log of the pod, or of the agent on the node."""
        from tui.screens.described import show_log

        if self.table.item:
            show_log(self, self.table.item)

    def action_filter(self) -> None:
        """Ask which rows to show."""
        self.ask("/", self._wanted)

    def action_command(self) -> None:
        """Ask for a command."""
        from tui.aiming import learn_names
        from tui.screens.colon import completions

        learn_names(self.console.session)
        self.ask(":", complete=lambda text: completions(self.console.diagnose, text))

    def entered(self, sign: str, text: str) -> None:
        """Show only rows that hold a text, or do what was typed."""
        if sign == "/":
            self.changed(sign, text)
            return
        from tui.screens.colon_objects import obey_over

        obey_over(self, text)

    def changed(self, sign: str, text: str) -> None:
        """Filter while typing."""
        if sign == "/" and text != self._wanted:
            self._wanted = text
            self._show()

    def copies(self) -> tuple[Copy, ...]:
        """The commands that show the object, its name and its row, the list's command."""
        from playbooks.model.text import Text
        from tui.view.subjects import request_of, yaml_command
        from tui.view.topic import Copy, command_copy

        item, kubectl = self.table.item, self.console.session.kubectl
        whole = command_copy(
            "the command of this list", Text(self._shelf.command.replace("kubectl", kubectl, 1))
        )
        if item is None:
            return (whole,)
        request = request_of(item.ref, item.resource)
        row = "\t".join((item.path, *item.cells))
        return (
            command_copy("the object, as YAML", Text(yaml_command(request, kubectl))),
            Copy("the row", Text(row.replace("\t", "  ")).shown + "\n"),
            Copy("the name", f"{Text(item.path).shown}\n"),
            whole,
        )

    def printed(self) -> Iterable[Line]:
        """Every row that is shown."""
        table, kept = self._shown, self.table.items
        widths = table.columns(10_000)
        yield table.head(tuple(kept))
        yield table.titles(widths)
        yield from (table.row(one, widths) for one in kept)

    def on_table_opened(self) -> None:
        """A row was clicked twice."""
        self.action_open()

    def on_objects_screen_read(self, event: Read) -> None:
        """The list has come; one that was left meanwhile is left aside."""
        if event.shelf is self._shelf:
            self._listed = event.listed
            self._show()
            self.update_keys()

    def follow_namespace(self) -> None:
        """Another namespace may be shown."""
        if self._shown.namespace != self.console.session.namespace:
            self._show()

    def _show(self) -> None:
        session = self.console.session
        self._marks = marks_of(session.snapshot)
        table = ObjectTable(self._shelf, self._listed, self._marks, session.namespace, self._wanted)
        self._shown, kept = table, table.kept()
        widths = table.columns(max(20, self.size.width - 1))
        self.status.show_fields(self.console.status().fields())
        self.head.show(table.head(kept))
        self.titles.show(table.titles(widths))
        missing = table.missing()
        self.missing.display = missing is not None
        if missing is not None:
            self.missing.show(missing)
        self.table.show(kept, lambda item: table.row(item, widths), self._instead(table))

    def _instead(self, table: ObjectTable) -> tuple[Line, ...]:
        """What stands where no row does: why there is none."""
        failure = self.console.session.failure
        if self._is_asked or failure is None:
            return table.instead()
        from tui.view.trouble import failure_lines

        return failure_lines(failure, "no connection")

    def _read(self, *, is_fresh: bool = False) -> None:
        from tui.asking_objects import listed

        session, shelf = self.console.session, self._shelf

        def tell(done: Future[Any]) -> None:
            self.post_message(self.Read(shelf, _result(done)))

        if is_fresh:
            self._is_asked = session.ask(lambda knowing: listed(knowing, shelf), tell)
        else:
            self._is_asked = session.ask_kept(lambda knows: listed(knows, shelf), tell)


def _result(done: Future[Any]) -> Listed:
    from playbooks.model.answer import Gap, GapKind

    if done.cancelled():
        return Listed((), (Gap(GapKind.FAILED, "asking was stopped", remedy="r reads it again"),))
    if error := done.exception():
        return Listed(
            (), (Gap(GapKind.FAILED, f"{type(error).__name__}: {error}", remedy="r reads it again"),)
        )
    found: Listed = done.result()
    return found
