"""Hubble does not work in the agent."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import captured_log, deleted
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault

PARTS = ("hubble", "hubble-metrics")
_SETTLED = 120.0
"""Seconds after which Hubble must have started; it starts after the agent's other parts."""


@fault(
    "AGT056",
    step="status",
    cases=(Case("status-hubble", proof="W", twin="the same status with hubble.state Ok"),),
)
def hubble_not_ok(status: OnNode[AgentStatus], agents: Agents) -> Iterator[Finding]:
    """Hubble does not work in the agent.

    Hubble's server is a part of the agent that watches the datapath; traffic does not depend on it. When it
    could not start (a certificate is missing, its port is taken) it does not try again: the agent runs on
    without it, and flows and metrics of this node are missing wherever they are read.
    """
    agent = agents.by_node.get(status.node)
    if agent is None:
        return
    is_settled = agent.has_run_for(_SETTLED, status.fact.taken_at)
    for name, part in status.fact.bad_parts:
        # While the agent starts, Hubble is in Warning; in Failure it is only when it could not start.
        if name not in PARTS or not (is_settled or part.state.lower() == "failure"):
            continue
        what = "Hubble's metrics do" if name == "hubble-metrics" else "Hubble does"
        yield finding(
            Severity.WARN,
            agent.pod.ref,
            f"{what} not work in the agent on {status.node}",
            evidence=(status.fact.evidence(f"{name}: {part.said}"),),
            because_of=(
                Condition(ConditionKind.SECRET_MISSING),
                Condition(ConditionKind.SECRET_MISSING, status.node),
                Condition(ConditionKind.AGENT_CONFIG_REFUSED, status.node),
            ),
            stated_cause=part.msg,
            impact="flows and metrics of this node are missing; traffic goes on",
            last_seen=status.fact.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                Fix.cure(
                    "Remove what kept Hubble from starting, then restart the agent.",
                    why="Hubble starts once, with the agent.",
                    risk=Risk.MEDIUM,
                    steps=(
                        captured_log(agent),
                        step(
                            "Read what the agent's log says of Hubble.",
                            agent.log(tail=5000).command() + " | grep -i hubble",
                        ),
                        deleted(agent),
                    ),
                    undo="Nothing to undo.",
                    verify="The row Hubble of the agent's status begins with Ok.",
                ),
            ),
            same_as=f"{name} {part.msg}",
        )
