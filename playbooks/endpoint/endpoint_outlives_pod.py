"""An agent keeps an endpoint whose pod is gone."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import restart_agent, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.moments import STARTING, lasts
from playbooks.model.rule import Case, fault


@fault(
    "END014",
    step="agreement",
    cases=(Case("ENDPOINT-stale", proof="W", twin="the same cluster with the pod that has the address"),),
    candidate=lambda endpoints, pods: bool(_alone(endpoints, pods)),
)
def endpoint_outlives_pod(
    endpoints: Change[AgentEndpoints], pods: Change[Pods], agents: Agents
) -> Iterator[Finding | CouldNotLook]:
    """An agent keeps an endpoint whose pod is gone.

    The CNI plug-in tells the agent when a pod goes. Where that call is lost, the endpoint stays with its
    address, its identity and its entries: nobody else gets the address, and what is sent to it leads to a
    device that nobody listens on.
    """
    node = endpoints.after.provenance.node
    if any(look.provenance.namespace or look.provenance.is_truncated for look in (pods.before, pods.after)):
        yield CouldNotLook("not all pods could be listed, so an endpoint without a pod proves nothing")
        return
    agent = agents.by_node.get(node)
    if agent is None or not lasts(agent.started_at, endpoints.before.taken_at, STARTING):
        return
    before = _alone(endpoints.before, pods.before)
    for number, one in _alone(endpoints.after, pods.after).items():
        if number not in before or before[number].addresses != one.addresses:
            continue
        address = one.addresses[0]
        subject = Ref("Endpoint", str(number), one.namespace, node)
        disconnect = agent.command("cilium-dbg", "endpoint", "disconnect", str(number)).command()
        verify = f"The agent's list has no endpoint with {address}."
        yield finding(
            Severity.WARN,
            subject,
            f"{subject} on {node} has {address}, but no pod does",
            evidence=(
                endpoints.before.evidence(f"endpoint {number} {one.state} {address} {', '.join(one.labels)}"),
                endpoints.after.evidence(f"endpoint {number} {one.state} {address} {', '.join(one.labels)}"),
                pods.after.evidence(f"{len(pods.after.items)} pods, none with {address}"),
            ),
            because_of=(Condition(ConditionKind.AGENT_SILENT, node),),
            impact=f"{address} is held by nobody",
            first_seen=endpoints.before.taken_at,
            last_seen=endpoints.after.taken_at,
            ongoing=Ongoing.YES,
            fixes=(
                Fix.cure(
                    f"Take endpoint {number} away.",
                    why="The agent then gives its address and identity back.",
                    risk=Risk.MEDIUM,
                    steps=(sysdump(), step(f"Disconnect endpoint {number}.", disconnect)),
                    undo="Nothing to undo: its pod is gone.",
                    verify=verify,
                ),
                restart_agent(agent, why="A new agent drops endpoints without a device.", verify=verify),
            ),
            same_as="stale",
        )


def _alone(endpoints: AgentEndpoints, pods: Pods) -> dict[int, Endpoint]:
    """Endpoints of namespaces none of whose pods can have made them."""
    node = endpoints.provenance.node
    here = [pod for pod in pods.items if pod.spec.node_name in ("", node)]
    addresses = {pod.status.pod_ip for pod in here}
    # A pod that begins has an endpoint before its address is told.
    beginning = {pod.metadata.namespace for pod in here if not pod.status.pod_ip and not pod.is_going}
    return {
        one.id: one
        for one in endpoints.of_pods
        if one.addresses and not addresses & set(one.addresses) and one.namespace not in beginning
    }
