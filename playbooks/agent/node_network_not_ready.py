"""A node says that nobody gives its pods a network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.placing import says_no_network
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.standing import Standing, standing_of
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.nodes import Nodes
from playbooks.model.moments import SETTLING, lasts
from playbooks.model.rule import Case, fault

_GLANCE = timedelta(seconds=15)
"""How often the runtime reads the directory, and somewhat more."""


@fault(
    "AGT030",
    step="node",
    cases=(
        Case(
            "NODE-cni",
            proof="V",
            lines=(
                "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady "
                "message:Network plugin returns error: cni plugin not initialized",
            ),
            twin="the same node with its condition Ready True",
        ),
    ),
)
def node_network_not_ready(nodes: Nodes, agents: Agents | None) -> Iterator[Finding]:
    """A node says that nobody gives its pods a network.

    The container runtime looks for a configuration in /etc/cni/net.d and finds none: the agent writes it
    when it is ready for the first time. So this is nearly always the agent's absence, seen from the node.
    Where the agent is ready, the file went to another directory, or another program took it away.
    """
    for node in nodes.items:
        ready = node.condition("Ready")
        if ready is None or ready.status == "True" or not says_no_network(ready.message):
            continue
        agent = agents.by_node.get(node.name) if agents else None
        is_well = (
            agent is not None and standing_of(agent.pod, agent.container, nodes.taken_at) is Standing.READY
        )
        # An agent that is ready has written the file long since; who takes it away then is not starting.
        since = agent.pod.condition_of("Ready") if agent and is_well else None
        is_lost = since is not None and lasts(since.last_transition_time, nodes.taken_at, SETTLING)
        waits = _GLANCE if is_lost else SETTLING
        if not lasts(ready.last_transition_time, nodes.taken_at, waits) or node.operating_system == "windows":
            continue
        yield finding(
            Severity.ERROR,
            node.ref,
            f"{node.ref} is not ready: no CNI configuration",
            evidence=(nodes.evidence(f"Ready {ready.status} {ready.reason}: {ready.message}"),),
            asserts=(Condition(ConditionKind.NODE_NOT_READY, node.name),),
            because_of=(Condition(ConditionKind.AGENT_DOWN, node.name),),
            alternatives=(
                "The agent writes to another directory than the runtime reads: compare cni.confPath with it.",
                "Something removes the file: the agent's log says that it wrote it.",
            )
            if is_well
            else (),
            impact=f"no new pod starts on {node.name}",
            first_seen=ready.last_transition_time,
            last_seen=nodes.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                Fix.cure(
                    f"Get the agent on {node.name} ready; it writes the CNI configuration.",
                    why="The runtime reads the directory again every few seconds.",
                    risk=Risk.LOW,
                    steps=(
                        step("Read the node's conditions.", kubectl("describe", "node", node.name)),
                        step("List what the directory holds, on the node.", "ls -l /etc/cni/net.d"),
                    ),
                    undo="Nothing is changed by looking.",
                    verify="The node's condition Ready is True.",
                ),
            ),
            same_as=f"cni {is_well}",
        )
