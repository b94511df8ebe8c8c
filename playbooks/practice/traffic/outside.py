"""Clients outside of the cluster: to which node their packets come, and as whom they go on from there."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from playbooks.practice import announcing
from playbooks.practice.catalog import SERVICES
from playbooks.practice.frontends import Frontend, balanced, frontends
from playbooks.practice.objects import name_of, namespace_of
from playbooks.practice.traffic.call import Call
from playbooks.practice.traffic.lane import Path
from playbooks.practice.traffic.party import INGRESS, Party, node_party, outside_party

if TYPE_CHECKING:
    from playbooks.practice.world import World

STALE, NO_SERVICE, NOT_IN_RANGE = 151, 158, 177
"""Drop reasons: a pod's address that no pod has, nothing behind a service, a client outside of its ranges."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a packet goes from the node that it came to."""

    ip: str
    """The backend; the service's own address where packets end here."""
    port: int
    """Its port."""
    service: tuple[str, str]
    """Namespace and name of the service."""
    drop_reason: int = 0
    """Why packets end here; 0 where they go on."""


def doors(world: World, call: Call) -> list[str]:
    """The nodes to which packets of a call come; none takes in what says to be itself."""
    if call.through:
        return [node for node, network in world.network.nodes.items() if network.ingress.every]
    every = _doors(world, call.host)
    return [node for node in every if call.app not in world.network.nodes[node].addresses.every]


def _doors(world: World, host: str) -> list[str]:
    for node, addresses in world.network.hosts.items():
        if host in addresses.every:
            return [node] if node in world.network.nodes else []
    for service in world.store.all(SERVICES):
        if host in balanced(service) and announcing.has_pools(world):
            answering = announcing.announcer(world, service)
            return [answering] if answering else []
        if host in balanced(service):
            return _balanced(world, service["spec"], host)
    return []


def places(every: Iterable[Frontend], call: Call) -> Iterator[Entrance]:
    """Where a node sends the packets of a call."""
    for one in every:
        if (one.ip, one.port, one.protocol) != (call.host, call.port, call.protocol) or one.is_inner:
            continue
        service = (namespace_of(one.service), name_of(one.service))
        if one.ranges and not any(_is_in(call.app, prefix) for prefix in one.ranges):
            yield Entrance(one.ip, one.port, service, NOT_IN_RANGE)
        elif not one.active:
            yield Entrance(one.ip, one.port, service, NO_SERVICE)
        else:
            yield from (Entrance(backend.ip, backend.port, service) for backend in one.active)


def stranger(world: World, call: Call, door: str) -> Party:
    """Somebody outside, or who hides behind a node or its proxy, as they are known where they come in."""
    if call.through:
        return Party(world.network.nodes[door].ingress.first, INGRESS, ("reserved:ingress",))
    end = world.policies.census.ends.get(call.app)
    if end is not None and end.node:
        return replace(node_party(world, end.node, call.app, door), node="")
    return outside_party(world, call.app, ())


def forwarded(world: World, client: Party, door: str, path: Path) -> tuple[str, Party]:
    """Behind which address a client hides whom another node is asked for, and as whom it is seen there.

    The node puts its own address before its packets, so that answers come back through it. In a tunnel it
    tells beside them who asks; without one, the other node sees that node alone.
    """
    run = world.agents.get(door)
    if run is not None and run.config.get("bpf-lb-mode", "snat") == "dsr":
        return client.ip, client
    if path is Path.OVERLAY:
        return client.ip, replace(client, ip=world.network.nodes[door].router)
    ip = world.network.nodes[door].node_ip
    return ip, replace(node_party(world, door, ip, ""), node="")


def _balanced(world: World, spec: dict[str, object], host: str) -> list[str]:
    """Where a load balancer sends packets: for local backends only, it asks which nodes have any."""
    nodes = list(world.network.nodes)
    if spec.get("externalTrafficPolicy") != "Local":
        return nodes
    return [
        node
        for node in nodes
        if any(one.ip == host and one.active and not one.is_inner for one in frontends(world, node))
    ]


def _is_in(ip: str, prefix: str) -> bool:
    return ipaddress.ip_address(ip) in ipaddress.ip_network(prefix, strict=False)
