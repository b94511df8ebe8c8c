"""An agent does not reach the health endpoint on its own node."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health import AgentHealth
from playbooks.model.cilium.health_matrix import own_sight
from playbooks.model.cilium.restarting import captured_log, restart_agent
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Fix, NotApplicable, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault


@fault(
    "AGT076",
    step="peers",
    cases=(Case("own-health-endpoint", proof="W", twin="the same probes, of which one protocol answered"),),
)
def own_health_endpoint_silent(
    health: OnNode[AgentHealth], agents: Agents
) -> Iterator[Finding | NotApplicable]:
    """An agent does not reach the health endpoint on its own node.

    The health endpoint is a pod in all but name: it has an address of the node's range and a program of
    Cilium at its door. The way to it never leaves the node. When both of its probes fail, local delivery to
    pods is broken here, or the endpoint's own process is gone.
    """
    if health.fact.is_off:
        yield NotApplicable("health checks are switched off (enable-health-checking)")
        return
    sight = own_sight(health.fact, health.node, agents)
    agent = agents.by_node.get(health.node)
    if sight is None or agent is None or not sight.is_lost:
        return
    what = "health endpoint" if sight.is_endpoint_lost else "own address"
    yield finding(
        Severity.WARN,
        Ref("Node", health.node, node=health.node),
        f"the {what} of {health.node} does not answer its own agent",
        evidence=(health.fact.evidence(f"{health.node} to itself: {sight.proof}"),),
        because_of=(
            Condition(ConditionKind.AGENT_SILENT, health.node),
            Condition(ConditionKind.IPAM_EXHAUSTED, health.node),
        ),
        impact="pods on this node may not be reached from their own node",
        last_seen=health.fact.round_at,
        ongoing=Ongoing.YES,
        fixes=(
            restart_agent(
                agent,
                why="A new agent makes the health endpoint anew and loads its program.",
                verify="The node is reached 1/1 in cilium-health status.",
            ),
            Fix.cure(
                "Find out what drops the probes.",
                why="The probes take the way of every local pod's traffic.",
                risk=Risk.LOW,
                steps=(
                    captured_log(agent),
                    step("Look at the state of the endpoint with the label reserved:health."),
                    step("List the endpoints.", agent.command("cilium-dbg", "endpoint", "list").command()),
                    step(
                        "Watch drops for five seconds.",
                        agent.command("timeout", "5", "cilium-dbg", "monitor", "-t", "drop").command(),
                    ),
                ),
                undo="Nothing is changed by looking.",
                verify="The node is reached 1/1 in cilium-health status.",
            ),
        ),
        same_as=f"own {what}",
    )
