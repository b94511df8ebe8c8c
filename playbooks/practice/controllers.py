"""Everything that watches the world and acts on it, in the order in which it comes to rest soonest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from playbooks.practice import (
    agents,
    announcing,
    events,
    kubelet,
    nodes,
    operator,
    services,
    slices,
    workloads,
)
from playbooks.practice.catalog import (
    CILIUM_CIDR_GROUPS,
    CILIUM_CLUSTERWIDE_POLICIES,
    CILIUM_ENDPOINT_SLICES,
    CILIUM_ENDPOINTS,
    CILIUM_L2_POLICIES,
    CILIUM_NODES,
    CILIUM_POLICIES,
    CILIUM_POOLS,
    CRDS,
    DAEMON_SETS,
    DEPLOYMENTS,
    ENDPOINTS,
    LEASES,
    NODES,
    PODS,
    POLICIES,
    REPLICA_SETS,
    REVISIONS,
    SERVICES,
    SLICES,
    Kind,
)  # fmt: skip
from playbooks.practice.policies import following, lockdown

if TYPE_CHECKING:
    from playbooks.practice.world import World

_OWNED = (DAEMON_SETS, DEPLOYMENTS, REPLICA_SETS, REVISIONS, ENDPOINTS, SLICES, CILIUM_ENDPOINTS)
_FOLLOWED = (POLICIES, CILIUM_POLICIES, CILIUM_CLUSTERWIDE_POLICIES, CILIUM_CIDR_GROUPS)
_CONTROLLERS: tuple[tuple[Callable[[World], None], tuple[Kind, ...]], ...] = (
    (workloads.reconcile, (PODS, NODES, SERVICES, *_OWNED)),
    (kubelet.reconcile, (PODS, CRDS)),
    (operator.reconcile, (PODS, LEASES)),
    (agents.reconcile, (PODS, CRDS, CILIUM_NODES, CILIUM_ENDPOINTS)),
    (nodes.reconcile, (PODS, NODES, CRDS, LEASES)),
    (services.reconcile, (PODS, SERVICES, SLICES)),
    (slices.reconcile, (CRDS, CILIUM_ENDPOINTS, CILIUM_ENDPOINT_SLICES)),
    (
        following.reconcile,
        (POLICIES, CILIUM_POLICIES, CILIUM_CLUSTERWIDE_POLICIES, CILIUM_CIDR_GROUPS, LEASES),
    ),
    (announcing.reconcile, (PODS, NODES, SERVICES, CILIUM_POOLS, CILIUM_L2_POLICIES)),
    (lockdown.watch, (PODS, *_FOLLOWED)),
)


def reconcile(world: World, changed: set[tuple[str, str]]) -> None:
    """One round of whoever watches one of the changed kinds; the world calls it until nothing changes."""
    for act, watched in _CONTROLLERS:
        if any(kind.key in changed for kind in watched):
            act(world)


def beat(world: World) -> None:
    """What happens all the time: heartbeats, leases, repeated complaints, forgetting."""
    kubelet.nag(world)
    nodes.beat(world)
    announcing.beat(world)
    operator.beat(world)
    events.expire(world)
