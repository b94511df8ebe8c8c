"""The console on a real terminal: what it sends, and how it leaves."""

from __future__ import annotations

import re
import signal

import pytest

from tests.tui.terminals import terminal

LEFT = b"\x1b[?1049l"
MOUSE_OFF = b"\x1b[?1000l"
CURSOR_ON = b"\x1b[?25h"
COLOUR = re.compile(rb"\x1b\[[0-9;]*(?:[34]8;[25];|(?<![0-9])(?:3[0-7]|4[0-7]|9[0-7]|10[0-7])[;m])[0-9;]*m?")


def test_it_survives_what_is_no_text_and_leaves_the_terminal_as_it_was() -> None:
    with terminal() as shown:
        shown.until("WHAT IS WRONG")
        # A click in column 81 of a terminal that knows only the oldest mouse reports, then what is not UTF-8.
        shown.type(b"\x1b[M qq\xff\xfe\xc3\x28")
        shown.type(b"?")
        shown.until("Keys in:")
        shown.type(b"qq")
        assert shown.ended() == 0
        assert LEFT in shown.received
        assert MOUSE_OFF in shown.received.rpartition(b"\x1b[?1000h")[2]
        assert CURSOR_ON in shown.received.rpartition(b"\x1b[?25l")[2]


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_a_signal_ends_it_with_the_terminal_restored(number: signal.Signals, code: int) -> None:
    with terminal("Hanging") as shown:
        shown.until("asked ")
        shown.process.send_signal(number)
        assert shown.ended() == code
        assert LEFT in shown.received
        assert MOUSE_OFF in shown.received.rpartition(b"\x1b[?1000h")[2]


def test_a_terminal_without_utf8_gets_ascii_and_sixteen_colours() -> None:
    with terminal(TERM="xterm", PYTHONIOENCODING="latin-1", LC_ALL="C") as shown:
        shown.until("WHAT IS WRONG")
        shown.until("x ERROR")
        shown.type(b"q")
        assert shown.ended() == 0
        assert shown.received.isascii()
        assert b"\\u" not in shown.received
        assert b"8;2;" not in shown.received


def test_no_color_is_honoured() -> None:
    with terminal(NO_COLOR="1") as shown:
        shown.until("WHAT IS WRONG")
        shown.type(b"q")
        shown.ended()
        assert not COLOUR.search(shown.received)
