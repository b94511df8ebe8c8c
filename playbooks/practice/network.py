"""Addresses, endpoints and identities: what the agents hold about pods."""

from __future__ import annotations

import ipaddress
import itertools
from dataclasses import dataclass
from datetime import datetime, timedelta

from playbooks.practice.naming import Names, stable
from playbooks.practice.policies.peers import is_inside
from playbooks.practice.profile import Addressing, Profile

_IDENTITIES = 1 << 16
"""Identities of pods in a cluster; its id stands before them."""


_RESERVE = 8
_USUAL_MASK = 24


@dataclass(frozen=True, slots=True)
class Addresses:
    """An address or a range of each family; empty where the cluster has no such family."""

    ipv4: str = ""
    """Of IPv4."""
    ipv6: str = ""
    """Of IPv6."""

    @property
    def first(self) -> str:
        """The one of the cluster's first family."""
        return self.ipv4 or self.ipv6

    @property
    def every(self) -> tuple[str, ...]:
        """All that there are, IPv4 first."""
        return tuple(filter(None, (self.ipv4, self.ipv6)))

    def keyed(self) -> dict[str, str]:
        """By the family's name, as Cilium's objects hold them."""
        return {key: ip for key, ip in (("ipv4", self.ipv4), ("ipv6", self.ipv6)) if ip}


@dataclass(slots=True)
class Endpoint:
    """One endpoint on a node; it outlives restarts of the agent."""

    id: int
    """Number on its node."""
    addresses: Addresses
    """Its addresses."""
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

    @property
    def ip(self) -> str:
        """Its first address."""
        return self.addresses.first


@dataclass(slots=True)
class NodeNetwork:
    """What a node's agent keeps for itself."""

    ranges: Addresses
    """Ranges of pod addresses that the node hands out itself; none where somebody else does."""
    addresses: Addresses
    """The node's own addresses."""
    routers: Addresses
    """Addresses of `cilium_host`."""
    health: Endpoint | None
    """The health endpoint, where there is one."""
    host_id: int
    """Endpoint number of the host."""
    mac: str
    """Hardware address of `cilium_host`."""
    boot_id: str
    """The kernel's boot id."""
    ingress: Addresses = Addresses()
    """From which the proxy of Ingress asks backends, where there is one."""

    @property
    def pod_cidr(self) -> str:
        """The first range."""
        return self.ranges.first

    @property
    def node_ip(self) -> str:
        """The first address of the node."""
        return self.addresses.first

    @property
    def router(self) -> str:
        """The first address of `cilium_host`."""
        return self.routers.first


