"""A list of objects as it is drawn: what is kept, in which order, and how wide its columns are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from rich.cells import cell_len

from playbooks.engine.ranking import Ranked
from playbooks.engine.report.marks import Mark
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Ref, Severity
from tui.ink import Ink, Line, Piece, cut, cut_middle, line, piece
from tui.view.answers import gap_lines
from tui.view.marks import glyph, ink_of
from tui.view.objects import Item, Listed, Shelf

_LEAST = 24
"""Columns for a name at least."""
_WIDE = 34
"""Columns of a cell at most, but for the last one."""
_GAP = 2
_LEFT = 4
"""Columns before the name: the cursor's mark and the verdict."""
_ALIKE = {"CiliumEndpoint": ("Endpoint", "Pod"), "Pod": ("Endpoint",), "CiliumIdentity": ("Identity",)}
"""Kinds of subjects that are the same thing by another name."""
_SAYS_HOW = ("STATE", "AGENT")

Spot = tuple[str, str, str]
"""Kind, namespace and name."""


def marks_of(snapshot: Snapshot | None) -> dict[Spot, Severity]:
    """The worst that is found about each thing; a finding on a node is about the node too."""
    found: dict[Spot, Severity] = {}
    for one in snapshot.every() if snapshot else ():
        severity = one.finding.severity
        for ref in one.finding.subjects if severity > Severity.INFO else ():
            for place in ((ref.kind, ref.namespace, ref.name), ("Node", "", ref.node)):
                if place[2]:
                    found[place] = max(severity, found.get(place, severity))
    return found


def places_of(ref: Ref) -> Iterator[Spot]:
    """Under which names findings speak of an object."""
    for kind in (ref.kind, *_ALIKE.get(ref.kind, ())):
        yield kind, ref.namespace, ref.name


def found_about(snapshot: Snapshot | None, item: Item) -> tuple[Ranked, ...]:
    """Findings about an object or the workload that it belongs to, the worst first."""
    spots = set(places_of(item.ref))
    names = {(item.ref.namespace, item.workload)} if item.workload else set()
    found = [
        one
        for one in (snapshot.every() if snapshot else ())
        if any(
            (ref.kind, ref.namespace, ref.name) in spots or (ref.namespace, ref.name) in names
            for ref in one.finding.subjects
        )
    ]
    return tuple(sorted(found, key=lambda one: -one.finding.severity))


def found_on_node(snapshot: Snapshot | None, item: Item) -> tuple[Ranked, ...]:
    """Findings about the node of an object and what else runs there, the worst first."""
    here = found_about(snapshot, item)
    found = [
        one
        for one in (snapshot.every() if snapshot and item.ref.node else ())
        if one not in here
        and any(item.ref.node in (ref.node, ref.name) for ref in one.finding.subjects)
        and one.finding.severity > Severity.INFO
    ]
    return tuple(sorted(found, key=lambda one: -one.finding.severity))


