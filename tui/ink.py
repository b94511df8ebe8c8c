"""Ink: pieces of harmless text with a meaning, which every pane is drawn from.

There is no other way to a pane: a piece is made by `piece`, which shows whatever it is given through `Text`,
so nothing that a cluster said reaches the terminal as it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from rich.cells import cell_len, set_cell_size

from playbooks.model.text import Text


class Ink(StrEnum):
    """What a piece of text means; a palette says how it looks."""

    PLAIN = "plain"
    BOLD = "bold"
    QUIET = "quiet"
    TITLE = "title"
    ERROR = "error"
    WARN = "warn"
    INFO = "info"
    OK = "ok"
    UNSEEN = "unseen"
    COMMAND = "command"
    PROOF = "proof"
    KEY = "key"
    MARKED = "marked"
    ALARM = "alarm"


@dataclass(frozen=True, slots=True)
class Piece:
    """Text in one ink; made by `piece`."""

    text: str
    """Harmless, without a line feed."""
    ink: Ink = Ink.PLAIN
    """What it means."""


def piece(text: str | Text, ink: Ink = Ink.PLAIN) -> Piece:
    """A piece of any text, made harmless."""
    return Piece((text if isinstance(text, Text) else Text(text)).shown, ink)


@dataclass(frozen=True, slots=True)
class Line:
    """Pieces beside each other, and where they begin."""

    pieces: tuple[Piece, ...] = ()
    """From left to right."""
    indent: int = 0
    """Columns left free before the first row."""
    hang: int = 0
    """Further columns left free before the rows that follow when it is wrapped."""

    @property
    def text(self) -> str:
        """Without ink and indent."""
        return "".join(one.text for one in self.pieces)

    @property
    def width(self) -> int:
        """Columns that it takes unwrapped."""
        return self.indent + sum(cell_len(one.text) for one in self.pieces)

    def then(self, *parts: Piece | str | Text) -> Line:
        """The line with more behind it."""
        return replace(self, pieces=(*self.pieces, *map(_as_piece, parts)))

    def at(self, indent: int, hang: int = 0) -> Line:
        """The line at another indent."""
        return replace(self, indent=indent, hang=hang)

    def in_ascii(self) -> Line:
        """The line in ASCII, every other character by its twin or written out."""
        if self.text.isascii():
            return self
        return replace(self, pieces=tuple(Piece(plain(one.text), one.ink) for one in self.pieces))


BLANK = Line()
"""An empty line."""


def line(*parts: Piece | str | Text, ink: Ink = Ink.PLAIN, indent: int = 0, hang: int = 0) -> Line:
    """A line of pieces; bare text gets `ink`."""
    return Line(tuple(_as_piece(part, ink) for part in parts), indent, hang)


def lines(text: Text, ink: Ink = Ink.PLAIN, *, indent: int = 0, hang: int = 0) -> Iterator[Line]:
    """Text of several lines, one line each."""
    return (Line((Piece(shown, ink),), indent, hang) for shown in text.lines)


def _as_piece(part: Piece | str | Text, ink: Ink = Ink.PLAIN) -> Piece:
    return part if isinstance(part, Piece) else piece(part, ink)


_TWINS = str.maketrans(
    {
        # One column for one column, or what was cut to fit would no longer fit.
        "…": "~",
        "·": "|",
        "│": "|",
        "—": "-",
        "–": "-",
        "→": ">",
        "←": "<",
        "•": "*",
        "✓": "+",
        "✗": "x",
        "›": ">",
        "└": "`",
        "×": "x",
    }
)


def plain(text: str) -> str:
    """Text in ASCII."""
    return text.translate(_TWINS).encode("ascii", "backslashreplace").decode("ascii")


def cut(text: str, width: int) -> str:
    """Text in at most `width` columns, with an ellipsis where something is missing."""
    if cell_len(text) <= width:
        return text
    return set_cell_size(text, width - 1).rstrip() + "…" if width > 1 else set_cell_size(text, max(0, width))


def cut_middle(text: str, width: int) -> str:
    """A name in at most `width` columns: its ends tell more than its middle."""
    if cell_len(text) <= width:
        return text
    if width < 5:
        return cut(text, width)
    tail, room = "", (width - 1) // 2
    for character in reversed(text):
        if cell_len(character + tail) > room:
            break
        tail = character + tail
    return f"{set_cell_size(text, width - 1 - cell_len(tail)).rstrip()}…{tail}"


_WORD = re.compile(r"\s*\S+")


def clipped(whole: Line, width: int) -> Line:
    """A line in at most `width` columns, with an ellipsis where something is missing."""
    if whole.width <= width:
        return whole
    kept: list[Piece] = []
    left = width - whole.indent
    for one in whole.pieces:
        cells = cell_len(one.text)
        if cells >= left:
            kept.append(Piece(cut(f"{one.text} ", left) if cells == left else cut(one.text, left), one.ink))
            break
        kept.append(one)
        left -= cells
    return replace(whole, pieces=tuple(kept))


def wrapped(whole: Line, width: int, most: int = 0) -> Iterator[Line]:
    """A line as rows of at most `width` columns, broken between words; at most `most` rows, if given."""
    if whole.width <= width:
        yield whole
        return
    text = whole.text
    indent, room = whole.indent, max(8, width - whole.indent)
    later = whole.indent + whole.hang
    for number, (start, end) in enumerate(_breaks(text, room, max(8, width - later)), 1):
        if number == most:
            yield clipped(Line(tuple(_slice(whole.pieces, start, len(text))), indent), width)
            return
        yield Line(tuple(_slice(whole.pieces, start, end)), indent)
        indent = later


def _breaks(text: str, first: int, later: int) -> Iterator[tuple[int, int]]:
    """Where rows begin and end, in characters; blanks at a break belong to no row."""
    start, used, room = 0, 0, first
    for match in _WORD.finditer(text):
        begin, end = match.span()
        cells = cell_len(match[0])
        if used and used + cells > room:
            yield start, begin
            start = begin + len(match[0]) - len(match[0].lstrip())
            used, room, cells = 0, later, cell_len(text[start:end])
        while used == 0 and cells > room:
            part = _fitting(text, start, end, room)
            yield start, part
            start, room = part, later
            cells = cell_len(text[start:end])
        used += cells
    if start < len(text) or start == 0:
        yield start, len(text)


def _fitting(text: str, start: int, end: int, room: int) -> int:
    used = 0
    for position in range(start, end):
        used += cell_len(text[position])
        if used > room:
            return max(position, start + 1)
    return end


def _slice(pieces: Iterable[Piece], start: int, end: int) -> Iterator[Piece]:
    offset = 0
    for one in pieces:
        stop = offset + len(one.text)
        if stop > start and offset < end:
            yield Piece(one.text[max(0, start - offset) : end - offset], one.ink)
        offset = stop
