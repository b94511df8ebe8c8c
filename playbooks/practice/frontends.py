"""Frontends and backends: what every agent makes of services and their slices."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from playbooks.practice import mesh
from playbooks.practice.catalog import SERVICES, SLICES
from playbooks.practice.objects import Json, labels_of, name_of, namespace_of

if TYPE_CHECKING:
    from playbooks.practice.world import World


class Numbers:
    """Numbers that are given out in turn and kept: the same thing has the same number for ever."""

    def __init__(self) -> None:
        """None is given yet."""
        self._given: dict[str, int] = {}
        self._next = itertools.count(1)

    def of(self, what: str) -> int:
        """The number of something."""
        if what not in self._given:
            self._given[what] = next(self._next)
        return self._given[what]


@dataclass(frozen=True, slots=True)
class Backend:
    """One place behind a service."""

    ip: str
    """Its address."""
    port: int
    """Its port."""
    protocol: str
    """TCP, UDP or SCTP."""
    service: str
    """The service as `namespace/name`."""
    port_name: str
    """Name of the service's port."""
    node: str
    """The node it is on; empty for an address outside of the cluster's pods."""
    is_active: bool
    """Whether it is ready to serve."""
    cluster: str = ""
    """The other cluster of the mesh that lends it; empty for our own."""
    cluster_id: int = 0
    """That cluster's id."""

    @property
    def address(self) -> str:
        """As agents write it."""
        return f"{written(self.ip)}:{self.port}/{self.protocol}"

    @property
    def state(self) -> str:
        """Its state in words."""
        return "active" if self.is_active else "maintenance"


@dataclass(frozen=True, slots=True)
class Frontend:
    """One address at which a service is reached."""

    ip: str
    """The address."""
    port: int
    """The port."""
    protocol: str
    """TCP, UDP or SCTP."""
    type: str
    """ClusterIP, NodePort, LoadBalancer or ExternalIPs."""
    service: Json
    """The service."""
    port_name: str
    """Name of the service's port."""
    backends: tuple[Backend, ...]
    """What stands behind it on the agent's node."""
    is_surrogate: bool = True
    """Whether the table of frontends holds it; addresses of the node are in the maps only."""
    is_inner: bool = False
    """Whether it is what clients in the cluster get, where those outside get other backends."""

    @property
    def address(self) -> str:
        """As agents write it."""
        return f"{written(self.ip)}:{self.port}/{self.protocol}{'/i' if self.is_inner else ''}"

    @property
    def title(self) -> str:
        """The service as `namespace/name`."""
        return f"{namespace_of(self.service)}/{name_of(self.service)}"

    @property
    def active(self) -> tuple[Backend, ...]:
        """Backends that get new connections: the preferred ones, as long as one of them is active."""
        able = tuple(one for one in self.backends if one.is_active)
        return tuple(one for one in able if self.is_preferred(one)) or able

    def is_preferred(self, backend: Backend) -> bool:
        """Whether the service's affinity prefers the cluster that the backend is in."""
        affinity = mesh.setting(self.service, "affinity")
        return affinity not in ("local", "remote") or (affinity == "remote") == bool(backend.cluster)

    @property
    def flags(self) -> tuple[str, ...]:
        """How the map describes it."""
        spec = self.service["spec"]
        local = spec.get("internalTrafficPolicy") == "Local" and self.type == "ClusterIP"
        is_unrouted = self.type == "ClusterIP" or self.ip in ("0.0.0.0", "::")
        found = (
            (self.type, True),
            ("Local", spec.get("externalTrafficPolicy") == "Local" and self.type != "ClusterIP"),
            ("InternalLocal", local),
            ("two-scopes", self.has_two_scopes),
            ("sessionAffinity", spec.get("sessionAffinity") == "ClientIP"),
            ("non-routable", is_unrouted),
            ("check source-range", bool(self.ranges)),
        )
        return tuple(flag for flag, is_set in found if is_set)

    @property
    def has_two_scopes(self) -> bool:
        """Whether clients in the cluster get other backends than those outside."""
        return has_two_scopes(self.service["spec"], self.type)

    @property
    def ranges(self) -> tuple[str, ...]:
        """From where clients may come; empty for anywhere."""
        is_balanced = self.type == "LoadBalancer"
        return tuple(self.service["spec"].get("loadBalancerSourceRanges") or ()) if is_balanced else ()

    @property
    def affinity(self) -> int:
        """Seconds for which a client stays with a backend."""
        spec = self.service["spec"]
        if spec.get("sessionAffinity") != "ClientIP":
            return 0
        config = (spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}
        return int(config.get("timeoutSeconds", 10800))


