"""A topic: what is selected, as the panes beside the list show it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from playbooks.engine.looked import Looked
from playbooks.model.answer import Gap
from playbooks.model.rule import Rule
from playbooks.model.text import Text
from tui.ink import BLANK, Ink, Line, Piece, cut, line, piece


class Page(Protocol):
    """A piece of evidence that is laid out by us, in place of a raw answer."""

    @property
    def title(self) -> str:
        """What the pane is called that shows it."""

    @property
    def kept(self) -> str:
        """Only rows that hold this are shown; empty for all."""

    def keeping(self, wanted: str) -> Page:
        """The page with only the rows that hold a text."""

    def lines(self, width: int = 0) -> tuple[Line, ...]:
        """Laid out for a width; 0 for as wide as it is."""

    def copies(self) -> tuple[Copy, ...]:
        """What can be copied of it, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One piece of evidence, as a row and as something whose raw answer can be shown."""

    key: str
    """Stays the same from snapshot to snapshot."""
    line: Line
    """The row."""
    command: str = ""
    """The command that shows it; raw, for asking and copying."""
    excerpt: str = ""
    """The part that proves the point; raw, for finding it in the answer."""
    node: str = ""
    """The node it speaks of; raw."""
    gap: Gap | None = None
    """Why there is no answer, if there is none."""
    page: Page | None = None
    """What is shown in place of a raw answer, if something is."""


@dataclass(frozen=True, slots=True)
class Copy:
    """Something that can be copied."""

    name: str
    """What it is, in a few words."""
    text: str
    """What is copied."""
    refusal: str = ""
    """Why it is not offered, if it is not."""


class Topic(Protocol):
    """What is selected."""

    @property
    def key(self) -> str:
        """The key of its row."""

    @property
    def thread(self) -> Line:
        """One line that names and sums it up."""

    @property
    def below(self) -> Line:
        """One line under its details: the first fix, or the command."""

    @property
    def head(self) -> tuple[Line, ...]:
        """What it is, in the order in which a tired person asks."""

    @property
    def fixes(self) -> tuple[Line, ...]:
        """The fixes; empty where there are none."""

    @property
    def rest(self) -> tuple[Line, ...]:
        """What comes after the fixes: proof and theory."""

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that judge it."""

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes that it names, raw."""

    @property
    def exhibits(self) -> tuple[Exhibit, ...] | None:
        """Its own evidence; `None` where that is all that its rules looked at."""

    def copies(self) -> tuple[Copy, ...]:
        """What can be copied of it, the likeliest first."""


@dataclass(frozen=True, slots=True)
class Nothing:
    """The topic when nothing is there to select."""

    said: Line
    """Why."""
    key: str = ""
    below: Line = BLANK
    fixes: tuple[Line, ...] = ()
    rest: tuple[Line, ...] = ()
    rules: tuple[Rule, ...] = ()
    nodes: tuple[str, ...] = ()
    more: tuple[Line, ...] = field(default=())
    """What else there is to say."""

    @property
    def thread(self) -> Line:
        """Why there is nothing."""
        return self.said

    @property
    def head(self) -> tuple[Line, ...]:
        """Why there is nothing, and what to do."""
        return (self.said, *self.more)

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """None."""
        return ()

    def copies(self) -> tuple[Copy, ...]:
        """None."""
        return ()


def from_looked(looked: tuple[Looked, ...]) -> tuple[Exhibit, ...]:
    """What was looked at, as evidence."""
    return tuple(_exhibit(one) for one in looked)


def _exhibit(one: Looked) -> Exhibit:
    if one.gap is not None:
        return of_gap(one.gap)
    head = (piece(clock(one.taken_at), Ink.QUIET), piece(f" {one.node or 'cluster'} ", Ink.BOLD))
    return Exhibit(
        f"{one.node} {one.command}",
        line(*head, piece(brief(one.command), Ink.COMMAND)),
        one.command,
        "",
        one.node,
    )


_WHERE = re.compile(r" --(?:kubeconfig|context)[= ](?:'[^']*'|\S+)")


def brief(command: str) -> str:
    """A command for a list: without the words that are the same in every row."""
    return (" exec " in command and command.partition(" -- ")[2]) or _WHERE.sub("", command)


def of_gap(gap: Gap) -> Exhibit:
    """A gap, as evidence of what is not known."""
    kind = gap.kind.value.replace("_", " ")
    what = piece(brief(gap.command), Ink.COMMAND) if gap.command else piece(gap.detail)
    said = line(piece(f"? {kind} ", Ink.UNSEEN), piece(f"{gap.node or 'cluster'} ", Ink.BOLD), what)
    return Exhibit(
        f"gap {gap.node} {gap.kind} {gap.command} {gap.detail}", said, gap.command, "", gap.node, gap
    )


def clock(time: datetime | None) -> str:
    """The time of day, UTC; the date is in the page and in copies."""
    return time.astimezone(UTC).strftime("%H:%M:%S") if time else "--:--:--"


def ago(seconds: float) -> str:
    """A span of time in its two largest units."""
    total = int(abs(seconds))
    for size, unit, smaller, part in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if total >= size:
            rest = total % size // smaller
            return f"{total // size} {unit} {rest} {part}" if rest else f"{total // size} {unit}"
    return f"{total} s"


def labelled(label: str, *values: Piece | str | Text, width: int = 9) -> tuple[Line, ...]:
    """Values under each other behind a label."""
    told = [value if isinstance(value, Piece) else piece(value) for value in values]
    return tuple(
        line(Piece(f"{'' if position else label:<{width}}", Ink.QUIET), value, hang=width)
        for position, value in enumerate(value for value in told if value.text)
    )


def command_lines(command: Text, indent: int) -> tuple[Line, ...]:
    """A command as typed, or why it is not offered."""
    if not command.is_safe_to_run:
        said = "this command holds hidden characters and is not offered"
        return (line(piece(said, Ink.UNSEEN), indent=indent),)
    return tuple(
        line(
            piece("$ " if position == 0 else "  ", Ink.QUIET),
            piece(shown, Ink.COMMAND),
            indent=indent,
            hang=4,
        )
        for position, shown in enumerate(command.lines)
    )


def command_copy(name: str, command: Text) -> Copy:
    """A command to copy, unless it holds what cannot be seen."""
    if command.is_safe_to_run:
        return Copy(name, command.raw)
    return Copy(name, "", "it holds hidden characters")


_SHORT = 160


def short(reason: str) -> str:
    """The beginning of a reason: where many nodes give the same one, the first is enough."""
    return cut(Text(reason).shown, _SHORT)
