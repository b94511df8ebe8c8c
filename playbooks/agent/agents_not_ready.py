"""Fewer agents are ready than the DaemonSet wants."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing, agents_standing
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Node
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.moments import STARTING, lasts
from playbooks.model.rule import Case, fault

_BAD = frozenset(Standing) - {Standing.READY, Standing.STARTING, Standing.GOING}


@fault(
    "AGT011",
    step="placed",
    cases=(Case("LAB-05", proof="R", twin="LAB-05 with the agent's pod ready"),),
)
def agents_not_ready(
    agents: Agents, installation: Installation, daemon_sets: DaemonSets
) -> Iterator[Finding]:
    """Fewer agents are ready than the DaemonSet wants.

    The DaemonSet counts nodes that should have an agent, those that have one, and those whose agent is ready.
    Agents that start for a minute or are replaced by a rollout are counted as missing too, so this speaks
    only when one of them has been kept from it for longer.
    """
    workload = next((item for item in daemon_sets.items if item.ref == installation.workload), None)
    bad = {agent.node: agent.pod.metadata.name for agent in agents_standing(agents, *_BAD)}
    bad |= {node.name: "no pod" for node in agents.lacking if _is_settled(node, agents)}
    if workload is None or not bad:
        return
    status = workload.status
    if status.number_ready >= status.desired_number_scheduled:
        return
    nodes = sorted(bad)
    yield finding(
        # Each of these agents has its own finding; the count is what people look for first.
        Severity.INFO,
        workload.ref,
        f"{workload.ref}: {status.number_ready} of {status.desired_number_scheduled} agents are ready",
        evidence=(
            daemon_sets.evidence(
                f".status: desiredNumberScheduled {status.desired_number_scheduled}, currentNumberScheduled "
                f"{status.current_number_scheduled}, numberReady {status.number_ready}"
            ),
            agents.evidence(", ".join(f"{bad[node]} on {node}" for node in nodes[:10])),
        ),
        because_of=[Condition(ConditionKind.AGENT_DOWN, node) for node in nodes],
        impact=f"without an agent: {', '.join(nodes[:5])}{' …' if len(nodes) > 5 else ''}",
        last_seen=daemon_sets.taken_at,
        ongoing=Ongoing.YES,
        owner=workload.metadata.managed_by,
        fixes=(
            Fix.cure(
                "Look at the agents that are not ready, one after the other.",
                why="The DaemonSet is the sum; each pod has its own reason.",
                risk=Risk.LOW,
                steps=(
                    step(
                        "List the agents and where they run.",
                        kubectl(
                            "-n",
                            installation.namespace,
                            "get",
                            "pods",
                            "-l",
                            _selector(installation),
                            "-o",
                            "wide",
                        ),
                    ),
                ),
                undo="Nothing is changed by looking.",
                verify="numberReady equals desiredNumberScheduled.",
            ),
        ),
    )


def _is_settled(node: Node, agents: Agents) -> bool:
    return lasts(node.metadata.creation_timestamp, agents.taken_at, STARTING)


def _selector(installation: Installation) -> str:
    return ",".join(f"{key}={value}" for key, value in installation.selector.items())
