"""The console: puts the screens, the session and the terminal together."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType
from textual.screen import Screen

from tui.connection import Connect, Connected, ConsoleOptions, Failure
from tui.driver import ConsoleDriver
from tui.engine_app import EngineApp
from tui.ink import Ink, Line, line, piece
from tui.keys import BadKeymap, Keys, Place
from tui.look import Look
from tui.terminal import Terminal, print_until_key
from tui.themes import Palette, choose

if TYPE_CHECKING:
    from tui.screens.calm import CalmScreen
    from tui.view.topic import Copy

__all__ = ["Connect", "Connected", "Console", "ConsoleOptions", "Failure", "run_console"]


def run_console(connect: Connect, options: ConsoleOptions) -> int:
    """Draw the console until the person leaves; the exit code."""
    console = Console(connect, options)
    try:
        console.run(mouse=options.has_mouse)
    finally:
        console.session.close()
    return console.return_code or 0


class Console(EngineApp, inherit_bindings=False):
    """The console."""

    CSS_PATH = Path(__file__).with_name("console.tcss")
    BINDINGS: ClassVar[list[BindingType]] = []
    ENABLE_COMMAND_PALETTE = False
    ESCAPE_TO_MINIMIZE = False

    def __init__(self, connect: Connect, options: ConsoleOptions | None = None) -> None:
        """Nothing is loaded or connected before the first paint."""
        options = options or ConsoleOptions()
        self.terminal = Terminal.of(sys.__stderr__, is_ascii=options.is_ascii)
        palette = choose(
            "sixteen" if options.is_slow and not options.theme else options.theme,
            colours=self.terminal.colours,
            is_colourless=self.terminal.is_colourless,
        )
        self.look = Look(palette, self.terminal.is_ascii)
        self.keys, self._keymap_trouble = _keys(options)
        driver = ConsoleDriver if sys.platform != "win32" else None
        super().__init__(connect, options, driver, palette.theme.ansi)
        self.animation_level = "none"
        # Neither is ever shown; without them a frame has two layers less.
        self._disable_tooltips = self._disable_notifications = True
        # Before the first paint, which would otherwise be in Textual's own colours.
        self.wear(palette)

    def on_mount(self) -> None:
        """Draw at once; load and connect afterwards."""
        self.set_keymap(self.keys.keymap())
        self.set_class(self.look.is_ascii, "-ascii")
        self._catch_signals()
        self.call_after_refresh(self._painted)

    def get_default_screen(self) -> Screen[None]:
        """Diagnose lies below all others."""
        return self.diagnose

    def _painted(self) -> None:
        self.session.load()
        if self._keymap_trouble:
            self.diagnose.tell(self._keymap_trouble, Ink.WARN)
        elif small := self.terminal.smallness(self.size.width, self.size.height):
            self.diagnose.tell(small, Ink.WARN)

    def wear(self, palette: Palette) -> None:
        """Draw in other colours."""
        self.look = Look(palette, self.look.is_ascii)
        self.register_theme(palette.theme)
        self.theme = palette.name

    def leave(self, code: int = 0) -> None:
        """End the console; `code` is the exit code."""
        self.session.stop()
        if self.session.watch:
            # At once: leaving takes longer while thousands of flows still arrive.
            self.session.watch.stop()
        self.exit(return_code=code)

    def choose(self, title: str, names: Iterable[str], chosen: Callable[[str], None]) -> None:
        """Let the person choose one of some names."""
        from tui.screens.choice import ChoiceScreen
        from tui.view.rows import Row

        self.push_screen(ChoiceScreen(title, tuple(Row(name, line(name)) for name in names), chosen))

    def choose_copy(self, copies: tuple[Copy, ...]) -> None:
        """Let the person choose what to copy, then say where it went."""
        from tui.screens.choice import ChoiceScreen
        from tui.view.rows import Row

        rows = []
        for at, one in enumerate(copies):
            shown = one.text.strip().partition("\n")[0]
            said = line(piece(f"{one.name}  ", Ink.BOLD), piece(shown, Ink.COMMAND), hang=4)
            refused = line(
                piece(f"not offered, {one.refusal}: ", Ink.UNSEEN), piece(one.name, Ink.QUIET), hang=4
            )
            rows.append(Row(str(at), refused if one.refusal else said, tall=2, is_heading=bool(one.refusal)))
        if not rows:
            self.tell_on_top("there is nothing here to copy")
            return
        self.push_screen(ChoiceScreen("Copy what?", tuple(rows), lambda key: self._copy(copies[int(key)])))

    def _copy(self, copy: Copy) -> None:
        from tui.copying import Copier

        copier = Copier(self.copy_to_clipboard, self.session.options.copy_folder)
        self.tell_on_top(copier.copy(copy.name, copy.text))

    def print_out(self, lines: Iterable[Line]) -> None:
        """Leave the screen and print lines unwrapped, until a key."""
        text = "".join(f"{' ' * one.indent}{one.text}\n" for one in map(self.look.drawn, lines))
        if not text:
            self.tell_on_top("there is nothing here to print")
        elif self.is_headless:
            self.tell_on_top("this terminal cannot be left")
        else:
            with self.suspend():
                print_until_key(text)

    def show_help(self, place: Place, visible: str) -> None:
        """Keys of a pane, then the words on the screen."""
        from tui.screens.reader import PaperScreen
        from tui.view.help import help_lines

        page = help_lines(place, self.keys, visible, is_ascii=self.look.is_ascii)
        self.push_screen(PaperScreen("Help", page))

    def show_info(self) -> None:
        """All about the connection, the run and this terminal."""
        from tui.screens.reader import PaperScreen
        from tui.view.flow_state import page

        told = self.terminal.told(self.size.width, self.size.height, self.look.palette.name)
        self.push_screen(PaperScreen("Information", (*self.status().page(told), *page(self.session.watch))))

    def tell_on_top(self, text: str) -> None:
        """Say something on the screen that is seen."""
        top: CalmScreen = self.screen if self.screen is not None else self.diagnose  # type: ignore[assignment]
        top.tell(text)

    def _catch_signals(self) -> None:
        """End with the terminal restored: a signal alone leaves the mouse on and the screen drawn."""
        if self._loop is None or self.is_headless:
            return
        for number, code in ((signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)):
            if signal.getsignal(number) != signal.SIG_IGN:
                self._loop.add_signal_handler(number, self.leave, code)


def _keys(options: ConsoleOptions) -> tuple[Keys, str]:
    """The keys in force, and what is wrong with the person's own ones."""
    try:
        return Keys.mapped(options.keymap), ""
    except BadKeymap as trouble:
        return Keys(), f"the keymap is not used: {trouble}"
