"""Sidecars of a service mesh do not see the addresses of services."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.replacement import Replacement
from playbooks.model.cilium.agent_steps import helm_upgrade
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import sysdump
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.rule import Case, fault

_SIDECARS = ("istio-proxy", "linkerd-proxy")


@fault(
    "SVC013",
    step="replacement",
    cases=(Case("SV-07", proof="W", twin="the same agents with Socket LB Coverage Hostns-only"),),
)
def sidecar_bypassed(replacements: Fleet[Replacement], pods: Pods, config: CiliumConfig) -> Iterator[Finding]:
    """Sidecars of a service mesh do not see the addresses of services.

    A sidecar takes its pod's traffic by rules of iptables that look at the address which the program
    calls. The socket load balancer puts a pod's address in its place before a packet exists, in every
    network namespace unless it is told to do so for the host's only: the mesh then sees connections to
    addresses that are no service, and leaves them without its encryption, routes and figures.
    """
    by_node: dict[str, list[Pod]] = {}
    for pod in pods.items:
        if not pod.is_going and not pod.spec.host_network and _sidecar(pod):
            by_node.setdefault(pod.spec.node_name, []).append(pod)
    bypassed = [
        (node, fact)
        for node, fact in replacements
        if node in by_node and fact.socket_lb and fact.is_host_only is False
    ]
    if not bypassed:
        return
    node, fact = bypassed[0]
    pod, count = by_node[node][0], sum(len(by_node[name]) for name, _ in bypassed)
    namespace = config.metadata.namespace
    yield finding(
        Severity.WARN,
        config.ref,
        f"{config.ref}: socket LB hides services from the sidecars of {count} pods",
        evidence=(
            fact.evidence(f"{node}: Socket LB: Enabled, Socket LB Coverage: Full"),
            pods.evidence(f"{pod.ref} has a container {_sidecar(pod)}"),
            config.evidence(f"bpf-lb-sock-hostns-only: {config.get('bpf-lb-sock-hostns-only', '(not set)')}"),
        ),
        impact="calls to services bypass the mesh: no mutual TLS, no routes, no figures for them",
        last_seen=fact.taken_at,
        ongoing=Ongoing.YES,
        owner=config.metadata.managed_by,
        fixes=(
            Fix.cure(
                "Translate addresses in the socket for the host only.",
                why="Pods' packets then carry the service's address until they leave the pod.",
                risk=Risk.MEDIUM,
                steps=(
                    sysdump(),
                    step(
                        "Set socketLB.hostNamespaceOnly, and leave Istio's CNI plugin its place.",
                        helm_upgrade(namespace, "socketLB.hostNamespaceOnly=true", "cni.exclusive=false"),
                    ),
                ),
                undo="Set socketLB.hostNamespaceOnly=false again.",
                verify="`cilium-dbg status --verbose` says Socket LB Coverage: Hostns-only on every node.",
            ),
        ),
    )


def _sidecar(pod: Pod) -> str:
    own = pod.spec.containers or ()
    # A gateway of the mesh has the same container, alone, and takes nobody's traffic.
    every = (*(own if len(own) > 1 else ()), *(pod.spec.init_containers or ()))
    return next((one.name for one in every if one.name in _SIDECARS), "")
