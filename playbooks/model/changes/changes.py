"""Everything that changed, of the whole cluster and of one node, newest first."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.changes.record import ChangeKind, ChangeRecord
from playbooks.model.changes.written import config_written, written
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.node_configs import NodeConfigs
from playbooks.model.cilium.policies import CiliumClusterwideNetworkPolicies, CiliumNetworkPolicies
from playbooks.model.cilium.settings import RunningSettings, has_read, last_write
from playbooks.model.fact import Fact, Scene, Scope
from playbooks.model.finding import Ref
from playbooks.model.kube.namespaces import Namespaces
from playbooks.model.kube.network_policies import NetworkPolicies
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.revisions import ControllerRevisions, ReplicaSet, ReplicaSets
from playbooks.model.kube.services import Services
from playbooks.model.kube.workloads import DaemonSets, Deployments

LIMIT = 500
"""Changes that are kept, the newest of all."""
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_NODES_SHOWN = 3


@dataclass(frozen=True, kw_only=True)
class Changes(Fact):
    """What changed in the cluster, as its objects tell it now."""

    items: tuple[ChangeRecord, ...]
    """Newest first; those of unknown time last."""
    left_out: int
    """Older changes that were not kept."""
    missing: tuple[Gap, ...]
    """What could not be read: a change there is not seen."""
    needs: ClassVar[tuple[type[Fact], ...]] = (
        Installation,
        CiliumConfig,
        NodeConfigs,
        DaemonSets,
        Deployments,
        ControllerRevisions,
        ReplicaSets,
        Agents,
        Nodes,
        Namespaces,
        Services,
        NetworkPolicies,
        CiliumNetworkPolicies,
        CiliumClusterwideNetworkPolicies,
    )
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> Changes | Gap:
        """Collect what every object tells of its past."""
        installation = scene.get(Installation)
        if isinstance(installation, Gap):
            return installation
        facts = [fact for fact in scene.known.values() if isinstance(fact, Fact)]
        every = [record for fact in facts for record in told_by(fact)]
        config, agents = scene.get(CiliumConfig), scene.get(Agents)
        if isinstance(config, CiliumConfig) and isinstance(agents, Agents):
            every += _unread(config, agents)
        return cls(
            provenance=replace(installation.provenance, way="objects as they are now"),
            items=_newest(every),
            left_out=max(0, len(every) - LIMIT),
            missing=tuple(dict.fromkeys(gap for gap in scene.known.values() if isinstance(gap, Gap))),
        )

    def within(self, moment: datetime, span: timedelta) -> tuple[ChangeRecord, ...]:
        """Changes in the time before a moment, newest first."""
        return tuple(one for one in self.items if one.when and moment - span <= one.when <= moment)

    def of(self, what: Ref) -> tuple[ChangeRecord, ...]:
        """Changes of one thing, newest first."""
        return tuple(one for one in self.items if one.what == what)


@dataclass(frozen=True, kw_only=True)
class NodeChanges(Fact):
    """What changed on one node, and what its agent has not taken over yet."""

    items: tuple[ChangeRecord, ...]
    """Newest first; those of unknown time last."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, CiliumConfig, RunningSettings)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> NodeChanges | Gap:
        """The agent's start, and each key with which it does not run as it is asked to."""
        agents, config = scene.get(Agents), scene.get(CiliumConfig)
        if isinstance(agents, Gap):
            return agents
        agent, settings = agents.by_node.get(scene.node), scene.get(RunningSettings)
        found = list(_of_agent(agent)) if agent else []
        if isinstance(settings, RunningSettings) and isinstance(config, CiliumConfig):
            write = last_write(config)
            for one in settings.differing:
                words = f"{one.key} is to be {one.wanted!r} and the agent runs with {one.running!r}"
                when, who = (write.time, write.manager) if write else (None, "")
                found.append(ChangeRecord(when, agents.ref(scene.node), ChangeKind.NOT_APPLIED, who, words))
        place = replace(agents.provenance, node=scene.node, way="agent as it is now")
        return cls(provenance=place, items=_newest(found))


def _newest(records: Iterable[ChangeRecord]) -> tuple[ChangeRecord, ...]:
    return tuple(heapq.nlargest(LIMIT, records, key=lambda one: one.when or _LONG_AGO))


def told_by(fact: Fact) -> Iterator[ChangeRecord]:
    """What one fact tells."""
    match fact:
        case CiliumConfig():
            yield from config_written(fact.ref, fact.metadata)
        case Nodes():
            for node in fact.items:
                if node.metadata.creation_timestamp:
                    words = f"{node.ref} joined"
                    when = node.metadata.creation_timestamp
                    yield ChangeRecord(when, node.ref, ChangeKind.JOINED, "", words)
        case Agents():
            for agent in fact.by_node.values():
                yield from _of_agent(agent)
        case ControllerRevisions() | ReplicaSets():
            yield from _rolled_out(fact)
        case Namespaces() | NodeConfigs():
            kind = "Namespace" if isinstance(fact, Namespaces) else "CiliumNodeConfig"
            for one in fact.items:
                yield from written(Ref(kind, one.metadata.name, one.metadata.namespace), one.metadata)
        case (
            DaemonSets()
            | Deployments()
            | Services()
            | NetworkPolicies()
            | CiliumNetworkPolicies()
            | CiliumClusterwideNetworkPolicies()
        ):
            for item in fact.items:
                yield from written(item.ref, item.metadata)


def _of_agent(agent: Agent) -> Iterator[ChangeRecord]:
    status = agent.status
    if status is None:
        return
    end = status.last_end
    how = f"exit code {end.exit_code}" + (f" ({end.reason})" if end.reason else "") if end else ""
    if agent.started_at:
        count = f", restart {status.restart_count}" if status.restart_count else ""
        words = f"the agent on {agent.node} started{count}" + (f", after {how}" if how else "")
        yield ChangeRecord(agent.started_at, agent.pod.ref, ChangeKind.STARTED, "", words)
    elif end:
        words = f"the agent on {agent.node} ended with {how} and has not started since"
        yield ChangeRecord(end.finished_at, agent.pod.ref, ChangeKind.ENDED, "", words)


def _rolled_out(fact: ControllerRevisions | ReplicaSets) -> Iterator[ChangeRecord]:
    for item in fact.items:
        when, of = item.metadata.creation_timestamp, item.of
        if when and of:
            images = item.images if isinstance(item, ReplicaSet) else ()
            told = f" with {', '.join(images)}" if images else ""
            words = f"revision {item.revision or '?'} of {of} was made{told}"
            yield ChangeRecord(when, of, ChangeKind.ROLLED_OUT, "", words)


def _unread(config: CiliumConfig, agents: Agents) -> Iterator[ChangeRecord]:
    """The ConfigMap's last write, where agents run that started before it."""
    behind = [node for node, agent in agents.by_node.items() if has_read(agent, config) is False]
    write = last_write(config)
    if behind and write:
        rest = len(behind) - _NODES_SHOWN
        names = ", ".join(behind[:_NODES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")
        words = (
            f"{len(behind)} of {len(agents.by_node)} agents started before {config.ref} was written: {names}"
        )
        yield ChangeRecord(write.time, config.ref, ChangeKind.NOT_APPLIED, write.manager, words)
