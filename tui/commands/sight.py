"""What the rules of each playbook could see here: every fact they need, tried without running anything."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.engine.needs import needs_of
from playbooks.model.answer import Gap, Source
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.fact import Choice, Scope
from playbooks.model.rule import Rule
from tui.commands.reviewing import ALLOWED


@dataclass(frozen=True, slots=True)
class Sight:
    """What would be seen, and what would not."""

    installation: Installation | Gap
    """Where Cilium is."""
    agents: Agents | Gap
    """The agents."""
    blind: dict[str, Gap]
    """By rule id: the first thing that a rule lacks."""

    @property
    def obstacles(self) -> tuple[tuple[Gap, tuple[str, ...]], ...]:
        """Each reason with the rules that it blinds, the one that blinds most first."""
        rules: dict[tuple[str, str], list[str]] = defaultdict(list)
        gaps: dict[tuple[str, str], Gap] = {}
        for rule, gap in self.blind.items():
            key = (gap.kind, gap.detail)
            gaps.setdefault(key, gap)
            rules[key].append(rule)
        ordered = sorted(rules, key=lambda key: -len(rules[key]))
        return tuple((gaps[key], tuple(sorted(rules[key]))) for key in ordered)


async def sight(source: Source, rules: tuple[Rule, ...], choice: Choice, workers: int) -> Sight:
    """Try what the rules need. `source` must be one that runs nothing in containers."""
    knowing = Knowing(Asking(source, 1, Turns(workers)), choice, lambda: source.now)
    installation, agents = await asyncio.gather(knowing.know(Installation), knowing.know(Agents))
    node = _sample(agents)
    lacks = await asyncio.gather(*(_lack(knowing, rule, node) for rule in rules))
    blind = {rule.id: gap for rule, gap in zip(rules, lacks, strict=True) if gap}
    return Sight(installation, agents, blind)


def _sample(agents: Agents | Gap) -> str:
    """A node whose agent runs, if there is one: permissions are the same for all."""
    if isinstance(agents, Gap):
        return ""
    running = [node for node, agent in agents.by_node.items() if agent.is_running]
    return next(iter(running or agents.nodes), "")


async def _lack(knowing: Knowing, rule: Rule, node: str) -> Gap | None:
    for need in needs_of(rule).each:
        if need.is_optional:
            continue
        fact = await knowing.know(need.fact, node if need.fact.scope is Scope.NODE else "")
        if isinstance(fact, Gap) and ALLOWED not in fact.detail:
            return fact
    return None
