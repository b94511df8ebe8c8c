"""The terminal that is drawn on: what it can show, and how to leave it for a moment."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import dataclass
from typing import TextIO

_SMALL = (80, 24)


@dataclass(frozen=True, slots=True)
class Terminal:
    """What was found out about a terminal."""

    colours: int
    """How many it can show."""
    is_colourless: bool
    """Whether NO_COLOR asks for none."""
    is_ascii: bool
    """Whether only ASCII comes out right."""
    encoding: str
    """As Python found it."""

    @classmethod
    def of(cls, stream: TextIO | None, *, is_ascii: bool | None = None) -> Terminal:
        """Find out; the environment tells the colours, the stream the encoding."""
        from tui.commands.terminal import is_ascii as cannot_show

        found = is_ascii if is_ascii is not None else stream is None or cannot_show(stream)
        encoding = getattr(stream, "encoding", "") or "unknown"
        return cls(_colours(), bool(os.environ.get("NO_COLOR")), found, encoding)

    def smallness(self, width: int, height: int) -> str:
        """What to say about a small terminal; empty when it is large enough."""
        if width >= _SMALL[0] and height >= _SMALL[1]:
            return ""
        return f"this terminal is small ({width}x{height}): 80x24 shows more"

    def told(self, width: int, height: int, theme: str) -> tuple[tuple[str, str], ...]:
        """For the page of information."""
        colours = "none: NO_COLOR is set" if self.is_colourless else f"{self.colours:,}"
        return (
            ("size", f"{width}x{height}"),
            ("TERM", os.environ.get("TERM", "")),
            ("colours", colours),
            ("theme", theme),
            ("signs", "ASCII" if self.is_ascii else "Unicode"),
            ("encoding", self.encoding),
        )


def _colours() -> int:
    if os.environ.get("COLORTERM", "").lower() in ("truecolor", "24bit"):
        return 16_777_216
    term = os.environ.get("TERM", "")
    return 256 if term.endswith(("-256color", "-direct")) or term in ("alacritty", "xterm-kitty") else 16


def print_until_key(text: str) -> None:
    """Print into the terminal's own scrollback and wait for enter; the screen is suspended meanwhile."""
    # Nobody runs the event loop while we wait, so signals must do by themselves what they always do.
    handlers = {number: signal.signal(number, signal.SIG_DFL) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        sys.stdout.write(text)
        sys.stdout.write("\n-- enter goes back to honeyguide -- ")
        sys.stdout.flush()
        sys.stdin.readline()
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
