"""Who answers for load-balancer addresses: asked of the agents only where they announce on L2 at all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.agent.announced import L2_ANNOUNCE, Announced
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Way
from playbooks.model.kube.services import Service
from playbooks.model.request import Request

SATISFIED = "cilium.io/IPAMRequestSatisfied"
"""The condition by which Cilium tells that it gave a service an address, or why not."""
_ON = "enable-l2-announcements"


@dataclass(frozen=True, kw_only=True)
class L2Announced(Fact):
    """The table `l2-announce` of one agent; nothing is asked where announcing is off."""

    items: tuple[Announced, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, CiliumConfig)
    ways: ClassVar[tuple[Way, ...]]


def announces(config: CiliumConfig) -> bool:
    """Whether agents announce addresses on L2."""
    return config.is_on(_ON)


def addresses_of(service: Service) -> tuple[str, ...]:
    """The addresses that load balancers gave to a service."""
    return tuple(one.ip for one in service.status.load_balancer.ingress or () if one.ip)


def labels_of(service: Service) -> dict[str, str]:
    """What selectors of pools and L2 policies see of a service."""
    meta = service.metadata
    return {
        **(meta.labels or {}),
        "io.kubernetes.service.name": meta.name,
        "io.kubernetes.service.namespace": meta.namespace,
    }


def _where_on(way: Way) -> Way:
    def ask(scene: Scene) -> Request | Gap | Fact:
        config = scene.get(CiliumConfig)
        if isinstance(config, CiliumConfig) and not announces(config):
            return L2Announced(provenance=Provenance("", "", config.taken_at, scene.node), items=())
        return way.ask(scene)

    return replace(way, ask=ask)


L2Announced.ways = tuple(map(_where_on, replace(L2_ANNOUNCE, fact=L2Announced).ways()))
