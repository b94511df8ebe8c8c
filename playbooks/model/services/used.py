"""Which kinds of services a cluster uses, each with an example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from playbooks.model.cilium.agent.replacement import (
    EXTERNAL_IPS,
    GRACEFUL,
    HOST_PORT,
    NODE_PORT,
    SESSION_AFFINITY,
)
from playbooks.model.finding import Evidence, Ref
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.services import Service, Services


@dataclass(frozen=True, slots=True)
class Used:
    """One kind in use."""

    ref: Ref
    """Who uses it."""
    proof: Evidence
    """Where that is written."""
    count: int = 1
    """How many use it."""
    nodes: tuple[str, ...] = ()
    """Nodes on which it matters, where that is not all of them."""


def used(services: Services, pods: Pods) -> Mapping[str, Used]:
    """By the name of the kind in the agent's status."""
    found: dict[str, Used] = {}
    for service in services.items:
        for kind, said in _of_service(service):
            _add(found, kind, Used(service.ref, services.evidence(f"{service.ref} {said}")))
    for pod in pods.items:
        port = host_port(pod)
        if port:
            proof = pods.evidence(f"{pod.ref} hostPort {port}")
            _add(found, HOST_PORT, Used(pod.ref, proof, nodes=(pod.spec.node_name,)))
    return found


def host_port(pod: Pod) -> int:
    """A port of its node that a pod with an address of its own asks for; 0 for none."""
    if pod.spec.host_network or pod.is_going:
        return 0
    ports = (port for one in pod.spec.containers or () for port in one.ports or ())
    return next((port.host_port for port in ports if port.host_port), 0)


def _of_service(service: Service) -> Iterator[tuple[str, str]]:
    ports = [port.node_port for port in service.spec.ports or () if port.node_port]
    if ports and service.spec.type in ("NodePort", "LoadBalancer"):
        yield NODE_PORT, f"nodePort {ports[0]}"
    if service.spec.external_ips:
        yield EXTERNAL_IPS, f"externalIPs {', '.join(service.spec.external_ips[:3])}"
    if service.spec.session_affinity == "ClientIP":
        yield SESSION_AFFINITY, "sessionAffinity ClientIP"
    if service.selects_pods and not service.is_headless:
        yield GRACEFUL, "selects pods, which end one day"


def _add(found: dict[str, Used], kind: str, one: Used) -> None:
    before = found.get(kind)
    if before is None:
        found[kind] = one
    else:
        nodes = tuple(dict.fromkeys((*before.nodes, *one.nodes)))
        found[kind] = replace(before, count=before.count + 1, nodes=nodes)
