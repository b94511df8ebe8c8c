"""The datapath's own counters: what it dropped and forwarded, by reason and place in its source."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.bpf.dumps import entries_of, lines_of, mapped
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of
from playbooks.model.fact import Fact, Provenance, Scope, Way

_FORWARDED = ("success", "forwarded")


@dataclass(frozen=True, slots=True)
class Counter:
    """One counter."""

    reason: str
    """In words: `Policy denied`, `Success` …"""
    code: int | None
    """Its number; told before 1.16 only."""
    direction: str
    """ingress, egress, service or unknown; in lower case."""
    packets: int
    """Since the map was made."""
    bytes: int
    """Since the map was made."""
    line: int | None
    """Line of the datapath's source; nothing before 1.16."""
    file: str
    """File of the datapath's source; empty before 1.16."""

    @property
    def is_forwarded(self) -> bool:
        """Whether it counts what went through; others are drops and notes."""
        return self.reason.lower() in _FORWARDED


@dataclass(frozen=True, kw_only=True)
class DatapathCounters(Fact):
    """`cilium-dbg bpf metrics list` of one node."""

    items: tuple[Counter, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def packets(self, reason: str, direction: str) -> int:
        """Packets counted for a reason in a direction, wherever in the datapath."""
        return sum(one.packets for one in self.items if (one.reason, one.direction) == (reason, direction))


class _Sum(msgspec.Struct, frozen=True):
    packets: int
    bytes: int


class _Row(msgspec.Struct, frozen=True):
    reason: str | int
    direction: str = ""
    packets: int | None = None
    bytes: int | None = None
    line: int | None = None
    file: str = ""
    description: str = ""
    values: dict[str, _Sum | None] | None = None


def _decode_json(answer: Answer) -> DatapathCounters:
    items = tuple(counter for row in entries_of(answer, _Row) for counter in _counters(row))
    return DatapathCounters(provenance=Provenance.of(answer.request, answer.end), items=items)


def _counters(row: _Row) -> Iterator[Counter]:
    code = row.reason if isinstance(row.reason, int) else None
    reason = row.reason if isinstance(row.reason, str) else row.description
    if row.packets is not None and row.bytes is not None:
        yield Counter(reason, code, row.direction.lower(), row.packets, row.bytes, row.line, row.file)
    for direction, one in (row.values or {}).items():
        if one:
            yield Counter(reason, code, direction.lower(), one.packets, one.bytes, None, "")


def _decode_text(answer: Answer) -> DatapathCounters:
    lines = lines_of(answer)
    rows = rows_in(lines, ("REASON", "DIRECTION", "PACKETS", "BYTES")) if lines else ()
    items = tuple(map(_counter, rows))
    return DatapathCounters(provenance=Provenance.of(answer.request, answer.end), items=items)


def _counter(row: Row) -> Counter:
    return Counter(
        row.text("REASON"),
        None,
        row.text("DIRECTION").lower(),
        row.number("PACKETS"),
        row.number("BYTES"),
        number_of(row.text("LINE")),
        row.text("FILE"),
    )


_LIST = ("cilium-dbg", "bpf", "metrics", "list")
DatapathCounters.ways = (
    mapped("datapath counters", asks(*_LIST, "-o", "json"), _decode_json),
    mapped("datapath counters as text", asks(*_LIST), _decode_text),
)
