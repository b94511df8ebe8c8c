"""How an agent's or the operator's container ended last, and what it said at the end."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import ClassVar

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.logs import LogLine, last_words, lines_of, options_in
from playbooks.model.cilium.logs_agent import AgentLog, Log, PreviousAgentLog
from playbooks.model.fact import Fact, Provenance, Scene, Scope
from playbooks.model.finding import Evidence
from playbooks.model.kube.pods import ContainerStatus, Terminated

_PASSED_ON = re.compile(
    r"(unable to run agent|failed to start|failed to populate object graph|invalid daemon configuration"
    r"|error while creating daemon|daemon creation failed|invoke failed|start failed|fatal error|panic): ",
    re.IGNORECASE,
)
EXCERPT = 1000
"""Characters of a line that go into evidence."""


@dataclass(frozen=True, kw_only=True)
class Run(Fact):
    """A run of a container that has ended."""

    end: Terminated | None
    """How it ended; None when the container never ended."""
    log: Log | None
    """What holds its words: a log, or the message that the kubelet kept."""
    missing: Gap | None
    """Why its log could not be read, if it could not."""

    @cached_property
    def last(self) -> LogLine | None:
        """The line that says why it ended."""
        return last_words(self.log.lines) if self.log else None

    @cached_property
    def options(self) -> dict[str, str]:
        """The options that it echoed, as far as its log reaches back."""
        return options_in(self.log.lines) if self.log else {}

    @property
    def cause(self) -> str:
        """What the last line says, without the steps that only pass it on; empty when it says nothing."""
        said = self.last.said if self.last else ""
        while match := _PASSED_ON.match(said):
            said = said[match.end() :]
        return said

    def words(self, line: LogLine) -> Evidence:
        """A line of it as evidence."""
        return (self.log or self).evidence(line.raw[:EXCERPT])


@dataclass(frozen=True, kw_only=True)
class LastRun(Run):
    """The last ended run of the agent on a node."""

    agent: Agent
    """The agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, AgentLog, PreviousAgentLog)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> LastRun | Gap:
        """Choose the log that holds the run, else the kubelet's message."""
        agents = scene.get(Agents)
        if isinstance(agents, Gap):
            return agents
        agent = agents.by_node.get(scene.node)
        if agent is None:
            return no_pod(agents, scene.node)
        status = agent.status
        running = status is not None and status.state.running is not None
        told: Log | Gap = scene.get(PreviousAgentLog) if running else scene.get(AgentLog)
        log, missing = log_of_run(status, told, agents.provenance)
        end = status.last_end if status else None
        place = replace(agents.provenance, node=scene.node)
        return LastRun(provenance=place, end=end, log=log, missing=missing, agent=agent)


def no_pod(agents: Agents, node: str) -> Gap:
    """The gap of a node without an agent pod."""
    by_design = node in agents.by_design
    kind = GapKind.NO_AGENT_BY_DESIGN if by_design else GapKind.NOT_RUNNING
    return Gap(kind, f"no agent pod on {node}", node=node)


def log_of_run(
    status: ContainerStatus | None, told: Log | Gap, pods: Provenance
) -> tuple[Log | None, Gap | None]:
    """What holds the words of the last ended run, and why its log is missing."""
    end = status.last_end if status else None
    if status is None or end is None:
        return None, None
    if isinstance(told, Log) and told.is_there and last_words(told.lines):
        return told, None
    if end.message.strip():
        kept = replace(pods, way="termination message")
        return Log(provenance=kept, container=status.name, lines=tuple(lines_of(end.message))), None
    if isinstance(told, Gap):
        return None, told
    return (told, None) if told.is_there else (None, None)
