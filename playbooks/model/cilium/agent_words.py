"""Everything that an agent's pod has said which still counts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import ClassVar

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.last_run import EXCERPT, LastRun
from playbooks.model.cilium.logs import LogLine, lines_of
from playbooks.model.cilium.logs_agent import AgentLog, InitLog, Log, PreviousInitLog
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.fact import F, Fact, Fleet, Provenance, Scene, Scope
from playbooks.model.finding import CouldNotLook, Evidence


@dataclass(frozen=True, kw_only=True)
class AgentWords(Fact):
    """Everything that an agent's pod has said which still counts: this run, and how it fails to start."""

    agent: Agent
    """The agent."""
    standing: Standing
    """How its pod stands."""
    logs: tuple[Log, ...]
    """The init container that is stuck, the run under way, and, unless the agent is ready, the one before."""
    missing: tuple[Gap, ...]
    """Logs that could not be read."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, AgentLog, LastRun, InitLog, PreviousInitLog)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> AgentWords | Gap:
        """Collect the logs that count for how the agent stands."""
        agents, last = scene.get(Agents), scene.get(LastRun)
        if isinstance(agents, Gap):
            return agents
        if isinstance(last, Gap):
            return last
        agent = last.agent
        standing = standing_of(agent.pod, agent.container, agents.taken_at)
        told: list[Log | Gap] = [scene.get(InitLog), scene.get(PreviousInitLog)]
        told += _kept_by_init(agent, agents.provenance)
        told.append(scene.get(AgentLog))
        if standing is not Standing.READY and last.log and last.log not in told:
            told.append(last.log)
        return AgentWords(
            provenance=last.provenance,
            agent=agent,
            standing=standing,
            logs=tuple(log for log in told if isinstance(log, Log) and log.is_there),
            missing=tuple(log for log in told if isinstance(log, Gap)),
        )

    def last_saying(self, saying: re.Pattern[str], over: re.Pattern[str] | None = None) -> Heard | None:
        """The last line that says so, unless a later line of the same log says that it is over.

        A ready agent may have said it long ago and gone on since: then it does not count.
        """
        for log in self.logs:
            for line in reversed(log.lines):
                if over and over.search(line.message):
                    break
                if saying.search(line.said):
                    if self.standing is Standing.READY and _is_old(line, self):
                        break
                    return Heard(log, line)
        return None


_LONG_AGO = timedelta(minutes=10)


def _is_old(line: LogLine, words: AgentWords) -> bool:
    return line.time is not None and words.taken_at - line.time > _LONG_AGO


@dataclass(frozen=True, slots=True)
class Heard:
    """A line and the log that holds it."""

    log: Log
    """The log."""
    line: LogLine
    """The line."""

    @property
    def proof(self) -> Evidence:
        """The line as evidence."""
        return self.log.evidence(self.line.raw[:EXCERPT])


def unseen(fleet: Fleet[F]) -> Iterator[CouldNotLook]:
    """The doubt that nodes leave which have an agent's pod and were not seen."""
    gaps = {node: gap for node, gap in fleet.missing.items() if gap.kind not in _NO_LOG}
    yield from _doubt(gaps, fleet.total)


def unheard(fleet: Fleet[AgentWords]) -> Iterator[CouldNotLook]:
    """The doubt that logs leave which could not be read."""
    gaps = {node: gap for node, gap in fleet.missing.items() if gap.kind not in _NO_LOG}
    yield from _doubt(gaps | {node: words.missing[0] for node, words in fleet if words.missing}, fleet.total)


def _doubt(gaps: dict[str, Gap], total: int) -> Iterator[CouldNotLook]:
    if gaps:
        nodes = ", ".join(sorted(gaps)[:5])
        first = gaps[min(gaps)]
        yield CouldNotLook(f"{len(gaps)} of {total} nodes were not seen ({nodes}): {first.detail}")


_NO_LOG = frozenset({GapKind.NOT_RUNNING, GapKind.NO_AGENT_BY_DESIGN})


def _kept_by_init(agent: Agent, pods: Provenance) -> list[Log | Gap]:
    stuck = agent.pod.stuck_init
    end = stuck.last_end if stuck else None
    if stuck is None or end is None or not end.message.strip():
        return []
    kept = replace(pods, way="termination message")
    return [Log(provenance=kept, container=stuck.name, lines=tuple(lines_of(end.message)))]
