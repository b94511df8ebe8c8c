"""The options with which an agent runs, under the names of its Go fields."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from playbooks.model.answer import Answer, Gap
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health import time_of
from playbooks.model.cilium.wire import refusal, struct_of
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Unreadable, Way, decoding
from playbooks.model.request import Request


@dataclass(frozen=True, kw_only=True)
class AgentOptions(Fact):
    """`cilium-dbg config -a` of one node: what is in force, not what the ConfigMap says by now."""

    values: Mapping[str, str]
    """Plain values by Go field name, such as `EnableBPFMasquerade: true`; lists joined by blanks."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def made_at(self) -> datetime | None:
        """When the agent put its options together, at its start."""
        return time_of(self.values.get("CreationTime", ""))


def _ask(scene: Scene) -> Request | Gap:
    agents = scene.get(Agents)
    agent = agents if isinstance(agents, Gap) else agents.on(scene.node)
    return agent if isinstance(agent, Gap) else agent.command("cilium-dbg", "config", "-a", "-o", "json")


def _decode(answer: Answer) -> AgentOptions | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    values = dict(_plain(struct_of(answer, dict[str, object])))
    if not values:
        raise Unreadable("the answer holds no option")
    return AgentOptions(provenance=Provenance.of(answer.request, answer.end), values=values)


def _plain(options: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    # Groups such as UnsafeDaemonConfigOption moved between versions; the field's own name stayed.
    for name, value in options.items():
        if isinstance(value, dict):
            yield from _plain(value)
        elif isinstance(value, bool):
            yield name, str(value).lower()
        elif isinstance(value, str | int | float):
            yield name, str(value)
        elif isinstance(value, list) and all(isinstance(part, str) for part in value):
            yield name, " ".join(value)


AgentOptions.ways = (decoding("agent's options", _ask, _decode),)
