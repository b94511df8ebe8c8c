"""The counters and gauges of an agent, as its own command lists them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_PREFIX = "cilium_"
_SUMMARIES = frozenset({"go_gc_duration_seconds"})
"""Metrics of which JSON leaves out what text shows, so that a zero would be invented."""
_LABEL = re.compile(r"(\w+)=(.*?)(?=\s\w+=|$)")
_PRETTY = re.compile(r"^(\d{1,20}(?:\.\d{1,20})?(?:e[+-]\d{1,3})?)([nµμumkMGT]?)s?$")
_PLAIN = re.compile(r"^-?\d{1,320}(?:\.\d{1,20})?$|^NaN$|^[+-]Inf$")
_TIMES = {
    "n": 1e-9,
    "µ": 1e-6,
    "μ": 1e-6,
    "u": 1e-6,
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "T": 1e12,
}


class Metric(msgspec.Struct, frozen=True):
    """One value; of a histogram the one that nine of ten stay below."""

    name: str
    """With its prefix, such as `cilium_drop_count_total`."""
    labels: dict[str, str] | None = None
    value: float = 0.0
    """Left out by the agent when zero."""

    def has(self, labels: dict[str, str]) -> bool:
        """Whether it carries these labels."""
        return labels.items() <= (self.labels or {}).items()


@dataclass(frozen=True, kw_only=True)
class AgentMetrics(Fact):
    """`cilium-dbg metrics list` of one node. A counter that never counted is mostly not in it."""

    items: tuple[Metric, ...]
    """In the order of names."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def of(self, name: str, **labels: str) -> Iterator[Metric]:
        """The values of a metric, named without `cilium_`, that carry these labels."""
        wanted = _PREFIX + name
        return (item for item in self.items if item.name == wanted and item.has(labels))

    def total(self, name: str, **labels: str) -> float | None:
        """The sum over the values of a metric; nothing when there is none."""
        values = [item.value for item in self.of(name, **labels)]
        return sum(values) if values else None


def _decode_json(answer: Answer) -> AgentMetrics:
    return _fact(answer, rows_of(answer, Metric))


def _decode_text(answer: Answer) -> AgentMetrics:
    rows = rows_in(text_of(answer).split("\n"), ("Metric", "Labels", "Value"))
    return _fact(answer, tuple(_metric(row) for row in rows if row.text("Metric") not in _SUMMARIES))


def _fact(answer: Answer, items: tuple[Metric, ...]) -> AgentMetrics:
    if not items:
        raise Unreadable("no metric at all: every agent has some")
    kept = tuple(item for item in items if item.name not in _SUMMARIES)
    return AgentMetrics(provenance=Provenance.of(answer.request, answer.end), items=kept)


def _metric(row: Row) -> Metric:
    labels = {match[1]: match[2] for match in _LABEL.finditer(row.text("Labels"))}
    return Metric(row.text("Metric"), labels or None, _value(row.text("Value")))


def _value(text: str) -> float:
    parts = text.split(" / ")
    if len(parts) == 1 and _PLAIN.match(text):
        return float(text)
    # A histogram shows what half, nine of ten and 99 of 100 stay below, with SI prefixes.
    match = _PRETTY.match(parts[1]) if len(parts) == 3 else None
    if not match:
        raise Unreadable(f"not a value of a metric: {text[:80]!r}")
    return float(match[1]) * _TIMES[match[2]]


AgentMetrics.ways = (
    answered("agent's metrics", asks("cilium-dbg", "metrics", "list", "-o", "json"), _decode_json),
    answered("agent's metrics as text", asks("cilium-dbg", "metrics", "list"), _decode_text),
)
