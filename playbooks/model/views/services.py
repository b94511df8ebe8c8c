"""Services by three sides: what Kubernetes wants, frontends of the agent, the maps of services."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.bpf.load_balancing import MapService, ServiceMap
from playbooks.model.cilium.agent.services import AgentService, AgentServices, address_of
from playbooks.model.fact import Fact, Scene, Scope
from playbooks.model.kube.endpoint_slices import EndpointSlices, SliceEndpoint
from playbooks.model.kube.services import Service, Services
from playbooks.model.views.differences import Difference, Kind, Side, sides

_OTHER_PROXY = "service.kubernetes.io/service-proxy-name"
_SHAPED = (
    "service.cilium.io/global",
    "io.cilium/global-service",
    "service.kubernetes.io/topology-mode",
    "service.kubernetes.io/topology-aware-hints",
)
"""Annotations by which an agent takes other backends than those of the service's slices."""
_REDIRECTED = ("LocalRedirect", "l7-load-balancer")
_EVERYWHERE = ("0.0.0.0", "[::]")
_PORT = re.compile(r":(\d{1,5})(?:/\w+)?$")

_Key = tuple[str, bool]


@dataclass(frozen=True, kw_only=True)
class ServiceView(Fact):
    """Where services, frontends of one agent and its maps of services differ.

    Kubernetes is compared by cluster addresses only: which others an agent serves depends on its options.
    """

    differences: tuple[Difference, ...]
    """Sorted; compare them between two looks, for backends come and go."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Services, EndpointSlices, AgentServices, ServiceMap)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> ServiceView | Gap:
        """Compare them; the agent and its map alone where Kubernetes cannot be asked."""
        agent, entries = scene.get(AgentServices), scene.get(ServiceMap)
        provenance = sides(agent, entries)
        if isinstance(provenance, Gap):
            return provenance
        assert isinstance(agent, AgentServices)
        assert isinstance(entries, ServiceMap)
        services, slices = scene.get(Services), scene.get(EndpointSlices)
        found = {*_map_against_agent(entries, agent)}
        if not isinstance(sides(services, slices), Gap):
            assert isinstance(services, Services)
            assert isinstance(slices, EndpointSlices)
            found |= {*_agent_against_kubernetes(agent, services, slices, scene.node)}
        return cls(provenance=provenance, differences=tuple(sorted(found)))


def _map_against_agent(entries: ServiceMap, agent: AgentServices) -> Iterator[Difference]:
    # Before 1.17 the map tells no protocol.
    has_protocols = all("/" in one.address for one in entries.items)
    frontends = {_key_of(one, has_protocols): one for one in agent.items}
    everywhere = {_port(address) for address, _ in frontends if address.startswith(_EVERYWHERE)}
    held = entries.by_address
    for key, one in frontends.items():
        if key in held:
            # Without its first row a frontend is not found, whatever rows of backends there are.
            if held[key].rev_nat is None:
                yield _of_map(one.address, Kind.MISSING, "row of the frontend itself", one)
            yield from _backends_in_map(held[key], one, has_protocols)
        elif one.address:
            yield _of_map(one.address, Kind.MISSING, "the whole frontend", one)
    for key, entry in held.items():
        # An agent may tell one frontend for a port of all addresses of its node.
        if key not in frontends and not entry.is_wildcard and _port(entry.address) not in everywhere:
            yield _of_map(entry.address, Kind.EXTRA, "the whole frontend", None)


def _backends_in_map(entry: MapService, one: AgentService, has_protocols: bool) -> Iterator[Difference]:
    known = {_address(backend.address, has_protocols): backend for backend in one.backends}
    held = {_address(address, has_protocols) for address in entry.backends.values()}
    # Where the service's affinity prefers a cluster, the map holds its backends only.
    prefers = any(backend.is_active and backend.preferred for backend in known.values())
    for address, backend in known.items():
        is_wanted = backend.is_active and (backend.preferred or not prefers)
        if is_wanted and address not in held:
            yield _of_map(one.address, Kind.MISSING, f"backend {address}", one)
    for address in held - set(known):
        yield _of_map(one.address, Kind.EXTRA, f"backend {address}", one)
    for number in entry.broken.values():
        yield _of_map(one.address, Kind.STALE, f"backend {number}, of which no map holds the address", one)


def _agent_against_kubernetes(
    agent: AgentServices, services: Services, slices: EndpointSlices, node: str
) -> Iterator[Difference]:
    has_protocols = all("/" in one.address for one in agent.items)
    frontends = {_address(one.address, has_protocols): one for one in agent.items if not is_internal(one)}
    wanted: set[str] = set()
    # A cluster may have a family or a protocol that its agents are told to leave to others.
    served = {_traits(one.address) for one in agent.items}
    traits = frozenset().union(*served) if served else None
    for service in services.items:
        if service.is_headless or service.spec.type == "ExternalName":
            continue
        for ip in service.spec.cluster_ips or ((service.spec.cluster_ip,) if service.spec.cluster_ip else ()):
            for port in service.spec.ports or ():
                address = _address(address_of(ip, port.port, port.protocol), has_protocols)
                wanted.add(address)
                one = frontends.get(address)
                is_served = traits is None or traits >= _traits(address_of(ip, port.port, port.protocol))
                if one is None and is_served and not service.metadata.label(_OTHER_PROXY):
                    yield _of_agent(address, Kind.MISSING, "the whole frontend", service)
                elif one and not is_shaped(service, one):
                    known = {backend.address.partition("/")[0]: backend.state for backend in one.backends}
                    backends = Backends.of(service, slices, port.name, ":" in ip, node)
                    yield from _backends_in_agent(address, known, backends, service)
    for address, one in frontends.items():
        if one.type == "ClusterIP" and address not in wanted:
            yield Difference(
                address, Side.AGENT, Side.KUBERNETES, Kind.EXTRA, "the whole frontend", *_name(one)
            )


@dataclass(frozen=True, slots=True)
class Backends:
    """What the slices of a service tell about one of its ports."""

    ready: frozenset[str]
    """Addresses, as `ip:port`, that take new connections from a node."""
    known: frozenset[str]
    """All addresses."""

    @classmethod
    def of(cls, service: Service, slices: EndpointSlices, port: str, is_v6: bool, node: str) -> Backends:
        """By the name of the port."""
        ready, known = set(), set()
        for one in slices.of_service(service.metadata.namespace, service.metadata.name):
            numbers = [item.port for item in one.ports or () if (item.name or "") == port]
            if one.address_type != ("IPv6" if is_v6 else "IPv4"):
                continue
            for endpoint in one.endpoints or ():
                addresses = {
                    address_of(ip, number, "") for ip in endpoint.addresses or () for number in numbers
                }
                known |= addresses
                ready |= addresses if _serves(service, endpoint, node) else set()
        return cls(frozenset(ready), frozenset(known))


def _serves(service: Service, endpoint: SliceEndpoint, node: str) -> bool:
    is_local = service.spec.internal_traffic_policy == "Local"
    return endpoint.is_ready and not (is_local and endpoint.node_name not in ("", node))


def _backends_in_agent(
    address: str, known: Mapping[str, str], backends: Backends, service: Service
) -> Iterator[Difference]:
    for backend in backends.ready - set(known):
        yield _of_agent(address, Kind.MISSING, f"backend {backend}", service)
    for backend, state in known.items():
        # Backends that terminate are kept for connections that there are.
        if backend not in backends.known and state in ("active", ""):
            yield _of_agent(address, Kind.EXTRA, f"backend {backend}", service)


def is_shaped(service: Service, one: AgentService) -> bool:
    """Whether the agent is told to take other backends than those of the service's slices."""
    return bool(service.annotation(*_SHAPED) or service.spec.traffic_distribution or one.type in _REDIRECTED)


