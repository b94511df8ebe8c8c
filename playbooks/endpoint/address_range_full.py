"""A node has no address left, and pods wait for one."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.address_pools import AddressPool, fullest
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import Evidence, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.sandboxes import Refusal, WaitingGroup, WaitingPods
from playbooks.model.rule import Case, fault

_FULL = 0.9
"""Retries give addresses back and take them again, so a used-up pool is not full at every moment."""
_FIXED = ("cluster-pool", "kubernetes")


@fault(
    "END003",
    step="addresses",
    cases=(
        Case(
            "EP-01",
            proof="V",
            lines=(
                "unable to allocate IP via local cilium agent: [POST /ipam][502] postIpamFailure "
                "range is full",
            ),
            twin="the same event about a pod that runs by now",
        ),
    ),
)
def address_range_full(
    waiting: WaitingPods, statuses: Fleet[AgentStatus], agents: Agents, config: CiliumConfig | None
) -> Iterator[Finding]:
    """A node has no address left, and pods wait for one.

    The CNI plug-in asks the agent of its node for an address, and the agent has a range of its own to give
    from. When more pods than addresses are on the node, or addresses of pods that are gone were never given
    back, the next pod stays in ContainerCreating while the node looks well. In modes that fetch addresses
    on demand (ENI, Azure, multi-pool) the operator has to bring more.
    """
    for node, group in waiting.on_nodes(Refusal.NO_ADDRESS).items():
        status = statuses.facts.get(node)
        pool = fullest(status)
        if pool and pool.share < _FULL:
            # Addresses are left: then something else keeps the agent from giving them.
            continue
        proof = group.proof(waiting)
        if status and status.response.ipam:
            proof.append(status.evidence(f"IPAM: {status.response.ipam.status}"))
        is_fixed = config is not None and config.get("ipam", "cluster-pool") in _FIXED
        yield _finding(node, group, proof, pool, agents, is_fixed=is_fixed)


def _finding(
    node: str,
    group: WaitingGroup,
    proof: list[Evidence],
    pool: AddressPool | None,
    agents: Agents,
    *,
    is_fixed: bool,
) -> Finding:
    causes = [Condition(ConditionKind.IPAM_EXHAUSTED, node, why) for why in ("", "leaked", "interfaces")]
    if not is_fixed:
        causes.append(Condition(ConditionKind.OPERATOR_DOWN))
    return finding(
        Severity.ERROR,
        Ref("Node", node, node=node),
        f"Node {node} has no address left: {group.said}",
        evidence=proof,
        asserts=(Condition(ConditionKind.IPAM_EXHAUSTED, node),),
        because_of=causes,
        alternatives=()
        if pool
        else (
            "All addresses are given out: then the agent's status counts as many as there are.",
            "A route of the node covers its range, so that none is given: then few are allocated.",
        ),
        impact=f"no new pod starts on {node}",
        first_seen=group.first,
        last_seen=group.last,
        ongoing=Ongoing.YES,
        fixes=(_elsewhere(node), _compared(node, agents.by_node.get(node), is_fixed=is_fixed)),
        same_as="fixed" if is_fixed else "on demand",
    )


def _elsewhere(node: str) -> Fix:
    return Fix.mitigation(
        f"Let new pods go to other nodes than {node}.",
        why="Other nodes have addresses of their own.",
        risk=Risk.LOW,
        steps=(
            step(f"Cordon {node}.", kubectl("cordon", node)),
            step("Delete the pods that wait; their owners make new ones elsewhere."),
        ),
        undo=kubectl("uncordon", node),
        verify="The new pods run.",
    )


def _compared(node: str, agent: Agent | None, *, is_fixed: bool) -> Fix:
    listed = agent.command("cilium-dbg", "status", "--verbose").command() if agent else ""
    return Fix.cure(
        f"Give {node} enough addresses for its pods.",
        why="The kubelet tries again as long as the pods exist, so they start by themselves.",
        risk=Risk.MEDIUM,
        steps=(
            step("Compare the allocated addresses with the pods of the node.", listed),
            step(
                "Lower maxPods of the kubelet below the size of the range, or set a larger "
                "clusterPoolIPv4MaskSize and make the node anew: a node keeps the range that it has."
            )
            if is_fixed
            else step("Read why the operator brings no more addresses: its log and the node's CiliumNode."),
        ),
        undo="Set maxPods back, or make the node anew with the old mask size.",
        verify="Fewer addresses are allocated than the range holds, and the pods run.",
    )
