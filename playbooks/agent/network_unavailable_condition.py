"""A node carries the condition that its network is unavailable."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.moments import SETTLING, lasts
from playbooks.model.rule import Case, fault


@fault(
    "AGT033",
    step="node",
    cases=(Case("NODE-unavailable", proof="W", twin="the same node with NetworkUnavailable False"),),
)
def network_unavailable_condition(nodes: Nodes, agents: Agents | None) -> Iterator[Finding]:
    """A node carries the condition that its network is unavailable.

    Cloud controllers set the condition until routes to the node exist; Kubernetes turns it into a taint.
    Where Cilium carries the traffic, its operator sets it to False with the reason CiliumIsUp as soon as
    the agent is ready. It is never refreshed after that, so False proves nothing about now; True does.
    """
    for node in nodes.items:
        found = node.condition("NetworkUnavailable")
        if found is None or found.status != "True" or (agents and node.name in agents.by_design):
            continue
        if not lasts(found.last_transition_time, nodes.taken_at, SETTLING):
            continue
        yield finding(
            Severity.ERROR,
            node.ref,
            f"{node.ref} says that its network is unavailable: {found.reason}",
            evidence=(nodes.evidence(f"NetworkUnavailable True {found.reason}: {found.message}"),),
            because_of=(
                Condition(ConditionKind.AGENT_DOWN, node.name),
                Condition(ConditionKind.OPERATOR_DOWN),
                Condition(ConditionKind.NODE_UNREACHABLE, node.name),
            ),
            alternatives=(
                "A cloud controller waits for routes that nobody makes here: its reason is not Cilium's.",
                "set-cilium-is-up-condition is false in cilium-config, so that nobody clears it.",
            ),
            impact=f"no new pod is scheduled to {node.name}",
            first_seen=found.last_transition_time,
            last_seen=nodes.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                Fix.cure(
                    "Get agent and operator ready, or switch off whoever else sets the condition.",
                    why="Cilium clears it itself; a route controller of the cloud would set it again.",
                    risk=Risk.LOW,
                    steps=(step("Read the node's conditions.", kubectl("describe", "node", node.name)),),
                    undo="Nothing is changed by looking.",
                    verify="The condition is False with the reason CiliumIsUp.",
                ),
            ),
            same_as=found.reason,
        )
