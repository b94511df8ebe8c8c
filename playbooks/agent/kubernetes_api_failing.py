"""The agent does not reach the Kubernetes API."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.rule import Case, fault


def _fails(status: AgentStatus) -> bool:
    kubernetes = status.response.kubernetes
    return kubernetes is not None and kubernetes.is_bad


@fault(
    "AGT051",
    step="status",
    cases=(
        Case(
            "status-kubernetes",
            proof="W",
            twin="the same status with kubernetes.state Ok in one of both looks",
        ),
    ),
    candidate=_fails,
)
def kubernetes_api_failing(status: Change[AgentStatus], agents: Agents) -> Iterator[Finding]:
    """The agent does not reach the Kubernetes API.

    The agent learns pods, services and policies from the API server. Without it the node keeps what it had:
    new backends, new policies and new pods are unknown here. Its readiness probe asks for this connection, so
    the pod turns unready after a while, but it is not restarted for it. One failed call is a blip, so both
    looks must agree.
    """
    if not (_fails(status.before) and _fails(status.after)):
        return
    node = status.after.provenance.node
    kubernetes = status.after.response.kubernetes
    said = kubernetes.msg if kubernetes else ""
    agent = agents.by_node.get(node)
    is_unready = agent is not None and not agent.pod.is_ready
    yield finding(
        Severity.ERROR if is_unready else Severity.WARN,
        agents.ref(node),
        f"the agent on {node} does not reach the Kubernetes API",
        evidence=(
            status.after.evidence(f"kubernetes: {kubernetes.said if kubernetes else ''}"),
            *((agents.evidence(f"{agents.ref(node)} is not ready"),) if is_unready else ()),
        ),
        asserts=(Condition(ConditionKind.API_SERVER_UNREACHABLE, node),),
        because_of=(
            Condition(ConditionKind.NODE_UNREACHABLE, node),
            Condition(ConditionKind.PERMISSION_MISSING),
            Condition(ConditionKind.PERMISSION_MISSING, node),
        ),
        stated_cause=said,
        alternatives=(
            "The address is the ClusterIP of the service kubernetes and nobody on the node translates it.",
            "A firewall or a proxy stands between the node and the API server.",
            "The API server itself is overloaded: then agents of other nodes say the same.",
        ),
        impact="changes of pods, services and policies do not arrive on the node",
        last_seen=status.after.taken_at,
        ongoing=Ongoing.YES,
        fixes=(_fix(node),),
        same_as="kubernetes",
    )


def _fix(node: str) -> Fix:
    return Fix.cure(
        "Restore the way from the node to the API server.",
        why="The agent repeats its calls by itself as soon as they can succeed.",
        risk=Risk.LOW,
        steps=(
            step("Read which address fails, and how, in the status above."),
            step("Look whether the node itself is still seen.", kubectl("get", "node", node, "-o", "wide")),
            step(
                "Set k8sServiceHost and k8sServicePort if a ClusterIP is dialled without kube-proxy.",
                "helm upgrade cilium cilium/cilium -n kube-system --reuse-values "
                "--set k8sServiceHost=HOST --set k8sServicePort=PORT",
            ),
        ),
        undo="Set the two Helm values back.",
        verify="The row Kubernetes of the agent's status is Ok again.",
    )
