"""A node keeps the taint that keeps pods away until its agent is ready."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.placing import written
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Node, Nodes
from playbooks.model.moments import SETTLING, STARTING, lasts
from playbooks.model.rule import Case, fault

_KEY = "node.cilium.io/agent-not-ready"
_PASSING = frozenset({Standing.STARTING, Standing.GOING})


@fault(
    "AGT032",
    step="node",
    cases=(
        Case("LAB-05", proof="R", twin="LAB-05 without the taint"),
        Case("NODE-taint", proof="W", twin="the same node without the taint"),
    ),
)
def node_keeps_agent_taint(nodes: Nodes, agents: Agents, config: CiliumConfig | None) -> Iterator[Finding]:
    """A node keeps the taint that keeps pods away until its agent is ready.

    Pods then wait: no node is left that has no `untolerated taint node.cilium.io/agent-not-ready`. Whoever
    makes the node sets the taint, and the operator sets it again whenever an agent is not ready; when it is
    ready, the operator takes it away. So a taint beside an agent that is down is a symptom, and one beside
    an agent that has been ready for minutes means that the operator does not do its work.
    """
    key = (config.get("agent-not-ready-taint-key") if config else "") or _KEY
    for node in nodes.items:
        taint = node.taint(key)
        agent = agents.by_node.get(node.name)
        standing = standing_of(agent.pod, agent.container, nodes.taken_at) if agent else None
        if (
            taint is None
            or node.name in agents.by_design
            or not _is_settled(node, agent, standing, nodes.taken_at)
        ):
            continue
        is_well = standing is Standing.READY
        off = is_well and config is not None and not config.is_on("remove-cilium-node-taints", True)
        yield finding(
            # Beside an agent that is down the taint is as it should be.
            Severity.ERROR if is_well else Severity.INFO,
            node.ref,
            f"{node.ref} keeps the taint {key}" + (" though its agent is ready" if is_well else ""),
            evidence=(
                nodes.evidence(f".spec.taints: {written(taint)}"),
                *((config.evidence("remove-cilium-node-taints: false"),) if off and config else ()),
            ),
            because_of=(
                (Condition(ConditionKind.OPERATOR_DOWN),)
                if is_well
                else (
                    Condition(ConditionKind.AGENT_DOWN, node.name),
                    Condition(ConditionKind.NODE_UNREACHABLE, node.name),
                )
            ),
            impact=f"no new pod is scheduled to {node.name}",
            last_seen=nodes.taken_at,
            ongoing=Ongoing.YES,
            fixes=_fixes(node, key, is_well=is_well),
            same_as=f"{key} {is_well}",
        )


def _is_settled(node: Node, agent: Agent | None, standing: Standing | None, now: datetime) -> bool:
    """Whether the taint should be gone, or the agent be there, by now."""
    if agent is None:
        return lasts(node.metadata.creation_timestamp, now, STARTING)
    ready = agent.pod.condition_of("Ready")
    if standing is Standing.READY:
        return lasts(ready.last_transition_time if ready else None, now, SETTLING)
    return standing not in _PASSING


def _fixes(node: Node, key: str, *, is_well: bool) -> Iterator[Fix]:
    if is_well:
        yield Fix.mitigation(
            f"Take the taint from {node.name}.",
            why="The agent is ready, so pods get their network.",
            risk=Risk.LOW,
            steps=(
                step(f"Remove the taint from {node.name}.", kubectl("taint", "node", node.name, f"{key}-")),
            ),
            undo="Set the taint again.",
            verify="Pods are scheduled to the node.",
        )
    yield Fix.cure(
        "Get the operator to take it away." if is_well else f"Get the agent on {node.name} ready.",
        why="The operator takes the taint away within seconds, once the agent is ready.",
        risk=Risk.LOW,
        steps=(
            step(
                "Look at the operator." if is_well else "Look at the agent.",
                kubectl("get", "pods", "-A", "-l", "app.kubernetes.io/part-of=cilium", "-o", "wide"),
            ),
        ),
        undo="Nothing is changed by looking.",
        verify="The node has no such taint any more.",
    )
