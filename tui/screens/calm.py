"""What all screens have: a key line, help, copying, printing, and calm on the wire."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import BindingType
from textual.screen import Screen
from textual.widget import Widget

from tui.ink import Ink, Line
from tui.keys import PROMPT_KEYS, Place, bindings, shown
from tui.widgets.key_line import KeyLine

if TYPE_CHECKING:
    from tui.app import Console
    from tui.view.topic import Copy

_EVERYWHERE = ("back", "quit", "copy", "print", "help", "info", "stop", "suspend")


class CalmScreen(Screen[None], inherit_bindings=False):
    """A screen that draws only as fast as the terminal takes it."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings(_EVERYWHERE)]
    AUTO_FOCUS = ""

    def __init__(self) -> None:
        """A screen with an empty key line."""
        super().__init__()
        self.key_line = KeyLine(id="keys")

    @property
    def console(self) -> Console:
        """The app."""
        return cast("Console", self.app)

    @property
    def place(self) -> Place:
        """Where keys go now."""
        return getattr(self.focused, "place", Place.READER)

    def on_mount(self) -> None:
        """Say which keys there are as soon as the focus is known."""
        self.watch(self, "focused", self.update_keys, init=False)

    def update_keys(self) -> None:
        """Say which keys there are here."""
        if self.place is Place.PROMPT:
            self.key_line.offer(PROMPT_KEYS)
            return
        is_running = self.console.session.is_running
        actions = (one for one in self.console.keys.at(self.place) if one.is_shown and one.keys)
        self.key_line.offer(
            (shown(one.keys[0], is_ascii=self.console.look.is_ascii), one.word)
            for one in actions
            if one.id != "stop" or is_running
        )

    def follow(self) -> None:
        """The engine has said more."""

    def tell(self, text: str, ink: Ink = Ink.INFO) -> None:
        """Say something on the key line until the next key."""
        self.key_line.tell(text, ink)

    def tell_in_full(self, text: str, title: str) -> None:
        """Say it on the key line; what does not fit gets a page, for a reason cut off is none."""
        if len(text) <= self.size.width:
            self.tell(text)
            return
        from tui.ink import line
        from tui.screens.reader import PaperScreen

        self.app.push_screen(PaperScreen(title, (line(text),)))

    def copies(self) -> tuple[Copy, ...]:
        """What can be copied here, the likeliest first."""
        return ()

    def printed(self) -> Iterable[Line]:
        """What `print` prints."""
        return ()

    def visible_text(self) -> str:
        """What can be read on this screen."""
        shown = [widget for widget in self.query(Widget) if widget.is_on_screen and widget.display]
        return "\n".join(one.visible_text() for one in shown if hasattr(one, "visible_text"))

    def action_back(self) -> None:
        """Close this screen."""
        self.app.pop_screen()

    def action_close(self) -> None:
        """Close this screen."""
        self.app.pop_screen()

    def action_help(self) -> None:
        """Show the keys of this pane and the words on this screen."""
        self.console.show_help(self.place, self.visible_text())

    def action_copy(self) -> None:
        """Choose what to copy."""
        self.console.choose_copy(self.copies())

    def action_print(self) -> None:
        """Print into the terminal's own scrollback."""
        self.console.print_out(self.printed())

    def action_stop(self) -> None:
        """Stop all work."""
        stopped = self.console.stop()
        self.tell("stopped" if stopped else "nothing is under way; q leaves", Ink.INFO)

    def action_info(self) -> None:
        """Show all about the connection, the run and this terminal."""
        self.console.show_info()

    def action_suspend(self) -> None:
        """Go to the background."""
        self.app.action_suspend_process()

    def _on_timer_update(self) -> None:
        """Draw what changed, unless the terminal is still busy with what was drawn before."""
        if not getattr(self.app._driver, "is_behind", False):
            super()._on_timer_update()
