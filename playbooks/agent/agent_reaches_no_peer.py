"""The agent of one node reaches no other node."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health import AgentHealth
from playbooks.model.cilium.health_matrix import blind, sights
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import (
    Fix,
    NotApplicable,
    Ongoing,
    Ref,
    Risk,
    Severity,
    Verdict,
    finding,
    step,
)
from playbooks.model.rule import Case, fault


@fault(
    "AGT075",
    step="peers",
    cases=(Case("node-cut-off", proof="W", twin="the same probes, of which one peer answered"),),
)
def agent_reaches_no_peer(healths: Fleet[AgentHealth], agents: Agents) -> Iterator[Verdict]:
    """The agent of one node reaches no other node.

    When one agent misses everybody while the others reach each other, it is not everybody who is down: this
    node is cut off. Its cable, its firewall, its routes or its tunnel device are the place to look, and
    everything that the other agents say of it is the other side of the same cut.
    """
    if healths.facts and all(health.is_off for _, health in healths):
        yield NotApplicable("health checks are switched off (enable-health-checking)")
        return
    if doubt := healths.if_complete().doubt:
        yield doubt
    every = sights(healths, agents)
    for node, missed in blind(every).items():
        hosts = sum(one.is_host_lost for one in missed)
        yield finding(
            Severity.WARN,
            Ref("Node", node, node=node),
            f"the agent on {node} reaches none of {len(missed)} nodes, which others reach",
            evidence=[
                healths.facts[node].evidence(f"{node} to {one.target}: {one.proof}") for one in missed[:5]
            ],
            asserts=(Condition(ConditionKind.NODE_UNREACHABLE, node),),
            because_of=(
                Condition(ConditionKind.NODE_NOT_READY, node),
                Condition(ConditionKind.AGENT_SILENT, node),
            ),
            alternatives=(
                "The node's network is down or its firewall changed: the nodes do not answer either."
                if hosts
                else "Only pod traffic is cut: the node's tunnel device, its port or its routes.",
            ),
            impact="pods on this node reach no pods on other nodes",
            last_seen=healths.facts[node].round_at,
            ongoing=Ongoing.YES,
            fixes=(
                Fix.cure(
                    f"Repair the network of {node}.",
                    why="Agents probe again by themselves within minutes.",
                    risk=Risk.LOW,
                    steps=(
                        step("Look whether the node is there.", kubectl("get", "node", node, "-o", "wide")),
                        *(
                            step("Look at its routes.", agent.command("ip", "route").command())
                            for agent in [agents.by_node.get(node)]
                            if agent
                        ),
                        step("Compare its firewall with that of another node."),
                    ),
                    undo="Nothing is changed by looking.",
                    verify="The agent reaches all nodes in cilium-health status.",
                ),
            ),
            same_as="cut off",
        )
