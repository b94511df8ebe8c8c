"""The policies of the shop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice import manifests
from playbooks.practice.objects import Json
from playbooks.practice.ownership import Writer

if TYPE_CHECKING:
    from playbooks.practice.world import World

_WRITER = Writer("kubectl-client-side-apply")
_PARTNERS = {"IPv4": ("198.51.100.0/24", "198.51.100.10/32", "198.51.100.20/32"),
             "IPv6": ("2001:db8:5100::/64", "2001:db8:5100::10/128", "2001:db8:5100::20/128")}  # fmt: skip
_MARKS = ("PARTNERS", "PAYMENTS", "ADS")


def install(world: World) -> None:
    """Write the policies whose kinds this cluster has."""
    marks = dict(zip(_MARKS, _PARTNERS[world.profile.families[0]], strict=True))
    has_proxy = world.profile.config.get("enable-l7-proxy") != "false"
    for item in manifests.documents("policies", marks):
        kind = next((one for one in world.store.kinds if one.kind == item["kind"]), None)
        if kind is not None:
            world.put(kind, item if has_proxy else without_requests(item), _WRITER)
    world.settle()


def without_requests(item: Json) -> Json:
    """The policy with ports only, for agents that have no proxy."""
    spec = dict(item.get("spec") or {})
    for direction in ("ingress", "egress"):
        if direction in spec:
            spec[direction] = [
                {**rule, "toPorts": [{"ports": ports["ports"]} for ports in rule["toPorts"]]}
                if "toPorts" in rule
                else rule
                for rule in spec[direction]
                if "toFQDNs" not in rule
            ]
    return {**item, "spec": spec}
