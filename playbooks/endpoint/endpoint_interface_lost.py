"""The network interface of an endpoint is gone, or down."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.devices import AgentDevices
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.endpoint_names import endpoint_ref
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Fix, Ongoing, Ref, Risk, Severity, capture, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.moments import STARTING, lasts
from playbooks.model.rule import Case, fault


@fault(
    "END030",
    step="agreement",
    cases=(
        Case("INTERFACE-gone", proof="W", twin="the same table of devices with the interface"),
        Case("INTERFACE-down", proof="W", twin="the same interface with its status up"),
    ),
    candidate=lambda endpoints, devices: bool(_lost(endpoints, devices)),
)
def endpoint_interface_lost(
    endpoints: Change[AgentEndpoints],
    devices: Change[AgentDevices],
    agents: Agents,
    pods: Pods | None,
    published: ClusterEndpoints | None,
) -> Iterator[Finding]:
    """The network interface of an endpoint is gone, or down.

    An endpoint hangs on a pair of interfaces, `lxc…` on the node and `eth0` in the pod; deleting one deletes
    both. The agent looks after its programs and maps, and calls the endpoint ready all the while; only some
    minutes later it notices and gives the endpoint up. Nothing makes the pair again but a new pod.
    """
    node = endpoints.after.provenance.node
    agent = agents.by_node.get(node)
    if agent is None or not lasts(agent.started_at, endpoints.before.taken_at, STARTING):
        return
    before = _lost(endpoints.before, devices.before)
    for number, (endpoint, said) in _lost(endpoints.after, devices.after).items():
        if number in before and before[number][1] == said:
            yield _finding(endpoint_ref(endpoint, node, pods, published), endpoint, said, endpoints, devices)


def _lost(endpoints: AgentEndpoints, devices: AgentDevices) -> dict[int, tuple[Endpoint, str]]:
    """Endpoints whose interface the node has not, or has down, by number."""
    if devices.provenance.is_truncated or not any(one.name.startswith("lxc") for one in devices.items):
        return {}
    found = {}
    for endpoint in endpoints.of_pods:
        networking = endpoint.status.networking if endpoint.status else None
        name = networking.interface_name if networking else ""
        # Other modes name interfaces otherwise, and leave some of them to the pod.
        if not name.startswith("lxc") or endpoint.state in ("disconnecting", "disconnected", "restoring"):
            continue
        device = devices.get(name)
        if device is None:
            found[endpoint.id] = endpoint, f"{name} does not exist"
        elif device.oper_status in ("down", "lowerlayerdown"):
            found[endpoint.id] = endpoint, f"{name} is {device.oper_status}"
    return found


def _finding(
    subject: Ref,
    endpoint: Endpoint,
    said: str,
    endpoints: Change[AgentEndpoints],
    devices: Change[AgentDevices],
) -> Finding:
    where, owner = subject.namespace, subject.name
    pod = ("-n", where, "get", "pod", owner, "-o", "yaml")
    return finding(
        Severity.ERROR,
        subject,
        f"{subject}: its interface {said}",
        evidence=(
            endpoints.after.evidence(f"endpoint {endpoint.id}: interface-name {said.partition(' ')[0]}"),
            devices.before.evidence(said),
            devices.after.evidence(f"{said}; {len(devices.after.items)} devices"),
        ),
        asserts=(Condition(ConditionKind.ENDPOINT_NOT_REGENERATED, f"{where}/{owner}"),),
        impact="nothing reaches its pod, and nothing leaves it",
        first_seen=endpoints.before.taken_at,
        last_seen=endpoints.after.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Replace the pod of {subject}, or set its interface up again.",
                why="The pair of interfaces is made when a pod is made.",
                risk=Risk.MEDIUM,
                steps=(
                    capture("Save what the pod looks like.", kubectl(*pod) + " > pod.yaml"),
                    step("Look at the interfaces of the node.", "ip -d link show"),
                    step(
                        "Delete the pod, if a controller makes a new one.",
                        kubectl("-n", where, "delete", "pod", owner),
                    ),
                ),
                undo="Apply the saved manifest, if nothing made a new pod.",
                verify="The agent's table of devices lists the interface of the new endpoint, up.",
            ),
        ),
    )
