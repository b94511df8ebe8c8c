"""`honeyguide`: the console on a live cluster; without a terminal its plain report."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tui.commands.near import near
from tui.commands.opening import Opened, open_live, way_in
from tui.commands.options import Options
from tui.commands.terminal import is_interactive
from tui.commands.trouble import Trouble

if TYPE_CHECKING:
    from tui.connection import Connected, ConsoleOptions


def run(options: Options) -> int:
    """Open the console; the exit code."""
    _refuse_typing_errors(options)
    if not is_interactive():
        from tui.commands.check import check_live
        from tui.commands.choosing import rules_of

        return check_live(way_in(options), options, rules_of(()))
    return LiveConsole(options).run()


def _refuse_typing_errors(options: Options) -> None:
    from tui.commands.parsing import COMMANDS

    for word in options.words:
        close = near(word, COMMANDS) if "/" not in word else ()
        if close:
            remedy = f"did you mean honeyguide {close[0]}? A target of this name comes after --"
            raise Trouble(f"there is no command {word!r}", "", remedy)


class LiveConsole:
    """The console on a cluster that is reached after the first paint; every session is recorded."""

    def __init__(self, options: Options, *, is_practice: bool = False) -> None:
        """Nothing is opened yet."""
        self._options = options
        self._is_practice = is_practice
        self._opened: Opened | None = None

    def run(self) -> int:
        """Draw until the person leaves; the exit code."""
        from tui.app import run_console

        try:
            return run_console(self.connect, console_options(self._options))
        finally:
            if self._opened and self._opened.journal:
                asyncio.run(self._opened.journal.close())

    async def connect(self) -> Connected:
        """Reach the cluster. Runs on the engine's thread."""
        from tui.connection import Connected

        access = await asyncio.to_thread(way_in, self._options)
        self._opened = opened = await open_live(access, self._options)
        return Connected(
            opened.source,
            access.name,
            server=access.server,
            is_insecure=access.is_insecure,
            is_practice=self._is_practice,
        )


def console_options(options: Options) -> ConsoleOptions:
    """What the console needs of the command line."""
    from tui.connection import ConsoleOptions

    return ConsoleOptions(
        options.order,
        is_quiet=options.is_quiet,
        theme=options.theme,
        is_ascii=True if options.is_ascii else None,
        is_slow=options.is_slow,
        has_mouse=not options.no_mouse,
    )
