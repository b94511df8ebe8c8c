"""Three columns beside each other: what each side says of one thing, and whether they agree."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from playbooks.model.answer import Gap
from playbooks.model.fact import Fact
from playbooks.model.finding import Ref
from playbooks.model.text import Text

MOST_ROWS = 500
"""Rows that a table shows; more are counted."""


class Verdict(StrEnum):
    """Whether the sides of a row agree."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERS = "differs"
    UNSEEN = "not seen"
    """Some side is not known: nothing can be said, whatever the others hold."""
    AGREES = "agrees"

    @property
    def is_wrong(self) -> bool:
        """Whether the sides are known not to agree."""
        return self not in (Verdict.AGREES, Verdict.UNSEEN)


class CellKind(StrEnum):
    """What a cell stands for."""

    HELD = "held"
    ABSENT = "absent"
    """The side is known, and has nothing."""
    UNSEEN = "unseen"
    """The side is not known."""
    SILENT = "silent"
    """The side has no say in this."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What one side says."""

    text: Text
    """In a few words, as the cluster gave them."""
    kind: CellKind = CellKind.HELD
    """What it stands for."""


SILENT = Cell(Text(""), CellKind.SILENT)
"""A side without a say."""


def held(text: str) -> Cell:
    """What a side has."""
    return Cell(Text(text))


def absent(text: str = "no entry") -> Cell:
    """What a side lacks."""
    return Cell(Text(text), CellKind.ABSENT)


def unseen(text: str = "not seen") -> Cell:
    """What is not known of a side."""
    return Cell(Text(text), CellKind.UNSEEN)


@dataclass(frozen=True, slots=True)
class Row:
    """One thing, as three sides have it."""

    name: Text
    """What it is: a frontend, a backend, traffic, an address."""
    cells: tuple[Cell, Cell, Cell]
    """What Kubernetes wants, the agent has, the map holds."""
    verdict: Verdict
    """Whether they agree."""
    note: Text = field(default_factory=lambda: Text(""))
    """Where they do not, or why that is not known."""
    depth: int = 0
    """How far it belongs below the row before."""

    @property
    def alike(self) -> Hashable:
        """What is the same in the same row of another node; numbers of slots and packets are not."""
        kinds = tuple(cell.kind for cell in self.cells)
        return self.name, self.verdict, self.note, kinds, self.cells[:2]


@dataclass(frozen=True, slots=True)
class Column:
    """One side."""

    name: str
    """Who it is."""
    commands: tuple[Text, ...] = ()
    """What a person would have typed to see it."""
    taken_at: datetime | None = None
    """When it was asked, UTC."""
    unseen: Gap | None = None
    """Why it is not known, where it is not."""

    @classmethod
    def of(cls, name: str, *facts: Fact | Gap) -> Column:
        """From the facts behind it, the one that matters most first."""
        commands: dict[str, None] = {}
        for fact in facts:
            said = fact.command if isinstance(fact, Gap) else fact.provenance.command
            commands |= dict.fromkeys(one for one in said.split("\n") if one)
        times = [fact.taken_at for fact in facts if isinstance(fact, Fact)]
        first = facts[0] if facts else None
        gap = first if isinstance(first, Gap) else None
        return cls(name, tuple(map(Text, commands)), min(times, default=None), gap)


@dataclass(frozen=True, slots=True)
class Table:
    """Three sides of one subject."""

    key: str
    """Stays the same from look to look."""
    subject: Ref
    """What it is about."""
    what: str
    """Which rows these are, such as `service map`."""
    node: str
    """The node of agent and map; empty where each row names its own."""
    columns: tuple[Column, Column, Column]
    """Kubernetes, the agent, the map."""
    rows: tuple[Row, ...]
    """Those that are shown."""
    total: int
    """How many there are."""
    wrong: int
    """How many of them do not agree."""
    doubtful: int
    """Of how many that is not known."""
    alike: tuple[str, ...] = ()
    """Nodes with the same rows."""
    note: str = ""
    """What else has to be said."""


def table(
    subject: Ref,
    what: str,
    node: str,
    columns: tuple[Column, Column, Column],
    rows: Iterable[Row],
    *,
    note: str = "",
) -> Table | None:
    """A table; none where there is nothing to show, or nobody told anything."""
    every = tuple(rows)
    if not every or all(column.unseen for column in columns):
        return None
    wrong = sum(row.verdict.is_wrong for row in every)
    doubtful = sum(row.verdict is Verdict.UNSEEN for row in every)
    shown = every if len(every) <= MOST_ROWS else _worst(every)
    key = f"{what} {subject} {node}"
    return Table(key, subject, what, node, columns, shown, len(every), wrong, doubtful, (), note)


def folded(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Tables of the same subject on many nodes: equal ones as one, those with something wrong first."""
    found: dict[Hashable, Table] = {}
    for one in tables:
        gaps = tuple(column.unseen.kind if column.unseen else None for column in one.columns)
        key = (one.subject, one.what, one.total, gaps, tuple(row.alike for row in one.rows))
        first = found.get(key)
        found[key] = replace(first, alike=(*first.alike, one.node)) if first else one
    return tuple(sorted(found.values(), key=lambda one: (-one.wrong, -one.doubtful)))


def _worst(rows: tuple[Row, ...]) -> tuple[Row, ...]:
    """As many as are shown: those that do not agree, then the others, in their order."""
    order = {verdict: at for at, verdict in enumerate(Verdict)}
    ranked = sorted(range(len(rows)), key=lambda at: order[rows[at].verdict])
    return tuple(rows[at] for at in sorted(ranked[:MOST_ROWS]))
