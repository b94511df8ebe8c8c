"""Logs of an agent's pod: of this run, of the run before, and of an init container that does not end."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, TypeVar

from playbooks.model.answer import Answer, Gap, GapKind
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.logs import LogLine, lines_of
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Way, decoding
from playbooks.model.request import ContainerLog, Request
from playbooks.model.text import decoded


@dataclass(frozen=True, kw_only=True)
class Log(Fact):
    """The last lines of a container's log; none where the container has not run."""

    container: str = ""
    """The container; empty where it has no such log."""
    lines: tuple[LogLine, ...] = ()
    """Its lines, oldest first."""
    tail: int = 0
    """How many lines were asked for; 0 where nothing was asked."""

    @property
    def is_there(self) -> bool:
        """Whether there is such a log."""
        return bool(self.container)


L = TypeVar("L", bound=Log)


def log_way(name: str, kind: type[L], ask: Callable[[Scene], Request | Gap | Fact]) -> Way:
    """A way that reads a log."""

    def decode(told: Answer) -> Fact:
        request = told.request
        container, tail = (request.container, request.tail) if isinstance(request, ContainerLog) else ("", 0)
        provenance = Provenance.of(request, told.end)
        lines = tuple(lines_of(decoded(told.body)))
        return kind(provenance=provenance, container=container, lines=lines, tail=tail)

    return decoding(name, ask, decode)


@dataclass(frozen=True, kw_only=True)
class AgentLog(Log):
    """What the agent of a node wrote in this run, or in its last one if it does not run."""

    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)


@dataclass(frozen=True, kw_only=True)
class PreviousAgentLog(Log):
    """What the agent of a node wrote in the run before the one under way."""

    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)


@dataclass(frozen=True, kw_only=True)
class InitLog(Log):
    """What the init container that keeps an agent from starting wrote."""

    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)


@dataclass(frozen=True, kw_only=True)
class PreviousInitLog(Log):
    """What that init container wrote in the run before the one under way."""

    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)


def _agent(scene: Scene) -> tuple[Agents, Agent] | Gap:
    agents = scene.get(Agents)
    if isinstance(agents, Gap):
        return agents
    agent = agents.by_node.get(scene.node)
    if agent is None:
        by_design = scene.node in agents.by_design
        kind = GapKind.NO_AGENT_BY_DESIGN if by_design else GapKind.NOT_RUNNING
        return Gap(kind, f"no agent pod on {scene.node}", node=scene.node)
    return agents, agent


def _none(kind: type[L], agents: Agents, node: str) -> L:
    return kind(provenance=Provenance("", "", agents.taken_at, node))


def _ask_agent(scene: Scene) -> Request | Gap | Fact:
    found = _agent(scene)
    if isinstance(found, Gap):
        return found
    agents, agent = found
    state = agent.status.state if agent.status else None
    has_run = agent.status is not None and agent.status.last_end is not None
    if state and (state.running or has_run):
        return agent.log()
    return _none(AgentLog, agents, scene.node)


def _ask_previous(scene: Scene) -> Request | Gap | Fact:
    found = _agent(scene)
    if isinstance(found, Gap):
        return found
    agents, agent = found
    status = agent.status
    if status and status.state.running and status.last_state.terminated:
        return agent.log(is_previous=True)
    return _none(PreviousAgentLog, agents, scene.node)


def _ask_init(scene: Scene) -> Request | Gap | Fact:
    found = _agent(scene)
    if isinstance(found, Gap):
        return found
    agents, agent = found
    stuck = agent.pod.stuck_init
    if stuck and (stuck.state.running or stuck.last_end):
        return agent.log(stuck.name)
    return _none(InitLog, agents, scene.node)


def _ask_previous_init(scene: Scene) -> Request | Gap | Fact:
    found = _agent(scene)
    if isinstance(found, Gap):
        return found
    agents, agent = found
    stuck = agent.pod.stuck_init
    if stuck and stuck.state.running and stuck.last_state.terminated:
        return agent.log(stuck.name, is_previous=True)
    return _none(PreviousInitLog, agents, scene.node)


AgentLog.ways = (log_way("agent log", AgentLog, _ask_agent),)
PreviousAgentLog.ways = (log_way("agent log before", PreviousAgentLog, _ask_previous),)
InitLog.ways = (log_way("init container log", InitLog, _ask_init),)
PreviousInitLog.ways = (log_way("init container log before", PreviousInitLog, _ask_previous_init),)
