"""Whose an address is: by what flows tell of it, and by the objects of the cluster."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from playbooks.model.hubble.seen import Dns, Endpoint, Seen
from playbooks.model.kube.nodes import Nodes
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.services import Services

LIMIT = 50_000
"""Addresses that are remembered from flows; beyond it those told longest ago go."""


class Kind(StrEnum):
    """What an address belongs to."""

    POD = "pod"
    SERVICE = "service"
    NODE = "node"
    NAME = "DNS name"


class Named(msgspec.Struct, frozen=True):
    """What an address belongs to."""

    kind: Kind
    """What it is."""
    namespace: str
    """Of a pod or service; empty for others."""
    name: str
    """The pod, service, node or DNS name."""
    way: str
    """How that is known: `flow`, `DNS answer`, `pods`, `services`, `nodes`."""
    time: int
    """Nanoseconds since 1970 of the flow that told it; 0 for objects."""

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}" if self.namespace else self.name


class Names:
    """What addresses belong to.

    Flows come first: they tell whose an address was when the packet passed, and addresses of pods are given
    to other pods later. Objects tell what flows do not: services, nodes, pods that were silent.
    """

    def __init__(
        self, pods: Pods | None = None, services: Services | None = None, nodes: Nodes | None = None
    ) -> None:
        """Know the objects that could be read."""
        self._objects: dict[str, Named] = {}
        self._told: dict[str, Named] = {}
        for named in (_of_nodes(nodes), _of_pods(pods), _of_services(services)):
            self._objects.update(named)

    def add(self, flows: Sequence[Seen]) -> None:
        """Learn from a batch."""
        ends = {
            (address, endpoint.namespace, endpoint.pod_name): (flow.time, endpoint)
            for flow in flows
            for address, endpoint in (
                (flow.ip.source, flow.source),
                (flow.ip.destination, flow.destination),
            )
            if endpoint.pod_name and address
        }
        for (address, _, _), (time, endpoint) in ends.items():
            self._learn(address, _pod(endpoint, time))
        for flow in flows:
            if flow.names:
                self._learn_names(flow)
            if flow.l7 and isinstance(flow.l7.record, Dns):
                for address in flow.l7.record.ips:
                    self._learn(address, Named(Kind.NAME, "", flow.l7.record.query, "DNS answer", flow.time))
        for address in list(self._told)[: max(0, len(self._told) - LIMIT)]:
            del self._told[address]

    def of(self, address: str) -> Named | None:
        """What an address belongs to, as far as anything tells; None when nothing does."""
        told, listed = self._told.get(address), self._objects.get(address)
        if told is None:
            return listed
        # A DNS name leads to a service or pod too: what it is beats what it is called.
        return listed if told.kind is Kind.NAME and listed else told

    def _learn_names(self, flow: Seen) -> None:
        for address, endpoint, names in (
            (flow.ip.source, flow.source, flow.source_names),
            (flow.ip.destination, flow.destination, flow.destination_names),
        ):
            if names and address and not endpoint.pod_name:
                self._learn(address, Named(Kind.NAME, "", names[0], "flow", flow.time))

    def _learn(self, address: str, named: Named) -> None:
        known = self._told.pop(address, None)
        is_newer = known is None or named.time >= known.time
        is_less = known is not None and known.kind is Kind.POD and named.kind is Kind.NAME
        self._told[address] = named if known is None or (is_newer and not is_less) else known


def _pod(endpoint: Endpoint, time: int) -> Named:
    return Named(Kind.POD, endpoint.namespace, endpoint.pod_name, "flow", time)


def _of_pods(pods: Pods | None) -> dict[str, Named]:
    return {
        pod.status.pod_ip: Named(Kind.POD, pod.metadata.namespace, pod.metadata.name, "pods", 0)
        for pod in (pods.items if pods else ())
        # Pods on the host's network have the address of their node, ended ones none any more.
        if pod.status.pod_ip and not pod.spec.host_network and pod.status.phase not in ("Succeeded", "Failed")
    }


def _of_services(services: Services | None) -> dict[str, Named]:
    return {
        address: Named(Kind.SERVICE, one.metadata.namespace, one.metadata.name, "services", 0)
        for one in (services.items if services else ())
        for address in one.addresses
    }


def _of_nodes(nodes: Nodes | None) -> dict[str, Named]:
    return {
        one.address: Named(Kind.NODE, "", node.metadata.name, "nodes", 0)
        for node in (nodes.items if nodes else ())
        for one in node.status.addresses or ()
        if one.type in ("InternalIP", "ExternalIP")
    }
