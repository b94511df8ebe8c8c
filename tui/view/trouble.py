"""What stands on the screen while there is no cluster to look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tui.ink import Ink, Line, line, lines, piece
from tui.view.rows import Row

if TYPE_CHECKING:
    from tui.connection import Failure

_TALL = 12


def failure_lines(failure: Failure, title: str) -> tuple[Line, ...]:
    """What, where, what to do, and the traceback if there is one."""
    return tuple(_failure(failure, title))


def failure_rows(failure: Failure, title: str) -> tuple[Row, ...]:
    """The same as rows of a list, for a terminal that shows nothing else."""
    return tuple(
        Row(f"failure {at}", one, tall=_TALL, is_heading=True)
        for at, one in enumerate(failure_lines(failure, title))
    )


def waiting_rows(said: str) -> tuple[Row, ...]:
    """One row that says what is waited for."""
    return (Row("waiting", line(said, ink=Ink.QUIET), tall=3, is_heading=True),)


def _failure(failure: Failure, title: str) -> Iterator[Line]:
    from playbooks.model.text import Text

    yield line(piece(f"✗ {title}", Ink.ERROR))
    yield from (one.at(0, 9) for one in lines(Text(failure.what), Ink.BOLD))
    if failure.where:
        yield line(piece("where    ", Ink.QUIET), failure.where, hang=9)
    if failure.remedy:
        yield line(piece("to do    ", Ink.QUIET), failure.remedy, hang=9)
    yield line(
        piece("again    ", Ink.QUIET), piece("r", Ink.KEY), " tries again, ", piece("q", Ink.KEY), " leaves"
    )
    if failure.detail:
        yield from lines(Text(failure.detail), Ink.QUIET)