def is_internal(one: AgentService) -> bool:
    """Whether it is the internal scope of a service with two scopes."""
    return bool(one.spec.frontend_address and one.spec.frontend_address.scope == "internal")


def _traits(address: str) -> frozenset[str]:
    """The family of an address, and the protocol where not every agent serves it."""
    family = "IPv6" if address.startswith("[") else "IPv4"
    return frozenset({family, "SCTP"} if address.upper().endswith("/SCTP") else {family})


def _key_of(one: AgentService, has_protocols: bool) -> _Key:
    return _address(one.address, has_protocols), is_internal(one)


def _address(address: str, has_protocols: bool) -> str:
    return address if has_protocols else address.partition("/")[0]


def _port(address: str) -> str:
    match = _PORT.search(address)
    return match[1] if match else ""


def _name(one: AgentService | None) -> tuple[str, str]:
    namespace, _, name = one.name.partition("/") if one else ("", "", "")
    return namespace, name


def _of_map(address: str, kind: Kind, detail: str, one: AgentService | None) -> Difference:
    return Difference(address, Side.MAP, Side.AGENT, kind, detail, *_name(one))


def _of_agent(address: str, kind: Kind, detail: str, service: Service) -> Difference:
    meta = service.metadata
    return Difference(address, Side.AGENT, Side.KUBERNETES, kind, detail, meta.namespace, meta.name)
