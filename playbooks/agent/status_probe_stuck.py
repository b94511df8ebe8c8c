"""A probe of the agent's own status has not come back for a long time."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import captured_log, restart_agent
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.cilium.status_response import real_time
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

_STUCK = 60.0
"""Seconds: probes are given up by then."""
_LOCKS = "check-locks"
_CAUSES = {
    "kubernetes": ConditionKind.API_SERVER_UNREACHABLE,
    "kvstore": ConditionKind.KVSTORE_DOWN,
}


@fault(
    "AGT059",
    step="status",
    cases=(Case("status-stale", proof="W", twin="the same status without the key stale"),),
)
def status_probe_stuck(status: OnNode[AgentStatus], agents: Agents) -> Iterator[Finding]:
    """A probe of the agent's own status does not come back.

    The agent asks its parts in turn how they are. A part that does not answer is listed as stale with the
    time since when, and its row shows what was true before. The probe check-locks only takes the agent's
    locks and lets them go: when it is stale, somebody holds one of them for ever.
    """
    now = status.fact.taken_at
    stuck = {
        name: since
        for name, time in sorted(status.fact.response.stale.items())
        if (since := real_time(time)) and (now - since).total_seconds() >= _STUCK
    }
    agent = agents.by_node.get(status.node)
    if not stuck or agent is None or not agent.has_run_for(_STUCK, now):
        return
    yield finding(
        Severity.ERROR if _LOCKS in stuck else Severity.WARN,
        agent.pod.ref,
        f"the agent on {status.node} waits for its own {', '.join(stuck)}",
        evidence=[
            status.fact.evidence(f'"{name}" since {since:%Y-%m-%dT%H:%M:%SZ}')
            for name, since in stuck.items()
        ],
        because_of=[
            Condition(kind, status.node if kind is ConditionKind.API_SERVER_UNREACHABLE else "")
            for name, kind in _CAUSES.items()
            if name in stuck
        ],
        impact="what the agent says of these parts is old; the parts themselves may hang",
        first_seen=min(stuck.values()),
        last_seen=now,
        ongoing=Ongoing.YES,
        fixes=(
            restart_agent(
                agent,
                why="A new process has none of the locks and calls on which the old one hangs.",
                verify="The agent's status has no row Stale status.",
            ),
            Fix.cure(
                "Find out what the probe waits for.",
                why="A restart hides the cause; the stacks of the goroutines name it.",
                risk=Risk.LOW,
                steps=(
                    captured_log(agent),
                    step("Print the agent's stacks.", agent.command("gops", "stack", "1").command()),
                ),
                undo="Nothing is changed by looking.",
                verify="The stacks name the call or the lock.",
            ),
        ),
        same_as=" ".join(stuck),
    )
