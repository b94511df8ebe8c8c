"""The event ring of a node has lost events."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault


@fault(
    "AGT061",
    step="status",
    cases=(Case("PE-05", proof="W", twin="the same status without lost events"),),
)
def monitor_loses_events(status: OnNode[AgentStatus], agents: Agents) -> Iterator[Finding]:
    """The event ring of a node has lost events.

    The datapath writes what it sees into a ring per processor and never waits for a reader. When the agent is
    too slow, events are overwritten: no packet is lost, but flows are missing in Hubble and in the monitor.
    The count is of the agent's whole life, so it says nothing about now.
    """
    monitor = status.fact.response.node_monitor
    if monitor is None or monitor.lost <= 0:
        return
    yield finding(
        Severity.INFO,
        agents.ref(status.node),
        f"{monitor.lost} events were lost on {status.node} since its agent started",
        evidence=(status.fact.evidence(f"nodeMonitor: {monitor.lost} events lost"),),
        impact="flows of this node are missing in Hubble; no packet is lost",
        last_seen=status.fact.taken_at,
        fixes=(
            Fix.cure(
                "Let the datapath report less.",
                why="Aggregation reports a connection instead of each of its packets.",
                risk=Risk.LOW,
                steps=(
                    step(
                        "Set monitor-aggregation to medium or maximum.",
                        "helm upgrade cilium cilium/cilium -n kube-system --reuse-values "
                        "--set bpf.monitorAggregation=maximum",
                    ),
                ),
                undo="Set the Helm value back.",
                verify="The count of lost events no longer rises.",
            ),
        ),
        same_as="lost events",
    )
