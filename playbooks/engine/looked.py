"""What a verdict rests on: the answers and gaps behind the facts that rules asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from playbooks.engine.knowing import Knowing
from playbooks.engine.needs import needs_of
from playbooks.model.answer import Gap
from playbooks.model.fact import Fact, Provenance
from playbooks.model.rule import Rule


@dataclass(frozen=True, slots=True)
class Looked:
    """One answer that was looked at, or one that did not come."""

    command: str
    """What a person would have typed."""
    where: str
    """Who answered; empty for a gap."""
    node: str
    """The node it speaks of; empty for the cluster."""
    taken_at: datetime | None
    """When it was asked, UTC."""
    gap: Gap | None = None
    """Why there is no answer, if there is none."""


def looked(rules: Iterable[Rule], *looks: Knowing) -> tuple[Looked, ...]:
    """The answers behind rules, gaps first, then the cluster's, then by node; each command once."""
    kinds = frozenset(_closure(need.fact for rule in rules for need in needs_of(rule).each))
    found: dict[tuple[str, str], Looked] = {}
    for look in looks:
        for one in _in_look(look, kinds):
            found[one.command, one.node] = one
    return tuple(sorted(found.values(), key=lambda one: (one.gap is None, one.node, one.command)))


def _in_look(look: Knowing, kinds: frozenset[type[Fact]]) -> Iterator[Looked]:
    for (kind, _), gap in tuple(look.gaps.items()):
        if kind in kinds:
            yield Looked(gap.command, "", gap.node, gap.taken_at, gap)
    for (kind, node), fact in look.known().items():
        # A fact without a command needed nothing to be asked.
        if kind in kinds and not kind.is_view and fact.provenance.command:
            yield _answered(fact.provenance, node)


def _answered(source: Provenance, node: str) -> Looked:
    return Looked(source.command, source.where, source.node or node, source.taken_at)


def _closure(kinds: Iterable[type[Fact]]) -> Iterator[type[Fact]]:
    pending, seen = list(kinds), set[type[Fact]]()
    while pending:
        kind = pending.pop()
        if kind not in seen:
            seen.add(kind)
            yield kind
            pending += kind.needs
