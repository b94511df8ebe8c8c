"""A mesh: clusters that know each other's nodes, pods and global services."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbooks.practice import agents
from playbooks.practice.catalog import NODES, PODS, SERVICES
from playbooks.practice.network import NodeNetwork, identity_number
from playbooks.practice.objects import Json, labels_of, name_of, namespace_of
from playbooks.practice.runs import PodRun

if TYPE_CHECKING:
    from playbooks.practice.world import World

APP = "clustermesh-apiserver"
"""What tells a cluster's own state to the others: a Deployment, its Service and their label."""
_ANNOTATION = "service.cilium.io/"


@dataclass(frozen=True, slots=True)
class RemoteNode:
    """A node of another cluster."""

    world: World
    """Its cluster."""
    name: str
    """Its name there."""
    network: NodeNetwork
    """Its addresses."""

    @property
    def full_name(self) -> str:
        """Its name in the mesh."""
        return f"{self.world.cluster}/{self.name}"


@dataclass(frozen=True, slots=True)
class RemotePod:
    """A pod of another cluster."""

    world: World
    """Its cluster."""
    run: PodRun
    """The pod."""
    ips: tuple[str, ...]
    """Its addresses."""
    identity: int
    """Its identity, which holds the number of its cluster."""
    labels: tuple[str, ...]
    """The labels behind that."""

    @property
    def node_ip(self) -> str:
        """The first address of its node."""
        return self.world.network.nodes[self.run.node].node_ip


def join(*worlds: World) -> None:
    """Make clusters know each other. Raises `ValueError` where two have one name or one id."""
    for what in ([one.cluster for one in worlds], [one.cluster_id for one in worlds]):
        if len(set(what)) < len(worlds):
            raise ValueError(f"clusters of one mesh must differ in name and id: {what}")
    for world in worlds:
        world.peers = tuple(one for one in worlds if one is not world)
    for world in worlds:
        world.traffic.renew()


def is_connected(world: World) -> bool:
    """Whether agents reach what caches the other clusters' state in their own cluster."""
    return any(
        run.is_ready
        for run in world.runs.values()
        if labels_of(run.pod).get("k8s-app") == APP and world.store.get(PODS, run.namespace, run.name)
    )


def nodes(peer: World) -> list[RemoteNode]:
    """The nodes of a cluster, as others know them."""
    present = {name_of(node) for node in peer.store.all(NODES)}
    return [RemoteNode(peer, name, one) for name, one in peer.network.nodes.items() if name in present]


def pods(peer: World) -> Iterator[RemotePod]:
    """The pods of a cluster that have an identity, as others know them."""
    for run in peer.runs.values():
        endpoint = peer.network.endpoints.get((run.namespace, run.name))
        if endpoint is not None:
            labels = agents.identity_labels(peer, run.pod)
            number = identity_number(labels, peer.cluster_id)
            yield RemotePod(peer, run, endpoint.addresses.every, number, tuple(labels))


def identities(peer: World) -> dict[int, tuple[str, ...]]:
    """The identities of a cluster's pods, by number."""
    return dict(sorted((one.identity, one.labels) for one in pods(peer)))


def setting(service: Json, name: str) -> str:
    """What an annotation of the mesh says of a service; empty without it."""
    return str((service["metadata"].get("annotations") or {}).get(f"{_ANNOTATION}{name}", ""))


def is_global(service: Json) -> bool:
    """Whether a service is one in all clusters."""
    return setting(service, "global") == "true"


def exported(peer: World) -> list[Json]:
    """The services whose backends a cluster lends to the others."""
    return [one for one in peer.store.all(SERVICES) if is_global(one) and setting(one, "shared") != "false"]


def lenders(world: World, service: Json) -> list[World]:
    """The clusters whose backends stand behind a service of ours too."""
    if not is_global(service):
        return []
    place = (namespace_of(service), name_of(service))
    return [
        peer for peer in world.peers if place in [(namespace_of(one), name_of(one)) for one in exported(peer)]
    ]
