"""Everything that watches the world and acts on it, in the order in which it comes to rest soonest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice import agents, events, kubelet, nodes, operator, services, workloads

if TYPE_CHECKING:
    from playbooks.practice.world import World


def reconcile(world: World) -> None:
    """One round; the world calls it until nothing changes any more."""
    workloads.reconcile(world)
    kubelet.reconcile(world)
    operator.reconcile(world)
    agents.reconcile(world)
    nodes.reconcile(world)
    services.reconcile(world)


def beat(world: World) -> None:
    """What happens all the time: heartbeats, leases, repeated complaints, forgetting."""
    kubelet.nag(world)
    nodes.beat(world)
    operator.beat(world)
    events.expire(world)