def has_two_scopes(spec: Json, type_: str) -> bool:
    """Whether an address of a service is led to other backends for clients in the cluster."""
    policies = [spec.get(f"{side}TrafficPolicy", "Cluster") for side in ("external", "internal")]
    return type_ != "ClusterIP" and policies[0] != policies[1]


def written(ip: str) -> str:
    """An address as it stands before a port."""
    return f"[{ip}]" if ":" in ip else ip


def backends(world: World) -> list[Backend]:
    """All backends in the cluster, by service and address."""
    found = [one for item in world.store.all(SLICES) for one in _of_slice(item)]
    return sorted(found, key=lambda one: (one.service, one.address))


def every_backend(world: World) -> list[Backend]:
    """The same, with those that other clusters lend to global services."""
    found = backends(world)
    for service in world.store.all(SERVICES) if world.peers else ():
        title = f"{namespace_of(service)}/{name_of(service)}"
        for peer in mesh.lenders(world, service):
            found += [
                replace(one, cluster=peer.cluster, cluster_id=peer.cluster_id)
                for one in backends(peer)
                if one.service == title
            ]
    return sorted(found, key=lambda one: (one.service, one.address))


def frontends(world: World, node: str) -> list[Frontend]:
    """All frontends as the agent of a node has them, in the order of the services."""
    behind: dict[tuple[str, str], list[Backend]] = {}
    for backend in every_backend(world):
        behind.setdefault((backend.service, backend.port_name), []).append(backend)
    return [one for service in world.store.all(SERVICES) for one in _of_service(world, node, service, behind)]


def _of_slice(item: Json) -> Iterator[Backend]:
    service = f"{namespace_of(item)}/{labels_of(item).get('kubernetes.io/service-name', '')}"
    for endpoint in item["endpoints"] or ():
        for port in item["ports"] or ():
            for ip in endpoint["addresses"]:
                yield Backend(
                    ip,
                    port["port"],
                    port["protocol"],
                    service,
                    port.get("name", ""),
                    endpoint.get("nodeName", ""),
                    bool(endpoint["conditions"].get("ready")),
                )


def _of_service(
    world: World, node: str, service: Json, behind: dict[tuple[str, str], list[Backend]]
) -> Iterator[Frontend]:
    spec = service["spec"]
    if spec.get("clusterIP", "None") == "None":
        return
    title = f"{namespace_of(service)}/{name_of(service)}"
    for port in spec["ports"]:
        name = port.get("name", "")
        mine = behind.get((title, name), [])
        for ip, number, type_, is_surrogate in _places(world, node, service, port):
            for is_inner in (False, True) if has_two_scopes(spec, type_) else (type_ == "ClusterIP",):
                scope = spec.get("internalTrafficPolicy" if is_inner else "externalTrafficPolicy")
                chosen = tuple(
                    one
                    for one in mine
                    if (":" in one.ip) == (":" in ip)
                    and one.protocol == port["protocol"]
                    and (scope != "Local" or one.node == node)
                )
                is_apart = is_inner and type_ != "ClusterIP"
                protocol = port["protocol"]
                yield Frontend(ip, number, protocol, type_, service, name, chosen, is_surrogate, is_apart)


def balanced(service: Json) -> tuple[str, ...]:
    """The addresses that a load balancer gave to a service."""
    given = (service.get("status") or {}).get("loadBalancer") or {}
    return tuple(one["ip"] for one in given.get("ingress") or () if one.get("ip"))


def _places(world: World, node: str, service: Json, port: Json) -> Iterator[tuple[str, int, str, bool]]:
    spec = service["spec"]
    for ip in spec["clusterIPs"]:
        yield ip, port["port"], "ClusterIP", True
    own = world.network.hosts[node].every
    if port.get("nodePort"):
        families = spec.get("ipFamilies") or ()
        for family, surrogate in (("IPv4", "0.0.0.0"), ("IPv6", "::")):
            if family in families:
                yield surrogate, port["nodePort"], "NodePort", True
                for ip in own:
                    if (":" in ip) == (family == "IPv6"):
                        yield ip, port["nodePort"], "NodePort", False
    for ip in spec.get("externalIPs") or ():
        yield ip, port["port"], "ExternalIPs", True
    for ip in balanced(service) if spec.get("type") == "LoadBalancer" else ():
        yield ip, port["port"], "LoadBalancer", True
