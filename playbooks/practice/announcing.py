"""Addresses of load balancers that Cilium gives out itself, and the nodes that answer for them on L2."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from playbooks.practice import agents
from playbooks.practice.catalog import CILIUM_L2_POLICIES, CILIUM_POOLS, LEASES, NODES, SERVICES
from playbooks.practice.nodes import new_lease
from playbooks.practice.objects import Json, labels_of, matches, micro_stamp, name_of, namespace_of, stamp
from playbooks.practice.ownership import Writer

if TYPE_CHECKING:
    from playbooks.practice.world import World

DEVICE = "eth0"
"""Where nodes answer."""
_DURATION = 15
_NAMESPACE = "kube-system"
_AGENT, _OPERATOR = Writer(agents.AGENT), "cilium-operator-generic"


def reconcile(world: World) -> None:
    """Give addresses of pools to services that have none, and have nodes elect who answers for them."""
    for service in world.store.all(SERVICES):
        if service["spec"].get("type") == "LoadBalancer" and has_pools(world):
            _give(world, service)
    for service in world.store.all(SERVICES):
        holder = announcer(world, service)
        if holder:
            _lead(world, service, holder)


def has_pools(world: World) -> bool:
    """Whether Cilium gives addresses to services, instead of a cloud."""
    return world.store.kind(*CILIUM_POOLS.key) is not None and bool(world.store.all(CILIUM_POOLS))


def announcer(world: World, service: Json) -> str:
    """The node that answers for a service's addresses; empty for none.

    It is elected among those that a policy selects, and nobody looks where the service's pods are.
    """
    if not _given(service) or world.store.kind(*CILIUM_L2_POLICIES.key) is None:
        return ""
    willing = [
        name
        for policy in world.store.all(CILIUM_L2_POLICIES)
        if policy["spec"].get("loadBalancerIPs")
        and matches(policy["spec"].get("serviceSelector"), _seen(service))
        for name in world.agents
        if _is_willing(world, name, policy)
    ]
    before = world.store.get(LEASES, _NAMESPACE, _lease(service))
    held = before["spec"]["holderIdentity"] if before else ""
    return held if held in willing else next(iter(willing), "")


def announced(world: World, node: str) -> list[tuple[str, str]]:
    """The addresses that a node answers for, each with the device."""
    services = (one for one in world.store.all(SERVICES) if announcer(world, one) == node)
    return sorted((ip, DEVICE) for service in services for ip in _given(service))


def beat(world: World) -> None:
    """Renew the leases of those who answer."""
    for service in world.store.all(SERVICES):
        lease = world.store.get(LEASES, _NAMESPACE, _lease(service)) if announcer(world, service) else None
        if lease is not None:
            renewed = {**lease["spec"], "renewTime": micro_stamp(world.now)}
            world.put(LEASES, {**lease, "spec": renewed}, _AGENT)


def _is_willing(world: World, node: str, policy: Json) -> bool:
    item = world.store.get(NODES, "", node)
    is_on = world.agents[node].config.get("enable-l2-announcements") == "true"
    is_selected = item is not None and matches(policy["spec"].get("nodeSelector"), labels_of(item))
    return is_on and is_selected and agents.is_up(world, node)


def _seen(service: Json) -> dict[str, str]:
    """Labels of a service as selectors see them."""
    named = {"name": name_of(service), "namespace": namespace_of(service)}
    return {**labels_of(service), **{f"io.kubernetes.service.{key}": value for key, value in named.items()}}


def _given(service: Json) -> list[str]:
    status = (service.get("status") or {}).get("loadBalancer") or {}
    is_ours = any(one["type"] == _SATISFIED for one in (service.get("status") or {}).get("conditions") or ())
    return [one["ip"] for one in status.get("ingress") or ()] if is_ours else []


_SATISFIED = "cilium.io/IPAMRequestSatisfied"


def _give(world: World, service: Json) -> None:
    if ((service.get("status") or {}).get("loadBalancer") or {}).get("ingress"):
        return
    taken = {ip for one in world.store.all(SERVICES) for ip in _given(one)}
    for pool in world.store.all(CILIUM_POOLS):
        blocks = pool["spec"].get("blocks") or ()
        ips = (str(ip) for block in blocks for ip in ipaddress.ip_network(block["cidr"]).hosts())
        free = next((ip for ip in ips if ip not in taken), "")
        if free and matches(pool["spec"].get("serviceSelector"), _seen(service)):
            condition = {
                "lastTransitionTime": stamp(world.now),
                "message": "",
                "reason": "satisfied",
                "status": "True",
                "type": _SATISFIED,
            }
            status: Json = {"conditions": [condition], "loadBalancer": {"ingress": [{"ip": free}]}}
            world.put_status(SERVICES, service, status, _OPERATOR)
            return


def _lead(world: World, service: Json, node: str) -> None:
    name = _lease(service)
    before = world.store.get(LEASES, _NAMESPACE, name)
    if before is None or before["spec"]["holderIdentity"] != node:
        world.put(LEASES, new_lease(name, _NAMESPACE, node, _DURATION, world.now), _AGENT)


def _lease(service: Json) -> str:
    return f"cilium-l2announce-{namespace_of(service)}-{name_of(service)}"
