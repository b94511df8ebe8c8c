"""Identities of addresses by three sides: endpoints of the agent, its list of addresses, the ipcache map."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.bpf.ipcache import IpcacheMap
from playbooks.model.cilium.agent.addresses import AgentAddresses
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.fact import Fact, Scene, Scope
from playbooks.model.views.differences import Difference, Kind, Side, compared, sides

WORLD = ("0.0.0.0/0", "::/0")
"""The datapath always has these, whether the agent tells them or not."""


@dataclass(frozen=True, kw_only=True)
class IpcacheView(Fact):
    """Where the identities that one agent gives to addresses and those in its ipcache map differ."""

    differences: tuple[Difference, ...]
    """Sorted; compare them between two looks, for addresses come and go."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (AgentAddresses, AgentEndpoints, IpcacheMap)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> IpcacheView | Gap:
        """Compare them."""
        known, entries = scene.get(AgentAddresses), scene.get(IpcacheMap)
        provenance = sides(known, entries)
        if isinstance(provenance, Gap):
            return provenance
        assert isinstance(known, AgentAddresses)
        assert isinstance(entries, IpcacheMap)
        endpoints = scene.get(AgentEndpoints)
        found = {
            *_map_against_agent(entries, known),
            *(_map_against_endpoints(entries, endpoints) if isinstance(endpoints, AgentEndpoints) else ()),
        }
        return cls(provenance=provenance, differences=tuple(sorted(found)))


def _map_against_agent(entries: IpcacheMap, known: AgentAddresses) -> Iterator[Difference]:
    agent = {one.cidr: str(one.identity or "") for one in known.items}
    held = {cidr: str(one.identity) for cidr, one in entries.by_cidr.items()}
    for cidr, kind, identity in compared(held, agent):
        if kind is Kind.STALE or cidr not in WORLD:
            pod = known.by_cidr[cidr].pod if cidr in known.by_cidr else None
            detail = f"identity {identity}" if identity else ""
            yield Difference(cidr, Side.MAP, Side.AGENT, kind, detail, *(pod or ("", "")))


def _map_against_endpoints(entries: IpcacheMap, endpoints: AgentEndpoints) -> Iterator[Difference]:
    for endpoint in endpoints.of_pods:
        for address in endpoint.addresses:
            entry = entries.by_cidr.get(f"{address}/{128 if ':' in address else 32}")
            if entry and endpoint.identity is not None and entry.identity != endpoint.identity:
                detail = f"identity {entry.identity} instead of {endpoint.identity}"
                yield Difference(entry.cidr, Side.MAP, Side.AGENT, Kind.STALE, detail, endpoint.namespace)
