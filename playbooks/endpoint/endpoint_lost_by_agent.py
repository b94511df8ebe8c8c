"""A pod's endpoint is published, but its agent does not have it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, capture, finding, step
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.moments import STARTING, lasts
from playbooks.model.rule import Case, fault

_YOUNG = timedelta(minutes=2)


@fault(
    "END013",
    step="agreement",
    cases=(
        Case(
            "CEP-without-endpoint", proof="W", twin="the same cluster with the endpoint in the agent's list"
        ),
    ),
    candidate=lambda endpoints, published, pods: bool(_lost(endpoints, published, pods)),
)
def endpoint_lost_by_agent(
    endpoints: Change[AgentEndpoints],
    published: Change[ClusterEndpoints],
    pods: Change[Pods],
    agents: Agents,
) -> Iterator[Finding]:
    """A pod's endpoint is published, but its agent does not have it.

    An agent that starts takes up the endpoints that it finds on its node's disk. One that it cannot take up
    is gone for it, while the CiliumEndpoint stays until somebody cleans up: other nodes still send to the
    pod, and its own node drops what comes, for no program stands at its door and no entry leads to it.
    """
    node = endpoints.after.provenance.node
    agent = agents.by_node.get(node)
    if agent is None or not lasts(agent.started_at, endpoints.before.taken_at, STARTING):
        return
    before = _lost(endpoints.before, published.before, pods.before)
    for key, pod in _lost(endpoints.after, published.after, pods.after).items():
        if key in before and before[key].status.pod_ip == pod.status.pod_ip:
            yield _finding(pod, node, endpoints, published)


def _lost(endpoints: AgentEndpoints, published: ClusterEndpoints, pods: Pods) -> dict[tuple[str, str], Pod]:
    node = endpoints.provenance.node
    if endpoints.provenance.is_truncated:
        return {}
    names = {(one.namespace, one.name) for one in published.items}
    found = {}
    for pod in pods.items:
        key = (pod.metadata.namespace, pod.metadata.name)
        address = pod.status.pod_ip
        if pod.spec.node_name != node or key not in names or pod.is_going or pod.spec.host_network:
            continue
        is_settled = pod.status.phase == "Running" and lasts(pod.status.start_time, pods.taken_at, _YOUNG)
        if address and is_settled and endpoints.at(address) is None:
            found[key] = pod
    return found


def _finding(
    pod: Pod, node: str, endpoints: Change[AgentEndpoints], published: Change[ClusterEndpoints]
) -> Finding:
    meta = pod.metadata
    return finding(
        Severity.ERROR,
        pod.ref,
        f"{pod.ref} has a CiliumEndpoint, but its agent knows no endpoint of it",
        evidence=(
            endpoints.before.evidence(
                f"{len(endpoints.before.items)} endpoints, none with {pod.status.pod_ip}"
            ),
            endpoints.after.evidence(
                f"{len(endpoints.after.items)} endpoints, none with {pod.status.pod_ip}"
            ),
            published.after.evidence(f"CiliumEndpoint {meta.namespace}/{meta.name}"),
        ),
        because_of=(Condition(ConditionKind.AGENT_SILENT, node),),
        impact="what is sent to it is dropped on its node, and its policy does not hold",
        first_seen=endpoints.before.taken_at,
        last_seen=endpoints.after.taken_at,
        ongoing=Ongoing.YES,
        owner=meta.managed_by,
        fixes=(
            Fix.cure(
                f"Replace {pod.ref}.",
                why="An endpoint is made when a pod is made.",
                risk=Risk.MEDIUM,
                steps=(
                    capture(
                        f"Save what {pod.ref} looks like.",
                        kubectl("-n", meta.namespace, "get", "pod", meta.name, "-o", "yaml") + " > pod.yaml",
                    ),
                    step(
                        "Delete the pod, if a controller makes a new one.",
                        kubectl("-n", meta.namespace, "delete", "pod", meta.name),
                    ),
                ),
                undo="Apply the saved manifest, if nothing made a new pod.",
                verify="The agent of the new pod's node lists an endpoint with its address.",
            ),
        ),
        same_as="lost",
    )
