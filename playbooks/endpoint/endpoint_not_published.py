"""An agent has an endpoint that it has not published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import captured_log, restart_agent
from playbooks.model.cilium.settings import TRUE
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import (
    CouldNotLook,
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.moments import lasts
from playbooks.model.rule import Case, fault

_YOUNG = timedelta(minutes=2)


@fault(
    "END012",
    step="managed",
    cases=(Case("CEP-missing", proof="W", twin="the same cluster with the pod's CiliumEndpoint"),),
    candidate=lambda endpoints, published, pods: bool(_unpublished(endpoints, published, pods)),
)
def endpoint_not_published(
    endpoints: Change[AgentEndpoints],
    published: Change[ClusterEndpoints],
    pods: Change[Pods],
    agents: Agents,
    config: CiliumConfig | None,
) -> Iterator[Finding | CouldNotLook | NotApplicable]:
    """An agent has an endpoint that it has not published.

    Agents learn which identity an address on another node has from its CiliumEndpoint. Without one, other
    nodes take the pod for the world outside the cluster: policies that admit it by its labels refuse it
    there, while on its own node all is well.
    """
    if config is not None and config.get("disable-endpoint-crd").lower() in TRUE:
        yield NotApplicable("endpoints are not published here (disable-endpoint-crd)")
        return
    node = endpoints.after.provenance.node
    before = _unpublished(endpoints.before, published.before, pods.before)
    missing = _unpublished(endpoints.after, published.after, pods.after)
    lasting = [pod for key, pod in missing.items() if key in before]
    where = published.after.provenance
    if lasting and (where.is_truncated or where.namespace or not published.after.items):
        yield CouldNotLook("not all endpoints could be listed, so a missing one proves nothing")
        return
    for pod in lasting:
        yield _finding(pod, node, endpoints.after, published, agents)


def _unpublished(
    endpoints: AgentEndpoints, published: ClusterEndpoints, pods: Pods
) -> dict[tuple[str, str], Pod]:
    """Pods of the node that run, have an endpoint that is ready, and no CiliumEndpoint."""
    node = endpoints.provenance.node
    names = {(one.namespace, one.name) for one in published.items}
    found = {}
    for pod in pods.items:
        key = (pod.metadata.namespace, pod.metadata.name)
        if pod.spec.node_name != node or key in names or pod.is_going or pod.spec.host_network:
            continue
        endpoint = endpoints.at(pod.status.pod_ip) if pod.status.pod_ip else None
        if endpoint and endpoint.is_ready and lasts(pod.status.start_time, pods.taken_at, _YOUNG):
            found[key] = pod
    return found


def _finding(
    pod: Pod, node: str, known: AgentEndpoints, published: Change[ClusterEndpoints], agents: Agents
) -> Finding:
    endpoint, agent = known.at(pod.status.pod_ip), agents.by_node.get(node)
    number = endpoint.id if endpoint else 0
    return finding(
        Severity.ERROR if len(agents.by_node) > 1 else Severity.WARN,
        pod.ref,
        f"{pod.ref} has an endpoint that other nodes do not know",
        evidence=(
            known.evidence(f"endpoint {number} {pod.status.pod_ip} ready"),
            published.before.evidence(f"{len(published.before.items)} endpoints, none of that pod"),
            published.after.evidence(f"{len(published.after.items)} endpoints, none of that pod"),
        ),
        because_of=(
            Condition(ConditionKind.API_SERVER_UNREACHABLE, node),
            Condition(ConditionKind.PERMISSION_MISSING, node),
            Condition(ConditionKind.CRDS_MISSING),
            Condition(ConditionKind.OPERATOR_DOWN),
        ),
        impact="agents of other nodes take it for the world, so policies refuse it there",
        first_seen=published.before.taken_at,
        last_seen=published.after.taken_at,
        ongoing=Ongoing.YES,
        owner=pod.metadata.managed_by,
        fixes=_fixes(pod, number, agent) if agent else (),
        same_as="unpublished",
    )


def _fixes(pod: Pod, number: int, agent: Agent) -> tuple[Fix, ...]:
    verify = f"A CiliumEndpoint with the name of {pod.ref} is there."
    controllers = agent.command("cilium-dbg", "status", "--all-controllers").command()
    return (
        restart_agent(agent, why="A new agent publishes all endpoints of its node.", verify=verify),
        Fix.cure(
            "Remove what keeps the agent from publishing the endpoint.",
            why="The agent tries again every few seconds.",
            risk=Risk.LOW,
            steps=(
                captured_log(agent),
                step(
                    f"Read how the controller of endpoint {number} ends.",
                    f"{controllers} | grep 'sync-to-k8s-ciliumendpoint ({number})'",
                ),
            ),
            undo="Nothing is changed by looking.",
            verify=verify,
        ),
    )
