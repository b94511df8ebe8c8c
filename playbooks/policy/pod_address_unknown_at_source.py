"""A node takes the address of a pod for the world, so policies for that pod do not act there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.restarting import restart_agent
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import OnNode
from playbooks.model.finding import Finding, Ongoing, Severity, finding
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.policies.refused import Refusal, span, told
from playbooks.model.policies.written import Direction
from playbooks.model.rule import Case, fault

_SETTLED = timedelta(minutes=2)
"""How old a pod must be: for seconds after its start its identity is on its way to other nodes."""


@fault(
    "POL011",
    step="refused",
    cases=(Case("PO-08", proof="W", twin="the same flow with the labels of the pod at its destination"),),
)
def pod_address_unknown_at_source(
    refused: OnNode[RefusedFlows], pods: Pods, agents: Agents, published: ClusterEndpoints | None
) -> Iterator[Finding]:
    """A node takes the address of a pod for the world, so policies for that pod do not act there.

    The source's node looks up the destination's address in its ipcache. It learns addresses of pods on other
    nodes from CiliumEndpoints. In a pod's first seconds the address is not known yet and stands for `world`:
    drops that end by themselves. When they go on, the CiliumEndpoint was not made or did not arrive, and
    rules that admit the pod by its labels admit nothing from here.
    """
    by_address = _by_address(pods)
    found: dict[str, list[Refusal]] = {}
    for flow in refused.fact.items:
        drop = Refusal(refused.fact, flow, Direction.EGRESS)
        pod = by_address.get(drop.peer_address)
        if flow.drop_reason != 133 or flow.direction != "egress" or pod is None or drop.peer.pod_name:
            continue
        started = pod.status.start_time
        is_young = not (flow.time and started and flow.time - started > _SETTLED)
        if drop.as_peer.is_outside and not drop.as_peer.labels.cidrs and not is_young:
            found.setdefault(pod.status.pod_ip, []).append(drop)
    agent = agents.by_node.get(refused.node)
    for address, drops in found.items():
        yield _finding(by_address[address], drops, refused.node, agent, published)


def _by_address(pods: Pods) -> dict[str, Pod]:
    found: dict[str, Pod | None] = {}
    for pod in pods.items:
        if pod.status.pod_ip and not pod.spec.host_network and not pod.is_going:
            # An address that two pods claim tells nothing about either.
            found[pod.status.pod_ip] = None if pod.status.pod_ip in found else pod
    return {address: pod for address, pod in found.items() if pod}


def _finding(
    pod: Pod, drops: list[Refusal], node: str, agent: Agent | None, published: ClusterEndpoints | None
) -> Finding:
    address, meta = pod.status.pod_ip, pod.metadata
    seen = span(drops)
    evidence = [drops[-1].evidence()]
    is_missing = published is not None and not any(
        (one.namespace, one.name) == (meta.namespace, meta.name) for one in published.items
    )
    if published and is_missing:
        evidence.append(published.evidence(f"no CiliumEndpoint {meta.namespace}/{meta.name}"))
    owner = agent if not is_missing else None
    verify = f"`cilium-dbg bpf ipcache get {address}` on {node} tells the pod's identity."
    return finding(
        Severity.WARN,
        pod.ref,
        f"{pod.ref} is world on {node}: its address {address} has no identity there",
        evidence=evidence,
        because_of=(
            Condition(ConditionKind.AGENT_DOWN, pod.spec.node_name),
            Condition(ConditionKind.AGENT_SILENT, node),
            Condition(ConditionKind.ADDRESS_UNKNOWN, node, address),
        ),
        impact=f"{told(drops)}; rules for the pod's labels do not match from {node}",
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.UNKNOWN,
        fixes=(restart_agent(owner, why="A new agent reads all CiliumEndpoints anew.", verify=verify),)
        if owner
        else (),
        alternatives=(
            "The CiliumEndpoint is missing: then the agent of the pod's own node must publish it.",
            "The CiliumEndpoint is there: then the agent of the source's node did not take it in.",
        ),
    )
