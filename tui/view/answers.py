"""What stands in place of an answer that did not come, and what can be copied of one that did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.ink import Ink, Line, line, piece

if TYPE_CHECKING:
    from playbooks.model.answer import Gap
    from tui.news import AnswerArrived
    from tui.view.sheet import Sheet
    from tui.view.topic import Copy


def said_instead(arrived: AnswerArrived) -> tuple[Line, ...]:
    """Why there is no answer."""
    if arrived.gap is None:
        return (line("there is no answer", ink=Ink.UNSEEN),)
    return gap_lines(arrived.gap)


def gap_lines(gap: Gap) -> tuple[Line, ...]:
    """A gap in full: what, why, what to do."""
    said = [line(piece(f"? {gap.kind.value.replace('_', ' ')}: ", Ink.UNSEEN), gap.detail, hang=2)]
    if gap.node:
        said.append(line(piece("node     ", Ink.QUIET), gap.node))
    if gap.remedy:
        said.append(line(piece("to do    ", Ink.QUIET), gap.remedy, hang=9))
    if gap.command:
        said.append(line(piece("$ ", Ink.QUIET), piece(gap.command, Ink.COMMAND), hang=4))
    return tuple(said)


def copies_of(command: str, excerpt: str, sheet: Sheet | None) -> tuple[Copy, ...]:
    """The command, the part that proves the point, the whole answer."""
    from playbooks.model.text import Text, decoded
    from tui.view.topic import Copy, command_copy

    found = [command_copy("the command", Text(command))] if command else []
    if excerpt:
        found.append(Copy("the part that proves the point", excerpt))
    if sheet is not None:
        found.append(Copy(f"the whole answer ({len(sheet.body):,} bytes)", decoded(sheet.body)))
    return tuple(found)
