"""The page of one object."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from playbooks.engine.ranking import Ranked
from playbooks.engine.report.marks import Mark
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Gap
from playbooks.model.kube.events import Event, Warnings
from tui.ink import BLANK, Ink, Line, line, piece
from tui.view.answers import gap_lines
from tui.view.marks import marked
from tui.view.object_table import found_about, found_on_node
from tui.view.objects import Item, Shelf
from tui.view.topic import labelled

_EVENTS = 20
_OF_POD = ("CiliumEndpoint", "Pod")


def described(
    item: Item, shelf: Shelf, snapshot: Snapshot | None, warnings: Warnings | Gap | None
) -> Iterator[Line]:
    """What it is, what is found about it, what Kubernetes complained about."""
    yield line(piece(item.path, Ink.BOLD))
    details = item.details()
    width = 2 + max(len(label) for label in (*shelf.titles, *(label for label, _ in details)))
    for title, cell in zip(shelf.titles, item.cells, strict=False):
        yield from labelled(title.lower(), cell, width=width)
    for label, told in details:
        yield from labelled(label, told, width=width)
    yield BLANK
    yield line("What is found about it", ink=Ink.TITLE)
    found = found_about(snapshot, item)
    yield from map(_finding, found)
    if not found:
        yield line(_nothing(snapshot), ink=Ink.QUIET)
    if near := found_on_node(snapshot, item):
        yield BLANK
        yield line("What is found on its node", ink=Ink.TITLE)
        yield from map(_finding, near)
    yield BLANK
    yield line("Events of type Warning", ink=Ink.TITLE)
    yield from _events(item, warnings)


def _finding(one: Ranked) -> Line:
    return line(marked(Mark.of(one.finding.severity)), f" {one.rule.id} ", one.finding.summary, hang=2)


def _nothing(snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return "nothing was asked yet"
    judged = sum(outcome.is_judged for outcome in snapshot.outcomes.values())
    return f"no finding names it; {judged} of {len(snapshot.rules)} rules could judge"


def _events(item: Item, warnings: Warnings | Gap | None) -> Iterator[Line]:
    if warnings is None:
        yield line("reading...", ink=Ink.QUIET)
    elif isinstance(warnings, Gap):
        yield from gap_lines(warnings)
    else:
        found = sorted(
            (one for one in warnings.items if _is_about(one, item)),
            key=lambda one: one.last or datetime.min.replace(tzinfo=UTC),
            reverse=True,
        )
        yield from (line(one.excerpt, hang=2) for one in found[:_EVENTS])
        if len(found) > _EVENTS:
            yield line(f"{_EVENTS} of {len(found)} shown", ink=Ink.QUIET)
        if not found:
            yield line("none is kept: Kubernetes forgets them after an hour", ink=Ink.QUIET)


def _is_about(event: Event, item: Item) -> bool:
    about, kinds = event.involved_object, _OF_POD if item.ref.kind in _OF_POD else (item.ref.kind,)
    is_here = about.namespace == item.ref.namespace or item.ref.kind == "Node"
    return about.kind in kinds and about.name == item.ref.name and is_here
