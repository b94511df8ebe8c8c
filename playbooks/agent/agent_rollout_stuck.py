"""A rollout of the agents has stopped at a node."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import kubectl, sysdump
from playbooks.model.cilium.standing import Standing, agents_standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.moments import lasts
from playbooks.model.rule import Case, fault

_STUCK = timedelta(minutes=5)
_BAD = frozenset(Standing) - {Standing.READY, Standing.GOING}


@fault(
    "AGT012",
    step="placed",
    cases=(Case("ROLLOUT-stuck", proof="W", twin="the same DaemonSet, all updated and ready"),),
)
def agent_rollout_stuck(
    agents: Agents, installation: Installation, daemon_sets: DaemonSets
) -> Iterator[Finding]:
    """A rollout of the agents has stopped at a node.

    A rolling update replaces a few agents and goes on when these are ready. One that never becomes ready
    stops it: part of the fleet runs the new version or configuration, the rest the old one, and nobody is
    told. Undoing it replaces the stuck agents first.
    """
    workload = next((item for item in daemon_sets.items if item.ref == installation.workload), None)
    if workload is None or workload.spec.update_strategy.type == "OnDelete":
        return
    status = workload.status
    is_known = status.observed_generation >= workload.metadata.generation
    if not is_known or status.updated_number_scheduled >= status.desired_number_scheduled:
        return
    blockers = [agent for agent in agents_standing(agents, *_BAD) if _is_old(agent, agents)]
    if not blockers:
        return
    done, wanted = status.updated_number_scheduled, status.desired_number_scheduled
    nodes = [agent.node for agent in blockers]
    change = workload.metadata.last_change
    yield finding(
        Severity.WARN,
        (workload.ref, *(agent.pod.ref for agent in blockers)),
        f"{workload.ref}: the rollout stands at {done} of {wanted}, blocked by {blockers[0].node}",
        evidence=(
            daemon_sets.evidence(f".status: updatedNumberScheduled {done} of {wanted}"),
            agents.evidence(
                ", ".join(f"{agent.pod.metadata.name} on {agent.node} not ready" for agent in blockers)
            ),
        ),
        because_of=[Condition(ConditionKind.AGENT_DOWN, node) for node in nodes],
        impact=f"{wanted - done} agents stay on the old version or configuration",
        last_seen=daemon_sets.taken_at,
        ongoing=Ongoing.YES,
        changes=(f"{change.time:%Y-%m-%dT%H:%M:%SZ} written by {change.manager}",) if change else (),
        owner=workload.metadata.managed_by,
        fixes=_fixes(workload.ref, blockers[0].node),
    )


def _fixes(workload: Ref, node: str) -> Iterator[Fix]:
    rollout, name = ("-n", workload.namespace, "rollout"), ("daemonset", workload.name)
    yield Fix.mitigation(
        "Undo the rollout.",
        why="The agents that it stopped at get back what ran before.",
        risk=Risk.MEDIUM,
        steps=(
            sysdump(),
            step(f"Undo the last change of {workload}.", kubectl(*rollout, "undo", *name)),
        ),
        undo="Roll out the change again.",
        verify="All agents are updated and ready.",
    )
    yield Fix.cure(
        f"Repair the agent on {node}; the rollout goes on by itself.",
        why="The next nodes follow as soon as the stuck ones are ready.",
        risk=Risk.LOW,
        steps=(step("Follow the rollout.", kubectl(*rollout, "status", *name)),),
        undo="Nothing is changed by following it.",
        verify="All agents are updated and ready.",
    )


def _is_old(agent: Agent, agents: Agents) -> bool:
    return lasts(agent.pod.metadata.creation_timestamp, agents.taken_at, _STUCK)
