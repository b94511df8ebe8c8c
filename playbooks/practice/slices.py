"""CiliumEndpointSlices: the operator packs endpoints of one namespace together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice import operator
from playbooks.practice.catalog import CILIUM_ENDPOINT_SLICES, CILIUM_ENDPOINTS
from playbooks.practice.objects import Json, by_name, name_of, namespace_of

if TYPE_CHECKING:
    from playbooks.practice.world import World

_LARGEST = 100
"""Endpoints in one slice."""


def reconcile(world: World) -> None:
    """Bring slices into line with endpoints, where endpoints are sliced."""
    kind = world.store.kind(*CILIUM_ENDPOINT_SLICES.key)
    if kind is None or not operator.has_registered(world):
        return
    wanted: dict[str, list[Json]] = {}
    for item in by_name(world.store.all(CILIUM_ENDPOINTS)):
        wanted.setdefault(namespace_of(item), []).append(_packed(item))
    have: dict[str, list[Json]] = {}
    for item in world.store.all(CILIUM_ENDPOINT_SLICES):
        have.setdefault(item["namespace"], []).append(item)
    for namespace in {*wanted, *have}:
        _of_namespace(world, namespace, wanted.get(namespace, []), have.get(namespace, []))


def _of_namespace(world: World, namespace: str, endpoints: list[Json], slices: list[Json]) -> None:
    packs = [endpoints[at : at + _LARGEST] for at in range(0, len(endpoints), _LARGEST)]
    for number, pack in enumerate(packs):
        before = slices[number] if number < len(slices) else None
        if before is not None and before["endpoints"] == pack:
            continue
        name = name_of(before) if before else f"ces-{world.names.suffix(9)}-{world.names.suffix()}"
        item: Json = {
            "apiVersion": CILIUM_ENDPOINT_SLICES.api_version,
            "kind": CILIUM_ENDPOINT_SLICES.kind,
            "metadata": {"name": name},
            "namespace": namespace,
            "endpoints": pack,
        }
        world.put(CILIUM_ENDPOINT_SLICES, item, operator.WRITER)
    for extra in slices[len(packs) :]:
        world.remove(CILIUM_ENDPOINT_SLICES, "", name_of(extra))


def _packed(item: Json) -> Json:
    status = item["status"]
    packed: Json = {
        "encryption": status["encryption"],
        "id": status["identity"]["id"],
        "name": name_of(item),
        "networking": status["networking"],
        "service-account": status["service-account"],
    }
    if "named-ports" in status:
        packed["named-ports"] = status["named-ports"]
    return packed
