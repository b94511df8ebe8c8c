"""Tables of three sides, laid out for the width that there is; and lines of logs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rich.cells import cell_len

from playbooks.engine.beside.gathering import Beside
from playbooks.engine.beside.logs import LogLines
from playbooks.engine.beside.tables import Cell, CellKind, Column, Row, Table, Verdict
from playbooks.engine.report.words import moment
from playbooks.model.answer import Gap
from playbooks.model.text import Text
from tui.ink import BLANK, Ink, Line, Piece, clipped, line, piece, wrapped
from tui.view.topic import Copy, Exhibit, clock, command_copy, command_lines, of_gap

_MARKS = {
    Verdict.MISSING: ("✗", Ink.ERROR),
    Verdict.EXTRA: ("✗", Ink.ERROR),
    Verdict.DIFFERS: ("✗", Ink.ERROR),
    Verdict.UNSEEN: ("?", Ink.UNSEEN),
    # No tick: three sides that agree to refuse may be just what is wrong.
    Verdict.AGREES: ("=", Ink.QUIET),
}
_GAP = 2
"""Columns between two cells."""
_NARROWEST = 14
"""Columns below which a cell cannot be read: then cells stand below each other."""
_NODES = 3


@dataclass(frozen=True, slots=True)
class TablePage:
    """A table as a page."""

    table: Table
    """The table."""
    kept: str = ""
    """Only rows that hold this are shown; empty for all."""
    title: str = "Side by side"
    """What the pane is called."""

    def keeping(self, wanted: str) -> TablePage:
        """The page with only the rows that hold a text."""
        return replace(self, kept=wanted)

    def lines(self, width: int = 0) -> tuple[Line, ...]:
        """Laid out for a width; 0 for as wide as it is."""
        return tuple(self._lines(width))

    def copies(self) -> tuple[Copy, ...]:
        """The table without borders, then the command behind each column."""
        text = "".join(f"{' ' * one.indent}{one.text}".rstrip() + "\n" for one in self.lines())
        commands = [(column.name, one) for column in self.table.columns for one in column.commands]
        return (
            Copy("the table with its commands", text),
            *(command_copy(f"{name}: the command", command) for name, command in commands),
        )

    def _lines(self, width: int) -> Iterator[Line]:
        table, rows = self.table, self._rows()
        yield line(piece(f"{table.subject}: ", Ink.BOLD), _where(table))
        yield _count(table)
        if table.note:
            yield line(table.note, ink=Ink.QUIET)
        if self.kept:
            yield line(f"{len(rows):,} of {len(table.rows):,} rows hold {self.kept!r}", ink=Ink.INFO)
        yield BLANK
        yield from _grid(table.columns, rows, width)
        yield BLANK
        for column in table.columns:
            yield from _source(column)

    def _rows(self) -> Sequence[Row]:
        wanted = self.kept.lower()
        return [row for row in self.table.rows if wanted in _held_text(row).lower()]


@dataclass(frozen=True, slots=True)
class LogPage:
    """Lines of a log as a page."""

    log: LogLines
    """The lines."""
    kept: str = ""
    """Only lines that hold this are shown; empty for all."""
    title: str = "Log lines"
    """What the pane is called."""

    def keeping(self, wanted: str) -> LogPage:
        """The page with only the lines that hold a text."""
        return replace(self, kept=wanted)

    def lines(self, width: int = 0) -> tuple[Line, ...]:
        """Laid out for a width; 0 for as wide as it is."""
        log, wanted = self.log, self.kept.lower()
        told = [one for one in log.lines if wanted in one.raw.lower()]
        head = f"{log.total:,} lines of the agent's log on {log.node} name {log.subject}"
        rows = [line(head, ink=Ink.BOLD)]
        if len(told) < log.total:
            rows.append(line(f"{len(told):,} of them are shown, the newest last", ink=Ink.QUIET))
        rows += [*command_lines(log.command, 0), BLANK]
        rows += [line(one, ink=Ink.PROOF, hang=2) for one in told]
        return tuple(part for one in rows for part in wrapped(one, width)) if width else tuple(rows)

    def copies(self) -> tuple[Copy, ...]:
        """The lines, the command."""
        text = "".join(f"{one.shown}\n" for one in self.log.lines)
        return Copy("the lines", text), command_copy("the command", self.log.command)


def exhibits_of(beside: Beside | Gap) -> tuple[Exhibit, ...]:
    """Tables, then lines of logs, as evidence."""
    if isinstance(beside, Gap):
        return (of_gap(beside),)
    return (*map(_of_table, beside.tables), *map(_of_log, beside.logs))


def _of_table(table: Table) -> Exhibit:
    sign, ink = _sign(table)
    said = line(piece(f"{sign} {table.what}: {_summed(table)}  ", ink), piece(_name(table), Ink.BOLD))
    return Exhibit(table.key, said, node=table.node, page=TablePage(table))


def _of_log(log: LogLines) -> Exhibit:
    said = line(
        piece(f"{clock(log.taken_at)} ", Ink.QUIET),
        piece(f"{log.node} ", Ink.BOLD),
        f"{log.total:,} log lines name {log.subject}",
    )
    return Exhibit(log.key, said, node=log.node, page=LogPage(log))


def _name(table: Table) -> str:
    on = f" on {table.node}" if table.node and table.subject.kind != "Node" else ""
    more = f" +{len(table.alike)}" if table.alike else ""
    return f"{str(table.subject).partition(' ')[2]}{on}{more}"


def _sign(table: Table) -> tuple[str, Ink]:
    if table.wrong:
        return _MARKS[Verdict.MISSING]
    return _MARKS[Verdict.UNSEEN if table.doubtful else Verdict.AGREES]


def _summed(table: Table) -> str:
    if table.wrong:
        return f"{table.wrong:,} of {table.total:,} rows do not agree"
    if table.doubtful:
        return f"{table.doubtful:,} of {table.total:,} rows not known"
    return f"{table.total:,} row{'s' if table.total > 1 else ''}, all agree"


def _where(table: Table) -> str:
    if not table.alike:
        return f"{table.what} on {table.node or 'the nodes that were asked'}"
    shown = ", ".join(table.alike[:_NODES])
    rest = f" and {len(table.alike) - _NODES} more" if len(table.alike) > _NODES else ""
    return f"{table.what} on {table.node}; the same on {shown}{rest}"


def _count(table: Table) -> Line:
    sign, ink = _sign(table)
    cut = f"; {len(table.rows):,} of {table.total:,} shown" if len(table.rows) < table.total else ""
    doubt = f", {table.doubtful:,} not known" if table.doubtful and table.wrong else ""
    return line(piece(f"{sign} {_summed(table)}{doubt}{cut}", ink))


def _source(column: Column) -> Iterator[Line]:
    taken = moment(column.taken_at) if column.taken_at else ""
    yield line(piece(column.name, Ink.TITLE), piece(f" {taken}", Ink.QUIET))
    gap = column.unseen
    if gap is not None:
        kind = gap.kind.value.replace("_", " ")
        yield line(piece(f"? {kind}: ", Ink.UNSEEN), gap.detail, indent=2, hang=2)
        if gap.remedy:
            yield line(piece("to do  ", Ink.QUIET), gap.remedy, indent=2, hang=7)
    for command in column.commands:
        yield from command_lines(command, 2)


def _grid(columns: tuple[Column, Column, Column], rows: Sequence[Row], width: int) -> Iterator[Line]:
    names = tuple(line(piece(one.name, Ink.TITLE)) for one in columns)
    cells = [tuple(map(_cell, row.cells, [row] * 3)) for row in rows]
    wide = [max([name.width, *(row[at].width for row in cells)]) for at, name in enumerate(names)]
    first = max((_head(row).width for row in rows), default=0)
    notes = [line(piece(_noted(row), _note_ink(row))) for row in rows]
    last = max((note.width for note in notes), default=0)
    if not width or first + sum(wide) + last + 4 * _GAP <= width:
        yield _beside((BLANK, *names, BLANK), (first, *wide, last))
        for row, told, note in zip(rows, cells, notes, strict=True):
            yield _beside((_head(row), *told, note), (first, *wide, last))
        return
    each = (width - 2 - 2 * _GAP) // 3
    if each < _NARROWEST:
        yield from _stacked(columns, rows, cells, width)
        return
    yield _beside(names, (each,) * 3, indent=2)
    for row, told in zip(rows, cells, strict=True):
        yield from wrapped(_with_note(row), width)
        yield from _folded(told, each)


def _folded(cells: tuple[Line, ...], width: int) -> Iterator[Line]:
    """Cells beside each other, each wrapped in its own column."""
    broken = [tuple(wrapped(cell, width)) for cell in cells]
    for at in range(max(map(len, broken))):
        parts = tuple(one[at] if at < len(one) else BLANK for one in broken)
        yield _beside(parts, (width,) * 3, indent=2)


def _stacked(
    columns: tuple[Column, Column, Column], rows: Sequence[Row], cells: Sequence[tuple[Line, ...]], width: int
) -> Iterator[Line]:
    label = max(cell_len(column.name) for column in columns) + 1
    for row, told in zip(rows, cells, strict=True):
        yield from wrapped(_with_note(row), width)
        for column, cell in zip(columns, told, strict=True):
            said = Line((piece(f"{column.name:<{label}}", Ink.QUIET), *cell.pieces), 2, label)
            yield from wrapped(said, width)


def _beside(parts: tuple[Line, ...], widths: tuple[int, ...], indent: int = 0) -> Line:
    pieces: list[Piece] = []
    for at, (part, width) in enumerate(zip(parts, widths, strict=True)):
        shown = clipped(part, width)
        pieces += [Piece(" " * shown.indent), *shown.pieces] if shown.indent else shown.pieces
        if at + 1 < len(parts):
            pieces.append(Piece(" " * (width - shown.width + _GAP)))
    return Line(tuple(pieces), indent)


def _head(row: Row) -> Line:
    sign, ink = _MARKS[row.verdict]
    return line(piece(f"{sign} ", ink), "  " * row.depth, row.name, hang=2)


def _with_note(row: Row) -> Line:
    said = _noted(row)
    return _head(row).then(piece(f"  {said}", _note_ink(row))) if said else _head(row)


def _noted(row: Row) -> str:
    if row.verdict is Verdict.AGREES:
        return row.note.shown
    if row.verdict is Verdict.UNSEEN:
        return row.note.shown or row.verdict.value
    return f"{row.verdict.value} {row.note.shown}" if row.verdict is not Verdict.DIFFERS else row.note.shown


def _note_ink(row: Row) -> Ink:
    return Ink.INFO if row.verdict is Verdict.AGREES else _MARKS[row.verdict][1]


def _cell(cell: Cell, row: Row) -> Line:
    match cell.kind:
        case CellKind.ABSENT:
            return line(piece(f"— {cell.text.shown} —", Ink.ERROR if row.verdict.is_wrong else Ink.QUIET))
        case CellKind.UNSEEN:
            return line(piece(f"? {cell.text.shown}", Ink.UNSEEN))
        case CellKind.SILENT:
            return line(piece("·", Ink.QUIET))
    return line(cell.text)


def _held_text(row: Row) -> str:
    parts = (row.name, *(cell.text for cell in row.cells), Text(_noted(row)))
    return " ".join(part.shown for part in parts)