class Network:
    """Pod addressing of the whole cluster."""

    def __init__(self, names: Names, profile: Profile, cluster_id: int = 1) -> None:
        """No node yet; clusters with different ids share no address."""
        self._shift = cluster_id - 1
        self.nodes: dict[str, NodeNetwork] = {}
        self.hosts: dict[str, Addresses] = {}
        self.endpoints: dict[tuple[str, str], Endpoint] = {}
        self.leaked: dict[str, dict[str, str]] = {}
        self._profile = profile
        self._names = names
        self._sources: dict[str, Addresses] = {}
        self._taken: dict[str, set[str]] = {}
        self._ids: dict[str, set[int]] = {}

    @property
    def pool_cidr(self) -> str:
        """The range that nodes' IPv4 ranges are cut from."""
        return f"10.{244 + 4 * self._shift}.0.0/16"

    @property
    def room(self) -> int:
        """How many addresses of each family a node's range has to give: all but its first and its last."""
        mask = int(self._profile.config.get("cluster-pool-ipv4-mask-size") or _USUAL_MASK)
        return max((1 << (32 - mask)) - 2, 0)

    def add_host(self, node: str, number: int) -> Addresses:
        """Give a node its own addresses."""
        ipv4 = f"10.{16 * self._shift}.{number // 200}.{10 + number % 200}"
        ipv6 = f"fd00:{10 + self._shift}::{10 + number:x}"
        self.hosts[node] = self._of_families(ipv4, ipv6)
        return self.hosts[node]

    def add_node(self, node: str, number: int, now: datetime) -> NodeNetwork:
        """Give a node with an agent its addresses."""
        high, low = divmod(number, 256)
        high += 4 * self._shift
        base = ipaddress.ip_network(self.pool_cidr).network_address + number * (self.room + 2)
        ranges = self._of_families(
            f"{base}/{32 - (self.room + 1).bit_length()}", f"fd00:{10 + self._shift}:244::{number:x}00/120"
        )
        subnet = Addresses(f"10.{64 + high}.{low}.0/24")
        kind = self._profile.addressing
        own = subnet if kind is Addressing.CLOUD else ranges
        self._sources[node] = ranges if kind in (Addressing.OWN, Addressing.DELEGATED) else subnet
        self._taken[node], self._ids[node] = set(), set()
        is_delegated = kind is Addressing.DELEGATED
        network = NodeNetwork(
            ranges if kind in (Addressing.OWN, Addressing.CHAINED) else Addresses(),
            self.add_host(node, number),
            Addresses(self._profile.config["local-router-ipv4"]) if is_delegated else self._free(node, own),
            self._endpoint(node, self._free(node, own), now) if self._profile.has_health_endpoint else None,
            self._id(node),
            self._names.mac(),
            self._names.uid(),
        )
        if self._profile.config.get("enable-ingress-controller") == "true":
            network.ingress = self._free(node, own)
        self.nodes[node] = network
        return network

    def attach(self, node: str, namespace: str, pod: str, now: datetime) -> Endpoint | None:
        """Give a pod an endpoint with an address, or nothing when the node's range is full."""
        if len(self._taken[node]) >= self.room * len(self._profile.families):
            return None
        endpoint = self._endpoint(node, self._free(node, self._sources[node]), now)
        self.endpoints[namespace, pod] = endpoint
        return endpoint

    def detach(self, node: str, namespace: str, pod: str) -> None:
        """Take the endpoint of a pod away."""
        endpoint = self.endpoints.pop((namespace, pod), None)
        if endpoint is not None:
            self._taken[node].difference_update(endpoint.addresses.every)
            self._ids[node].discard(endpoint.id)

    def leak(self, node: str, leave: int, owner: str) -> None:
        """Keep addresses for pods that are gone, so that only so many of each family are left."""
        kept = self.leaked.setdefault(node, {})
        while len(self._taken[node]) < (self.room - leave) * len(self._profile.families):
            name = f"{owner}-{self._names.digest(5)}"
            kept.update(dict.fromkeys(self._free(node, self._sources[node]).every, name))

    def give_back(self, node: str) -> None:
        """Give back what pods had that are gone, as a new agent does."""
        self._taken.get(node, set()).difference_update(self.leaked.pop(node, {}))

    def outside(self, node: str, pod: str) -> Addresses:
        """The address of a pod on a node without an agent."""
        return Addresses(f"10.250.{list(self.hosts).index(node) % 256}.{stable(pod, 2, 250)}")

    def pool(self, node: str) -> list[str]:
        """What the operator gave a node of the cloud's subnet: what is in use, and some more."""
        base = ipaddress.ip_network(self._sources[node].first).network_address
        free = (str(base + number) for number in range(1, 255) if str(base + number) not in self._taken[node])
        return sorted([*self._taken[node], *itertools.islice(free, _RESERVE)])

    def is_of_pods(self, ip: str) -> bool:
        """Whether an address is in the range of a node."""
        return any(is_inside(ip, range_) for node in self.nodes.values() for range_ in node.ranges.every)

    def shift(self, delta: timedelta) -> None:
        """Move its history in time."""
        health = [node.health for node in self.nodes.values() if node.health is not None]
        for endpoint in (*self.endpoints.values(), *health):
            endpoint.created += delta

    def _of_families(self, ipv4: str, ipv6: str) -> Addresses:
        families = self._profile.families
        return Addresses(ipv4 if "IPv4" in families else "", ipv6 if "IPv6" in families else "")

    def _free(self, node: str, ranges: Addresses) -> Addresses:
        return Addresses(*(self._address(node, one) if one else "" for one in (ranges.ipv4, ranges.ipv6)))

    def _address(self, node: str, range_: str) -> str:
        base = ipaddress.ip_network(range_).network_address
        while True:
            ip = str(base + self._names.random.randint(1, self.room))
            if ip not in self._taken[node]:
                self._taken[node].add(ip)
                return ip

    def _id(self, node: str) -> int:
        while True:
            number = self._names.random.randint(10, 4090)
            if number not in self._ids[node]:
                self._ids[node].add(number)
                return number

    def _endpoint(self, node: str, addresses: Addresses, now: datetime) -> Endpoint:
        names = self._names
        return Endpoint(
            self._id(node),
            addresses,
            f"{names.digest()}:eth0",
            names.mac(),
            names.mac(),
            f"lxc{names.digest(12)}",
            2 * len(self._ids[node]) + 5,
            now,
        )


def identity_range(cluster_id: int) -> tuple[int, int]:
    """The first and the last identity that a cluster gives to pods."""
    return cluster_id * _IDENTITIES, (cluster_id + 1) * _IDENTITIES - 1


def identity_number(labels: list[str], cluster_id: int = 1) -> int:
    """The identity that a cluster gives to a set of labels."""
    return stable("\n".join(labels), *identity_range(cluster_id))
