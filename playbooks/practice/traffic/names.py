"""What names lead to: services by the cluster's DNS, everything else by the world's data."""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING

from playbooks.practice.catalog import SERVICES
from playbooks.practice.frontends import backends

if TYPE_CHECKING:
    from playbooks.practice.world import World

SEARCH = ("svc.cluster.local", "cluster.local")
"""Domains that a pod's resolver appends, behind that of its own namespace."""
_DOMAIN = ".svc.cluster.local"


def is_address(host: str) -> bool:
    """Whether a host is an address and needs no looking up."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def addresses(world: World, name: str) -> tuple[str, ...]:
    """Where a full name leads, in the families of the cluster; nothing for a name that does not exist."""
    name = name.rstrip(".")
    found = _of_service(world, name) if name.endswith(_DOMAIN) else world.traffic.names.get(name, ())
    families = world.profile.families
    return tuple(ip for ip in found if ("IPv6" if ":" in ip else "IPv4") in families)


def names_of(world: World, ip: str) -> tuple[str, ...]:
    """Names outside of the cluster that lead to an address."""
    return tuple(name for name, ips in world.traffic.names.items() if ip in ips)


def _of_service(world: World, name: str) -> tuple[str, ...]:
    service, _, namespace = name.removesuffix(_DOMAIN).partition(".")
    item = world.store.get(SERVICES, namespace, service)
    if item is None:
        return ()
    ips = tuple(item["spec"].get("clusterIPs") or ())
    if ips != ("None",):
        return ips
    title = f"{namespace}/{service}"
    return tuple(dict.fromkeys(one.ip for one in backends(world) if one.service == title and one.is_active))
