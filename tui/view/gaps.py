"""What could not be seen, as its panes show it: the reason, the remedy, and what stays unknown for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.engine.report.marks import Mark
from playbooks.engine.report.verdict import mark_of, unjudged
from playbooks.engine.report.words import GapGroup, grouped
from playbooks.engine.snapshot import Snapshot
from playbooks.model.rule import Rule
from playbooks.model.text import Text
from tui.ink import BLANK, Ink, Line, line, piece
from tui.view.marks import ink_of
from tui.view.topic import Copy, Exhibit, command_copy, command_lines, labelled, of_gap, short


def count_unseen(snapshot: Snapshot | None) -> int:
    """How many things could not be seen."""
    return len(snapshot.gaps) if snapshot else 0


@dataclass(frozen=True, slots=True)
class GapsTopic:
    """The row of things that are not visible, selected."""

    key: str
    """The key of its row."""
    snapshot: Snapshot
    """All that is known so far."""

    fixes: tuple[Line, ...] = ()
    """None."""
    rest: tuple[Line, ...] = ()
    """Nothing."""

    @property
    def thread(self) -> Line:
        """How many, and how many rules that leaves without a verdict."""
        rules = len(unjudged(self.snapshot.outcomes.values()))
        return line(
            piece(f"? {count_unseen(self.snapshot):,} things not visible", Ink.UNSEEN),
            f", {rules} rules without a full verdict",
        )

    @property
    def below(self) -> Line:
        """What would help most."""
        remedies = [group.remedy for group in grouped(self.snapshot.gaps) if group.remedy]
        return (
            line("To do: ", remedies[0])
            if remedies
            else line("nothing here can be made visible", ink=Ink.QUIET)
        )

    @property
    def head(self) -> tuple[Line, ...]:
        """Every reason with its remedy, then the rules that could not judge."""
        return tuple(self._head())

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The rules that could not judge all."""
        return tuple(outcome.rule for outcome in unjudged(self.snapshot.outcomes.values()))

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes of gaps."""
        return tuple(dict.fromkeys(gap.node for gap in self.snapshot.gaps if gap.node))

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """The gaps themselves."""
        return tuple(dict.fromkeys(of_gap(gap) for gap in self.snapshot.gaps))

    def copies(self) -> tuple[Copy, ...]:
        """The commands that gave no answer."""
        commands = dict.fromkeys(gap.command for gap in self.snapshot.gaps if gap.command)
        return (command_copy("the commands that gave no answer", Text("\n".join(commands))),)

    def _head(self) -> Iterator[Line]:
        yield self.thread
        yield line("What was not seen is never called sound.", ink=Ink.QUIET)
        for group in grouped(self.snapshot.gaps):
            yield BLANK
            yield from _group(group)
        outcomes = unjudged(self.snapshot.outcomes.values())
        if outcomes:
            yield BLANK
            yield line("Rules without a full verdict", ink=Ink.TITLE)
        for outcome in outcomes:
            mark = mark_of(outcome)
            head = f" {outcome.rule.id} {outcome.looked}/{outcome.total} "
            yield line(
                piece(mark.glyph, ink_of(mark)),
                piece(head, Ink.QUIET),
                outcome.rule.title.rstrip("."),
                hang=2,
            )
            yield line(short(outcome.why or mark.value), indent=4)


def _group(group: GapGroup) -> Iterator[Line]:
    kind = group.kind.value.replace("_", " ")
    number = f" ({group.count:,} times)" if group.count > 1 else ""
    yield line(piece(f"{Mark.NOT_CHECKED.glyph} {kind}{number}: ", Ink.UNSEEN), group.detail, hang=2)
    yield from (one.at(2, 9) for one in labelled("nodes", group.where))
    yield from (one.at(2, 9) for one in labelled("to do", group.remedy))
    if group.command:
        yield from command_lines(Text(group.command), 2)
