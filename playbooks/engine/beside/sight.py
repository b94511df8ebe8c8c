"""What a run knows already, and what little may be asked besides."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import F, Fact, Scope

MOST_ASKED = 3
"""Nodes that are asked for a table alone."""


@dataclass(frozen=True, slots=True)
class Sight:
    """The facts of one look, as tables read them."""

    look: Knowing
    """Whose facts."""
    may_ask: bool = True
    """Whether something may be asked that no rule wanted: not while the run is under way."""

    def known(self, kind: type[F], node: str = "") -> F | Gap | None:
        """A fact if somebody asked for it already."""
        found = self.look.peek(kind, node)
        if _lacks(found) and self.look.earlier:
            # A sysdump holds one look only.
            found = self.look.earlier.peek(kind, node) or found
        return found if found is None or isinstance(found, Gap) else _whole(found)

    async def of(self, kind: type[F], node: str = "") -> F | Gap:
        """A fact, asked now if it is cheap and nobody asked yet; a gap where it is cut."""
        found = self.known(kind, node)
        if found is not None:
            return found
        if not self.may_ask or (kind.scope is Scope.NODE and not node):
            return Gap(GapKind.NOT_FOUND, "not asked yet", node=node, remedy="wait, or ask with r")
        asked = await self.look.know(kind, node)
        if _lacks(asked) and self.look.earlier:
            asked = await self.look.earlier.know(kind, node)
        return asked if isinstance(asked, Gap) else _whole(asked)

    async def nodes(self, kind: type[Fact], first: tuple[str, ...]) -> tuple[str, ...]:
        """Nodes to look at: those that matter, then those that were asked already; else a few others."""
        known = self.look.nodes_of(kind)
        first = tuple(dict.fromkeys(node for node in first if node))
        asked = tuple(node for node in first if node in known)
        few = tuple(node for node in first if node not in known)[:MOST_ASKED] if self.may_ask else ()
        if not known and not few and self.may_ask:
            agents = await self.of(Agents)
            few = () if isinstance(agents, Gap) else agents.nodes[:MOST_ASKED]
        return tuple(dict.fromkeys((*asked, *few, *known)))


def _lacks(found: Fact | Gap | None) -> bool:
    return isinstance(found, Gap) and found.kind is GapKind.NOT_RECORDED


def _whole(fact: F) -> F | Gap:
    """A fact from which absence can be read."""
    source = fact.provenance
    if not source.is_truncated and not source.namespace:
        return fact
    what = f"only namespace {source.namespace} could be read" if source.namespace else "the answer was cut"
    return Gap(GapKind.TOO_LARGE, f"{what}: what it lacks may be there", source.command, node=source.node)
