"""Lines of reports in the ink of the console."""

from __future__ import annotations

from collections.abc import Iterable

from playbooks.engine.report import Line as Told
from tui.ink import Ink, Line, line, piece


def inked(told: Iterable[Told]) -> tuple[Line, ...]:
    """What a command would print, as lines of a pane; what is wrapped begins under its own first word."""
    return tuple(_inked(one) for one in told)


def _inked(one: Told) -> Line:
    text = one.text.lstrip(" ")
    return line(piece(text, Ink(one.tone.value)), indent=len(one.text) - len(text), hang=2)
