"""Text as the agent's command lays it out: columns, durations and ages."""

from __future__ import annotations

from datetime import datetime

GAP = 3
"""Blanks after the widest cell of a column."""
LEAST = 5
"""The least width of a column."""


BREAK = "\f"
"""A line that ends all columns, and is not printed."""


def laid_out(text: str, gap: int = GAP, least: int = LEAST) -> str:
    """Replace tabs by blanks: a column runs over neighbouring lines that have a cell in it."""
    return "\n".join(_block(block, gap, least) for block in text.split(f"\n{BREAK}\n"))


def _block(text: str, gap: int, least: int) -> str:
    rows = [line.split("\t") for line in text.split("\n")]
    widths: list[list[int]] = [[] for _ in rows]
    _measure(rows, widths, 0, len(rows), 0, (gap, least))
    lines = []
    for cells, sizes in zip(rows, widths, strict=True):
        padded = [cell.ljust(size) for cell, size in zip(cells, sizes, strict=False)]
        lines.append("".join(padded) + cells[-1])
    return "\n".join(lines)


def _measure(
    rows: list[list[str]], widths: list[list[int]], begin: int, end: int, column: int, sizes: tuple[int, int]
) -> None:
    row = begin
    while row < end:
        if column >= len(rows[row]) - 1:
            row += 1
            continue
        last = row
        while last < end and column < len(rows[last]) - 1:
            last += 1
        widest = max(len(rows[index][column]) for index in range(row, last))
        width = max(widest + sizes[0], sizes[1])
        for index in range(row, last):
            widths[index].append(width)
        _measure(rows, widths, row, last, column + 1, sizes)
        row = last


def duration(seconds: float) -> str:
    """A duration as Go prints it."""
    nanoseconds = round(seconds * 1e9)
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < 1_000:
        return f"{nanoseconds}ns"
    if nanoseconds < 1_000_000:
        return f"{_plain(nanoseconds / 1e3)}µs"
    if nanoseconds < 1_000_000_000:
        return f"{_plain(nanoseconds / 1e6)}ms"
    hours, rest = divmod(nanoseconds, 3_600_000_000_000)
    minutes, rest = divmod(rest, 60_000_000_000)
    text = f"{_plain(rest / 1e9)}s"
    if hours:
        return f"{hours}h{minutes}m{text}"
    return f"{minutes}m{text}" if minutes else text


def since(moment: datetime | None, now: datetime) -> str:
    """How long ago, to the second; `never` for no time."""
    return "never" if moment is None else f"{duration(int((now - moment).total_seconds()))} ago"


def age(seconds: float) -> str:
    """An age as short as kubectl shows it."""
    whole = max(int(seconds), 0)
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if whole < 120:
        return f"{whole}s"
    if minutes < 10:
        return f"{minutes}m{whole % 60}s" if whole % 60 else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    if hours < 8:
        return f"{hours}h{minutes % 60}m" if minutes % 60 else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    if days < 8:
        return f"{days}d{hours % 24}h" if hours % 24 else f"{days}d"
    return f"{days}d"


def _plain(number: float) -> str:
    return f"{number:.9f}".rstrip("0").rstrip(".")
