"""How verdicts look in rows."""

from __future__ import annotations

from playbooks.engine.report.marks import Mark
from tui.ink import Ink, Piece

_INKS = {
    Mark.ERROR: Ink.ERROR,
    Mark.WARN: Ink.WARN,
    Mark.INFO: Ink.INFO,
    Mark.OK: Ink.OK,
    Mark.NOT_CHECKED: Ink.UNSEEN,
    Mark.NOT_APPLICABLE: Ink.QUIET,
    Mark.TOO_SLOW: Ink.UNSEEN,
    Mark.CRASHED: Ink.UNSEEN,
    Mark.RUNNING: Ink.QUIET,
}


def ink_of(mark: Mark) -> Ink:
    """The ink of a verdict."""
    return _INKS[mark]


# An ellipsis also says that something was cut; work under way needs a sign of its own.
_UNDER_WAY = Mark.RUNNING.ascii_glyph


def marked(mark: Mark) -> Piece:
    """Glyph and word of a verdict."""
    return Piece(mark.shown(), ink_of(mark))


def glyph(mark: Mark) -> Piece:
    """The glyph of a verdict; its word stands elsewhere in the same row."""
    return Piece(_UNDER_WAY if mark is Mark.RUNNING else mark.glyph, ink_of(mark))