@dataclass(frozen=True)
class ObjectTable:
    """What stands on the screen of a list."""

    shelf: Shelf
    """Which list."""
    listed: Listed | None = None
    """What was read; nothing while it is being read."""
    marks: Mapping[Spot, Severity] = field(default_factory=dict)
    """The worst that is found about things."""
    namespace: str = ""
    """The one namespace that is shown."""
    wanted: str = ""
    """Only rows that hold this."""

    @cached_property
    def _names(self) -> frozenset[tuple[str, str]]:
        """Namespace and name of everything that something is found about."""
        return frozenset((namespace, name) for _, namespace, name in self.marks)

    def severity(self, item: Item) -> Severity | None:
        """The worst that is found about an object, or that it looks like at a glance."""
        if (item.ref.namespace, item.ref.name) not in self._names:
            return Severity.WARN if item.is_sick else None
        found = [self.marks[place] for place in places_of(item.ref) if place in self.marks]
        return max(found, default=Severity.WARN if item.is_sick else None)

    def kept(self) -> tuple[Item, ...]:
        """What is shown: sick ones first, then by name."""
        items = self.listed.items if self.listed else ()
        if self.namespace:
            items = tuple(one for one in items if one.namespace in ("", self.namespace))
        if self.wanted:
            wanted = self.wanted.lower()
            items = tuple(one for one in items if one.holds(wanted))
        # They are sorted already, but for what is found about them: most of them stay where they are.
        sick: list[tuple[Severity, Item]] = []
        sound: list[Item] = []
        for one in items:
            if (severity := self.severity(one)) is not None:
                sick.append((severity, one))
            else:
                sound.append(one)
        sick.sort(key=lambda pair: -pair[0])
        return (*(one for _, one in sick), *sound)

    def head(self, kept: tuple[Item, ...]) -> Line:
        """What is listed, how much of it, of when."""
        title = piece(self.shelf.key, Ink.TITLE)
        if self.listed is None:
            return line(title, piece("  reading...", Ink.QUIET))
        total, sick = len(self.listed.items), sum(self.severity(one) is not None for one in kept)
        of = f"{len(kept):,} of {total:,}" if len(kept) != total else f"{total:,}"
        parts = [title, piece(f"  {of}", Ink.BOLD)]
        parts += [piece(f" · {sick:,} sick", Ink.WARN)] if sick else []
        if self.namespace and self.shelf.key not in ("nodes", "ccnp"):
            parts.append(piece(f" · ns {self.namespace}", Ink.WARN))
        if self.wanted:
            parts.append(piece(f" · / {self.wanted}", Ink.COMMAND))
        if self.listed.only:
            parts.append(piece(f" · only namespace {self.listed.only} could be read", Ink.UNSEEN))
        if self.listed.taken_at:
            parts.append(piece(f" · seen {self.listed.taken_at:%H:%M:%S} UTC", Ink.QUIET))
        return line(*parts)

    def missing(self) -> Line | None:
        """What could not be read beside the list; nothing where all was."""
        if self.listed is None or not self.listed.gaps or not self.listed.items:
            return None
        gap = self.listed.gaps[0]
        more = f" (and {len(self.listed.gaps) - 1} more)" if len(self.listed.gaps) > 1 else ""
        return line(piece(f"? not visible: {gap.detail}{more}", Ink.UNSEEN))

    def instead(self) -> tuple[Line, ...]:
        """What stands where no row does: why there is none."""
        if self.listed is None:
            return (line(f"reading {self.shelf.key}... x stops", ink=Ink.QUIET),)
        if self.listed.items:
            said = (
                f"no row holds {self.wanted!r}"
                if self.wanted
                else f"there are none in namespace {self.namespace}"
            )
            remedy = "/ and enter shows all again" if self.wanted else ":ns alone shows all"
            return (line(f"{said}; {remedy}", ink=Ink.QUIET),)
        if self.listed.gaps:
            unseen = line(piece(f"? {self.shelf.key} are not visible", Ink.UNSEEN))
            return (unseen, *(one for gap in self.listed.gaps for one in gap_lines(gap)))
        asked = line(piece("$ ", Ink.QUIET), piece(self.shelf.command, Ink.COMMAND))
        return (line(f"there are no {self.shelf.key}: the list was read and is empty", ink=Ink.QUIET), asked)

    def columns(self, width: int) -> tuple[int, ...]:
        """How wide the name and each column is drawn; 0 for those for which there is no room."""
        widths = self.listed.widths if self.listed else ()
        if not widths:
            return (max(0, width - _LEFT),)
        others = sum(min(one, _WIDE) + _GAP for one in widths[1:])
        name = min(widths[0], max(_LEAST, width - _LEFT - others, width // 3))
        drawn, left = [name], width - _LEFT - name
        for at, one in enumerate(widths[1:], 1):
            is_last = at == len(widths) - 1
            room = max(0, min(one if is_last else min(one, _WIDE), left - _GAP))
            drawn.append(room if room >= min(one, 4) else 0)
            left -= room + _GAP
        return tuple(drawn)

    def titles(self, widths: tuple[int, ...]) -> Line:
        """The titles of the columns."""
        told = ("NAME", *self.shelf.titles)
        cells = (_padded(title, width) for title, width in zip(told, widths, strict=False) if width)
        return line(piece("    " + "  ".join(cells).rstrip(), Ink.QUIET))

    def row(self, item: Item, widths: tuple[int, ...]) -> Line:
        """An object as a row."""
        severity = self.severity(item)
        mark = Mark.of(severity) if severity else None
        pieces = [glyph(mark) if mark else Piece(" "), Piece(" ")]
        name = cut_middle(piece(item.path).text, widths[0])
        pieces.append(Piece(_padded(name, widths[0]), Ink.BOLD))
        for title, cell, width in zip(self.shelf.titles, item.cells, widths[1:], strict=False):
            if width:
                ink = ink_of(mark) if mark and title in _SAYS_HOW else Ink.PLAIN
                pieces.append(Piece(f"  {_padded(cut(piece(cell).text, width), width)}", ink))
        return Line(tuple(pieces))


def _padded(text: str, width: int) -> str:
    text = cut(text, width)
    return text + " " * (width - cell_len(text))
