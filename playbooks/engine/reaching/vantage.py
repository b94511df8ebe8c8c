"""What one node knows that decides about connections of its endpoints."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from playbooks.engine.knowing import Knowing
from playbooks.engine.targets.parsing import ENTITIES as NAMED
from playbooks.knowledge.identities import RESERVED
from playbooks.model.answer import Gap
from playbooks.model.bpf.ipcache import IpcacheMap
from playbooks.model.bpf.policy import EndpointPolicyMap, PolicyMaps
from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.fqdn import AgentLookups
from playbooks.model.cilium.agent.identities import AgentIdentities
from playbooks.model.cilium.agent.map_state import AgentMapState
from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.agent.selectors import AgentSelectors
from playbooks.model.fact import Fact
from playbooks.model.policies.labels import Labels

ENTITIES = {name: RESERVED.index(name) for name in NAMED}
"""Identities that mean the same everywhere, by the names that a person may use."""


@dataclass(frozen=True)
class Vantage:
    """One node: its endpoints, their policy maps, and the identities it gives to addresses."""

    node: str
    """The node."""
    endpoints: AgentEndpoints | Gap
    maps: PolicyMaps | Gap
    ipcache: IpcacheMap | Gap
    identities: AgentIdentities | Gap
    wanted: AgentMapState | Gap
    selectors: AgentSelectors | Gap
    lookups: AgentLookups | Gap
    refused: RefusedFlows | Gap

    def endpoint(self, address: str) -> Endpoint | None:
        """The endpoint that has an address."""
        return None if isinstance(self.endpoints, Gap) else self.endpoints.at(address)

    def map_of(self, endpoint: Endpoint) -> EndpointPolicyMap | None:
        """An endpoint's policy map."""
        return None if isinstance(self.maps, Gap) else self.maps.by_endpoint.get(endpoint.id)

    def identity_of(self, address: str) -> int | None:
        """The identity that the datapath of this node gives to an address: by the longest prefix."""
        if isinstance(self.ipcache, Gap):
            return None
        try:
            ip = ip_address(address)
        except ValueError:
            # Answers of DNS may hold anything.
            return None
        fitting = [(length, identity) for network, length, identity in self._prefixes if ip in network]
        return max(fitting)[1] if fitting else None

    def identities_of(self, entity: str) -> tuple[int, ...]:
        """The identities that an entity has on this node, without those that rules give to prefixes."""
        number = ENTITIES[entity]
        everywhere = {network.with_prefixlen: identity for network, _, identity in self._prefixes}
        if entity == "world":
            # Where a cluster has both families, each has an identity for what is outside.
            return (everywhere.get("0.0.0.0/0", everywhere.get("::/0", number)),)
        if entity not in ("remote-node", "kube-apiserver"):
            return (number,)
        known = {one: self.labels_of(one) for one in sorted(set(everywhere.values()))}
        return tuple(one for one, labels in known.items() if labels and entity in labels.reserved) or (
            number,
        )

    def labels_of(self, identity: int) -> Labels | None:
        """The labels of an identity, as this node knows them."""
        if isinstance(self.identities, Gap):
            return None
        one = self.identities.by_id.get(identity)
        return Labels(one.labels) if one and one.labels else None

    @cached_property
    def _prefixes(self) -> list[tuple[IPv4Network | IPv6Network, int, int]]:
        found: list[tuple[IPv4Network | IPv6Network, int, int]] = []
        for item in () if isinstance(self.ipcache, Gap) else self.ipcache.by_cidr.values():
            network = ip_network(item.cidr, strict=False)
            found.append((network, network.prefixlen, item.identity))
        return found


async def look_from(knowing: Knowing, node: str) -> Vantage:
    """Ask a node's agent for all of it."""
    kinds: tuple[type[Fact], ...] = (
        AgentEndpoints,
        PolicyMaps,
        IpcacheMap,
        AgentIdentities,
        AgentMapState,
        AgentSelectors,
        AgentLookups,
        RefusedFlows,
    )
    return Vantage(node, *await asyncio.gather(*(knowing.know(kind, node) for kind in kinds)))  # type: ignore[arg-type]
