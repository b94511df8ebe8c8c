"""Columns that are as wide as their widest cell, as Go's tabwriter makes them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

_LEAST = 2
_GAP = 3
_CELLS = re.compile(r"[\t\v]")


class Columns:
    """Collects lines whose cells end with a tab, and aligns them; what follows the last tab is no cell."""

    def __init__(self) -> None:
        self._lines: list[list[str]] = []

    def add(self, text: str) -> str:
        """Take whole lines; the result is what can be told already: nothing, until a form feed comes."""
        if "\f" not in text:
            self._lines += [_CELLS.split(line) for line in text.removesuffix("\n").split("\n")]
            return ""
        *done, rest = text.split("\f")
        told = []
        for part in done:
            self.add(f"{part}\n")
            told.append(self.flush())
        if rest:
            self.add(rest)
        return "".join(told)

    def flush(self) -> str:
        """Everything that was taken, aligned."""
        lines, self._lines = self._lines, []
        widths: list[list[int]] = [[] for _ in lines]
        for column in range(max(map(len, lines), default=0) - 1):
            for block in _blocks(lines, column):
                width = max(_LEAST, max(len(lines[row][column]) for row in block) + _GAP)
                for row in block:
                    widths[row].append(width)
        return "".join(
            "".join(map(str.ljust, line, cells)) + line[-1] + "\n"
            for line, cells in zip(lines, widths, strict=True)
        )


def _blocks(lines: list[list[str]], column: int) -> Iterator[list[int]]:
    """Lines one after the other that have a cell in this column: only they are as wide as each other."""
    for has_cell, rows in groupby(range(len(lines)), lambda row: len(lines[row]) - 1 > column):
        if has_cell:
            yield list(rows)
