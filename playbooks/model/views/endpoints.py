"""Endpoints by three sides: pods of Kubernetes, endpoints of the agent, entries of the endpoint map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.bpf.endpoints import EndpointMap, MapEndpoint
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.fact import Fact, Scene, Scope
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.views.differences import Difference, Kind, Side, sides

_UNDER_WAY = ("creating", "waiting-for-identity", "disconnecting", "disconnected", "invalid")
"""States in which an endpoint need not be in the map yet, or any more."""


@dataclass(frozen=True, kw_only=True)
class EndpointView(Fact):
    """Where pods, endpoints of the agent and the endpoint map of one node differ."""

    differences: tuple[Difference, ...]
    """Sorted; compare them between two looks, for pods come and go."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Pods, ClusterEndpoints, AgentEndpoints, EndpointMap)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> EndpointView | Gap:
        """Compare them."""
        pods, agent, entries = scene.get(Pods), scene.get(AgentEndpoints), scene.get(EndpointMap)
        provenance = sides(pods, agent, entries)
        if isinstance(provenance, Gap):
            return provenance
        assert isinstance(pods, Pods)
        assert isinstance(agent, AgentEndpoints)
        assert isinstance(entries, EndpointMap)
        published = scene.get(ClusterEndpoints)
        local = tuple(_wanting(pods, scene.node))
        found = {
            *_agent_against_pods(agent, local, pods, scene.node),
            *_map_against_agent(entries, agent, local),
            *(_published(published, agent, local) if isinstance(published, ClusterEndpoints) else ()),
        }
        return cls(provenance=provenance, differences=tuple(sorted(found)))


def _wanting(pods: Pods, node: str) -> Iterator[Pod]:
    """Pods that should have an endpoint on the node."""
    for pod in pods.items:
        if (
            pod.spec.node_name == node
            and not pod.spec.host_network
            and not pod.is_going
            and pod.status.pod_ip
        ):
            yield pod


def _agent_against_pods(
    agent: AgentEndpoints, local: tuple[Pod, ...], pods: Pods, node: str
) -> Iterator[Difference]:
    for pod in local:
        address = pod.status.pod_ip
        if agent.at(address) is None:
            yield _difference(address, Side.AGENT, Side.KUBERNETES, Kind.MISSING, "its endpoint", pod)
    # A pod that goes keeps its endpoint for a while; only one that is gone leaves an endpoint too many.
    addresses = {pod.status.pod_ip for pod in pods.items if pod.spec.node_name == node}
    for endpoint in agent.of_pods:
        if endpoint.addresses and not addresses & set(endpoint.addresses):
            detail = f"endpoint {endpoint.id}, of which no pod has the address"
            yield Difference(
                endpoint.addresses[0], Side.AGENT, Side.KUBERNETES, Kind.EXTRA, detail, endpoint.namespace
            )


def _map_against_agent(
    entries: EndpointMap, agent: AgentEndpoints, local: tuple[Pod, ...]
) -> Iterator[Difference]:
    by_address = {pod.status.pod_ip: pod for pod in local}
    for endpoint in agent.items:
        for address in () if endpoint.has_reserved("ingress") else endpoint.addresses:
            entry, pod = entries.by_address.get(address), by_address.get(address)
            if entry is None and needs_entry(endpoint):
                detail = f"endpoint {endpoint.id}"
                yield _difference(address, Side.MAP, Side.AGENT, Kind.MISSING, detail, pod)
            elif entry and (detail := _stale(entry, endpoint)):
                yield _difference(address, Side.MAP, Side.AGENT, Kind.STALE, detail, pod)
    for entry in entries.items:
        if not entry.is_host and agent.at(entry.address) is None:
            pod = by_address.get(entry.address)
            yield _difference(entry.address, Side.MAP, Side.AGENT, Kind.EXTRA, f"endpoint {entry.id}", pod)


def needs_entry(endpoint: Endpoint) -> bool:
    """Whether the endpoint map has to lead to it, and Kubernetes to know it."""
    return endpoint.state not in _UNDER_WAY and not endpoint.has_reserved("ingress")


def _stale(entry: MapEndpoint, endpoint: Endpoint) -> str:
    if entry.is_host or entry.id != endpoint.id:
        return f"endpoint {'of the host' if entry.is_host else entry.id} instead of {endpoint.id}"
    if endpoint.identity is not None and entry.identity not in (None, endpoint.identity):
        return f"identity {entry.identity} instead of {endpoint.identity}"
    networking = endpoint.status.networking
    index = networking.interface_index if networking else None
    if index is not None and entry.interface_index not in (None, 0, index):
        return f"device {entry.interface_index} instead of {index}"
    return ""


def _published(
    published: ClusterEndpoints, agent: AgentEndpoints, local: tuple[Pod, ...]
) -> Iterator[Difference]:
    if published.provenance.is_truncated or published.provenance.namespace or not published.items:
        return
    by_name = {(one.namespace, one.name): one for one in published.items}
    for pod in local:
        address = pod.status.pod_ip
        endpoint, one = agent.at(address), by_name.get((pod.metadata.namespace, pod.metadata.name))
        if endpoint and not one and needs_entry(endpoint):
            detail = f"endpoint {endpoint.id}"
            yield _difference(address, Side.PUBLISHED, Side.AGENT, Kind.MISSING, detail, pod)
        elif one and not endpoint:
            yield _difference(address, Side.PUBLISHED, Side.AGENT, Kind.EXTRA, "its endpoint", pod)
        elif one and endpoint and one.id not in (None, endpoint.id):
            detail = f"endpoint {one.id} instead of {endpoint.id}"
            yield _difference(address, Side.PUBLISHED, Side.AGENT, Kind.STALE, detail, pod)


def _difference(
    address: str, side: Side, against: Side, kind: Kind, detail: str, pod: Pod | None
) -> Difference:
    namespace, name = (pod.metadata.namespace, pod.metadata.name) if pod else ("", "")
    return Difference(address, side, against, kind, detail, namespace, name)
