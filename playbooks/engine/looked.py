"""What a verdict rests on: the answers and gaps behind the facts that rules asked for."""

from __future__ import annotations

from collections import deque
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
    """The answers behind rules: gaps, then the cluster's, then by node; what rules name first leads."""
    order = {
        kind: at
        for at, kind in enumerate(_closure(need.fact for rule in rules for need in needs_of(rule).each))
    }
    found: dict[tuple[str, str], tuple[int, Looked]] = {}
    for look in looks:
        for kind, one in _in_look(look):
            if kind in order:
                found[one.command, one.node] = (order[kind], one)
    ranked = sorted(
        found.values(), key=lambda pair: (pair[1].gap is None, pair[1].node, pair[0], pair[1].command)
    )
    return tuple(one for _, one in ranked)


def _in_look(look: Knowing) -> Iterator[tuple[type[Fact], Looked]]:
    for (kind, _), gap in tuple(look.gaps.items()):
        yield kind, Looked(gap.command, "", gap.node, gap.taken_at, gap)
    for (kind, node), fact in look.known().items():
        if not kind.is_view and fact.provenance.command:
            yield kind, _answered(fact.provenance, node)


def _answered(source: Provenance, node: str) -> Looked:
    return Looked(source.command, source.where, source.node or node, source.taken_at)


def _closure(kinds: Iterable[type[Fact]]) -> Iterator[type[Fact]]:
    """The facts, then the facts that they are made of, and so on."""
    pending, seen = deque(kinds), set[type[Fact]]()
    while pending:
        kind = pending.popleft()
        if kind not in seen:
            seen.add(kind)
            yield kind
            pending += kind.needs
