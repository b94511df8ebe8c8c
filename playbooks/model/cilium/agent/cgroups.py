"""The cgroups of pods as an agent found them: what the socket load balancer and tracing rest on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of, rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way


class ContainerCgroup(msgspec.Struct, frozen=True, rename="kebab"):
    """The cgroup of one container."""

    cgroup_id: int | None = None
    cgroup_path: str = ""
    """Empty when not told, as in text."""


class PodCgroups(msgspec.Struct, frozen=True):
    """The cgroups of one pod."""

    name: str = ""
    namespace: str = ""
    containers: tuple[ContainerCgroup, ...] | None = None
    ips: tuple[str, ...] | None = None
    """Its addresses; text does not tell them."""


@dataclass(frozen=True, kw_only=True)
class AgentCgroups(Fact):
    """`cilium-dbg cgroups list` of one node."""

    items: tuple[PodCgroups, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _decode_json(answer: Answer) -> AgentCgroups:
    items = rows_of(answer, PodCgroups)
    return AgentCgroups(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_text(answer: Answer) -> AgentCgroups:
    rows = rows_in(text_of(answer).split("\n"), ("POD NAME", "POD NAMESPACE", "CGROUP IDS"))
    items = tuple(map(_pod, rows))
    return AgentCgroups(provenance=Provenance.of(answer.request, answer.end), items=items)


def _pod(row: Row) -> PodCgroups:
    words = row.text("CGROUP IDS").replace(",", " ").split()
    containers = tuple(ContainerCgroup(number_of(word)) for word in words)
    if any(container.cgroup_id is None for container in containers):
        raise Unreadable(f"not numbers of cgroups: {row.text('CGROUP IDS')[:80]!r}")
    return PodCgroups(row.text("POD NAME"), row.text("POD NAMESPACE"), containers)


AgentCgroups.ways = (
    answered("agent's cgroups", asks("cilium-dbg", "cgroups", "list", "-o", "json"), _decode_json),
    answered("agent's cgroups as text", asks("cilium-dbg", "cgroups", "list"), _decode_text),
)
