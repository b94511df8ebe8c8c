"""The ends of connections that a target stands for: pods, addresses, names, entities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from playbooks.engine.reaching.vantage import Vantage
from playbooks.engine.targets.resolving import Resolved, Spot, ports_of
from playbooks.model.answer import Gap
from playbooks.model.policies.pods import LabelledPod


class Kind(StrEnum):
    """What an end is, which says whose policy decides there."""

    POD = "pod"
    HOST_POD = "pod on the network of its host"
    ADDRESS = "address"
    ENTITY = "entity"


@dataclass(frozen=True, slots=True)
class End:
    """One end of one connection."""

    kind: Kind
    """What it is."""
    said: str
    """`namespace/pod`, an address, a name."""
    node: str
    """Where it is; empty where that is not known."""
    address: str
    """Its address; empty for an entity."""
    port: int = 0
    """The port at which it is called."""
    protocol: str = "TCP"
    """Of the port."""
    port_names: tuple[str, ...] = ()
    """What its pod calls the port."""
    names: tuple[str, ...] = ()
    """The DNS name by which it was asked for."""
    seen_by: frozenset[str] = frozenset()
    """Nodes whose agents saw the address for the name; empty where it was not found by name."""

    @property
    def entity(self) -> str:
        """The entity that it is; empty for others."""
        return self.said if self.kind is Kind.ENTITY else ""


def ends_of(resolved: Resolved) -> Iterator[End]:
    """Everything that a target stands for without asking an agent."""
    target = resolved.target
    if resolved.entity:
        yield End(Kind.ENTITY, resolved.entity, "", "", target.port, target.protocol)
    elif resolved.address:
        yield End(Kind.ADDRESS, resolved.address, "", resolved.address, target.port, target.protocol)
    for backend in () if resolved.is_by_proxy else resolved.outside:
        yield End(Kind.ADDRESS, backend.address, "", backend.address, backend.port, backend.protocol)
    for spot in resolved.spots:
        meta, status = spot.pod.pod.metadata, spot.pod.pod.status
        kind = Kind.HOST_POD if spot.pod.pod.spec.host_network else Kind.POD
        for port, protocol in _ports(spot):
            yield End(
                kind,
                f"{meta.namespace}/{meta.name}",
                spot.pod.pod.spec.node_name,
                status.pod_ip,
                port,
                protocol,
                _names(spot.pod, port, protocol),
            )


def ends_of_name(resolved: Resolved, vantages: dict[str, Vantage]) -> Iterator[End]:
    """The addresses that agents of the sources saw for a name."""
    target, found = resolved.target, dict[str, set[str]]()
    for node, vantage in vantages.items():
        for lookup in () if isinstance(vantage.lookups, Gap) else vantage.lookups.items:
            if lookup.fqdn.rstrip(".") == resolved.host:
                for address in lookup.ips or ():
                    found.setdefault(address, set()).add(node)
    for address, nodes in found.items():
        said = f"{resolved.host} ({address})"
        names, seen_by = (resolved.host,), frozenset(nodes)
        yield End(Kind.ADDRESS, said, "", address, target.port, target.protocol, (), names, seen_by)


def _ports(spot: Spot) -> list[tuple[int, str]]:
    if spot.port:
        return [(spot.port, spot.protocol)]
    declared = dict.fromkeys((port.container_port, port.protocol) for port in ports_of(spot.pod.pod))
    return list(declared) or [(0, spot.protocol)]


def _names(pod: LabelledPod, number: int, protocol: str) -> tuple[str, ...]:
    here = (port for port in ports_of(pod.pod) if (port.container_port, port.protocol) == (number, protocol))
    return tuple(port.name for port in here if port.name)
