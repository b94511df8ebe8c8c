"""Which pod an endpoint is of: agents number their endpoints, people know pods."""

from __future__ import annotations

from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.finding import Ref
from playbooks.model.kube.pods import Pods


def endpoint_ref(endpoint: Endpoint, node: str, pods: Pods | None, published: ClusterEndpoints | None) -> Ref:
    """The endpoint as a subject: by the pod that has its address, or as published, else by its number."""
    addresses = set(endpoint.addresses)
    for pod in pods.items if pods else ():
        if pod.status.pod_ip and pod.status.pod_ip in addresses and not pod.spec.host_network:
            return Ref("Endpoint", pod.metadata.name, pod.metadata.namespace, node)
    # Nodes number their endpoints each for itself, so a number that two have tells no pod.
    same = [
        one
        for one in (published.items if published else ())
        if one.id == endpoint.id and one.namespace == endpoint.namespace
    ]
    if len(same) == 1:
        return Ref("Endpoint", same[0].name, same[0].namespace, node)
    return Ref("Endpoint", str(endpoint.id), endpoint.namespace, node)
