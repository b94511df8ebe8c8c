"""Who is there: pods with their identities, and every address of the cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbooks.practice import agents, mesh
from playbooks.practice.catalog import NAMESPACES, NODES, SLICES
from playbooks.practice.network import identity_number
from playbooks.practice.objects import Json, labels_of
from playbooks.practice.policies.universe import INGRESS, REMOTE_NODE

if TYPE_CHECKING:
    from playbooks.practice.runs import PodRun
    from playbooks.practice.world import World


@dataclass(frozen=True, slots=True)
class Known:
    """A pod as its agent knows it."""

    identity: int
    """Its identity."""
    labels: tuple[str, ...]
    """The identity's labels."""


@dataclass(frozen=True, slots=True)
class End:
    """Where one end of a connection is."""

    ip: str
    """Its address."""
    node: str = ""
    """The node; empty for outside of the cluster, or a node without an agent."""
    pod: tuple[str, str] = ("", "")
    """Namespace and name, for a pod."""
    is_health: bool = False
    """Whether it is the node's health endpoint."""
    identity: int = 0
    """Its identity, where it is in another cluster or the proxy of Ingress; 0 elsewhere."""


class Census:
    """Who is there, counted again whenever an object has changed."""

    def __init__(self, world: World) -> None:
        """Nobody is counted yet."""
        self._world = world
        self._known: dict[str, tuple[Json, Json | None, Known]] = {}
        self._version: tuple[int, ...] = ()
        self._ends: dict[str, End] | None = None
        self._runs: dict[tuple[str, str], PodRun] | None = None
        self._local: dict[str, list[PodRun]] | None = None
        self._identities: dict[int, tuple[str, ...]] | None = None

    def known(self, run: PodRun) -> Known:
        """The identity of a pod."""
        above = self._world.store.get(NAMESPACES, "", run.namespace)
        before = self._known.get(run.uid)
        if before is not None and before[0] is run.pod and before[1] is above:
            return before[2]
        labels = agents.identity_labels(self._world, run.pod)
        found = Known(identity_number(labels, self._world.cluster_id), tuple(labels))
        self._known[run.uid] = (run.pod, above, found)
        return found

    @property
    def ends(self) -> Mapping[str, End]:
        """All addresses of the cluster."""
        self._refresh()
        if self._ends is None:
            self._ends = _every_end(self._world)
        return self._ends

    def run_of(self, pod: tuple[str, str]) -> PodRun:
        """The run of a pod with an endpoint."""
        self._refresh()
        if self._runs is None:
            self._runs = {(run.namespace, run.name): run for run in self._world.runs.values()}
        return self._runs[pod]

    def pods(self, node: str) -> list[PodRun]:
        """The pods with an endpoint on a node."""
        self._refresh()
        if self._local is None:
            self._local = {}
            endpoints = self._world.network.endpoints
            for run in self._world.runs.values():
                if (run.namespace, run.name) in endpoints:
                    self._local.setdefault(run.node, []).append(run)
        return self._local.get(node, [])

    def identities(self) -> Mapping[int, tuple[str, ...]]:
        """The identities of all pods."""
        self._refresh()
        if self._identities is None:
            nodes = self._world.network.nodes
            known = (self.known(run) for node in nodes for run in self.pods(node))
            self._identities = {one.identity: one.labels for one in known}
            for peer in self._world.peers:
                self._identities |= mesh.identities(peer)
        return self._identities

    def node_labels(self, node: str) -> tuple[str, ...]:
        """The labels of a node, as policies for hosts select it."""
        item = self._world.store.get(NODES, "", node)
        return tuple(f"k8s:{key}={value}" for key, value in sorted(labels_of(item).items())) if item else ()

    @property
    def version(self) -> tuple[int, ...]:
        """What changes whenever anything does, in other clusters of the mesh too."""
        return (self._world.store.version, *(peer.store.version for peer in self._world.peers))

    def _refresh(self) -> None:
        if self._version != self.version:
            self._version = self.version
            self._ends, self._runs, self._local, self._identities = None, None, None, None


def serves_api(world: World, node: str) -> bool:
    """Whether the service `kubernetes` leads to a node."""
    item = world.store.get(SLICES, "default", "kubernetes")
    ips = {ip for endpoint in (item or {}).get("endpoints") or () for ip in endpoint["addresses"]}
    return bool(ips.intersection(world.network.nodes[node].addresses.every))


def _every_end(world: World) -> dict[str, End]:
    """All addresses of the cluster."""
    found: dict[str, End] = {}
    for peer in world.peers:
        for remote in mesh.nodes(peer):
            every = (*remote.network.addresses.every, *remote.network.routers.every)
            found |= {ip: End(ip, identity=REMOTE_NODE) for ip in every}
        found |= {ip: End(ip, identity=pod.identity) for pod in mesh.pods(peer) for ip in pod.ips}
    for node, addresses in world.network.hosts.items():
        here = node if node in world.network.nodes else ""
        found |= {ip: End(ip, here) for ip in addresses.every}
    for node, network in world.network.nodes.items():
        found |= {ip: End(ip, node) for ip in network.routers.every}
        found |= {ip: End(ip, node, identity=INGRESS) for ip in network.ingress.every}
        if network.health is not None:
            found |= {ip: End(ip, node, is_health=True) for ip in network.health.addresses.every}
    for run in world.runs.values():
        endpoint = world.network.endpoints.get((run.namespace, run.name))
        if endpoint is not None:
            for ip in endpoint.addresses.every:
                found[ip] = End(ip, run.node, (run.namespace, run.name))
    return found
