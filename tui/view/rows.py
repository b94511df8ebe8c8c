"""Rows of lists."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tui.ink import Ink, Line, Piece, line


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a list."""

    key: str
    """Stays the same from snapshot to snapshot."""
    line: Line
    """What it says."""
    right: Piece | None = None
    """At the right edge."""
    tall: int = 1
    """How many rows of the screen it may take at most."""
    is_heading: bool = False
    """Whether it cannot be selected."""


def heading(key: str, title: str, right: str = "") -> Row:
    """A row that names a section."""
    return Row(key, line(title, ink=Ink.TITLE), Piece(right, Ink.QUIET) if right else None, is_heading=True)


def filtered(rows: Iterable[Row], wanted: str) -> tuple[Row, ...]:
    """Rows that hold a text, and the headings above them."""
    if not wanted:
        return tuple(rows)
    kept: list[Row] = []
    above: Row | None = None
    for row in rows:
        if row.is_heading:
            above = row
        elif wanted.lower() in f"{row.line.text} {row.right.text if row.right else ''}".lower():
            kept += [above, row] if above else [row]
            above = None
    if not kept:
        kept = [heading("nothing", f"no row holds {line(wanted).text!r}; / and enter shows all again")]
    return tuple(kept)
