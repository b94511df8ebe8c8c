"""Tables that the agent's commands print as text: padded columns below a line of names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from playbooks.model.cilium.wire import number_of
from playbooks.model.fact import Unreadable

_NAME = re.compile(r"\S+(?: \S+)*")
_SHOWN = 80
_MOST_COLUMNS = 64


@dataclass(frozen=True, slots=True)
class Row:
    """One row: of each column one line, or more where the row goes on below."""

    cells: Mapping[str, Sequence[str]]
    """Lines that are not empty, by column."""

    def text(self, column: str) -> str:
        """The cell as one line; empty when there is none."""
        return " ".join(self.cells.get(column, ()))

    def lines(self, column: str) -> tuple[str, ...]:
        """The cell's lines."""
        return tuple(self.cells.get(column, ()))

    def number(self, column: str) -> int:
        """The cell as a number. Raises `Unreadable`."""
        number = number_of(self.text(column))
        if number is None:
            raise Unreadable(f"column {column} holds no number: {self.text(column)[:_SHOWN]!r}")
        return number

    def number_if(self, column: str) -> int | None:
        """The cell as a number, if it is one."""
        return number_of(self.text(column))

    def is_true(self, column: str) -> bool:
        """The cell as a switch. Raises `Unreadable`."""
        return self.one_of(column, {"true": True, "false": False, "yes": True, "no": False})

    def one_of(self, column: str, meanings: Mapping[str, bool]) -> bool:
        """What the cell means. Raises `Unreadable` where it is none of the words."""
        word = self.text(column)
        if word not in meanings:
            raise Unreadable(f"column {column} holds none of {', '.join(meanings)}: {word[:_SHOWN]!r}")
        return meanings[word]


def rows_in(lines: Sequence[str], columns: Sequence[str], *, goes_on: bool = False) -> Iterator[Row]:
    """The rows below the line of column names, which is the first. Raises `Unreadable`.

    All of `columns` must be there; others are kept under their names, a second one of a name as `NAME#2`.
    With `goes_on`, a line whose first cell is empty belongs to the row above.
    """
    edges = _edges(lines[0] if lines else "", columns)
    first = next(iter(edges))
    row: dict[str, list[str]] = {}
    for line in lines[1:]:
        if not line.strip():
            continue
        cells = _cells(line, edges)
        if not goes_on or first in cells:
            if row:
                yield Row(row)
            row = {}
        elif not row:
            raise Unreadable(f"the first row of the table has no {first}")
        for name, cell in cells.items():
            row.setdefault(name, []).append(cell)
    if row:
        yield Row(row)


def _edges(header: str, columns: Sequence[str]) -> dict[str, int]:
    # Up to 1.16 tables of the state begin with a mark that stands over nothing.
    unmarked = f" {header[1:]}" if header.startswith("#") else header
    found: dict[str, int] = {}
    times: Counter[str] = Counter()
    for match in _NAME.finditer(unmarked):
        times[match[0]] += 1
        number = times[match[0]]
        found[match[0] if number == 1 else f"{match[0]}#{number}"] = match.start() if found else 0
        if len(found) > _MOST_COLUMNS:
            raise Unreadable(f"the first line names too many columns: {header[:_SHOWN]!r}", 0)
    missing = ", ".join(name for name in columns if name not in found)
    if missing or not found:
        raise Unreadable(f"the first line names no column {missing}: {header[:_SHOWN]!r}", 0)
    return found


def _cells(line: str, edges: Mapping[str, int]) -> dict[str, str]:
    starts = [*edges.values()]
    cells = {}
    for name, start, end in zip(edges, starts, [*starts[1:], len(line)], strict=True):
        if 0 < start < len(line) and line[start - 1] != " ":
            raise Unreadable(f"a cell reaches into column {name}: {line[:_SHOWN]!r}")
        cell = line[start:end].strip()
        if cell:
            cells[name] = cell
    return cells
