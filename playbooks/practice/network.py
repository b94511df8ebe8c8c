"""Addresses, endpoints and identities: what the agents hold about pods."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from playbooks.practice.naming import Names, stable

IDENTITIES = (65536, 131071)
"""The range of identities that a cluster with id 1 gives to pods."""


@dataclass(slots=True)
class Endpoint:
    """One endpoint on a node; it outlives restarts of the agent."""

    id: int
    """Number on its node."""
    ip: str
    """Address."""
    attachment: str
    """CNI attachment id."""
    mac: str
    """Address of the pod's side."""
    host_mac: str
    """Address of the host's side."""
    interface: str
    """Device on the host."""
    index: int
    """Its index."""
    created: datetime
    """When it was made."""


@dataclass(slots=True)
class NodeNetwork:
    """What a node's agent keeps for itself."""

    pod_cidr: str
    """Range of pod addresses."""
    node_ip: str
    """The node's own address."""
    router: str
    """Address of `cilium_host`."""
    health: Endpoint
    """The health endpoint."""
    host_id: int
    """Endpoint number of the host."""
    boot_id: str
    """The kernel's boot id."""


class Network:
    """Pod addressing of the whole cluster."""

    def __init__(self, names: Names) -> None:
        """No node yet."""
        self.nodes: dict[str, NodeNetwork] = {}
        self.endpoints: dict[tuple[str, str], Endpoint] = {}
        self._names = names
        self._taken: dict[str, set[str]] = {}
        self._ids: dict[str, set[int]] = {}

    def add_node(self, node: str, number: int, now: datetime) -> NodeNetwork:
        """Give a node its addresses."""
        high, low = divmod(number, 256)
        cidr = f"10.{244 + high}.{low}.0/24"
        self._taken[node], self._ids[node] = set(), set()
        prefix = cidr.removesuffix("0/24")
        network = NodeNetwork(
            cidr,
            f"10.0.{number // 200}.{10 + number % 200}",
            self._address(node, prefix),
            self._endpoint(node, self._address(node, prefix), now),
            self._id(node),
            self._names.uid(),
        )
        self.nodes[node] = network
        return network

    def attach(self, node: str, namespace: str, pod: str, now: datetime) -> Endpoint | None:
        """Give a pod an endpoint with an address, or nothing when the node's range is full."""
        prefix = self.nodes[node].pod_cidr.removesuffix("0/24")
        if len(self._taken[node]) >= 254:
            return None
        endpoint = self._endpoint(node, self._address(node, prefix), now)
        self.endpoints[namespace, pod] = endpoint
        return endpoint

    def detach(self, node: str, namespace: str, pod: str) -> None:
        """Take the endpoint of a pod away."""
        endpoint = self.endpoints.pop((namespace, pod), None)
        if endpoint is not None:
            self._taken[node].discard(endpoint.ip)
            self._ids[node].discard(endpoint.id)

    def shift(self, delta: timedelta) -> None:
        """Move its history in time."""
        for endpoint in (*self.endpoints.values(), *(node.health for node in self.nodes.values())):
            endpoint.created += delta

    def _address(self, node: str, prefix: str) -> str:
        while True:
            ip = f"{prefix}{self._names.random.randint(1, 254)}"
            if ip not in self._taken[node]:
                self._taken[node].add(ip)
                return ip

    def _id(self, node: str) -> int:
        while True:
            number = self._names.random.randint(10, 4090)
            if number not in self._ids[node]:
                self._ids[node].add(number)
                return number

    def _endpoint(self, node: str, ip: str, now: datetime) -> Endpoint:
        names = self._names
        return Endpoint(
            self._id(node),
            ip,
            f"{names.digest()}:eth0",
            names.mac(),
            names.mac(),
            f"lxc{names.digest(12)}",
            2 * len(self._taken[node]) + 5,
            now,
        )


def identity_number(labels: list[str]) -> int:
    """The identity of a set of labels."""
    return stable("\n".join(labels), *IDENTITIES)
