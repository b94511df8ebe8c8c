"""What the operator and the agents do when policies change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice import operator
from playbooks.practice.catalog import CILIUM_CIDR_GROUPS, Kind
from playbooks.practice.objects import Json, stamp, uid_of
from playbooks.practice.policies.validating import complaint

if TYPE_CHECKING:
    from playbooks.practice.world import World

_SUCCEEDED = "Policy validation succeeded"


def reconcile(world: World) -> None:
    """Have policies judged, and let agents take in what changed."""
    if operator.has_registered(world):
        for kind, item in tuple(world.policies.shelf.objects()):
            if kind.is_custom:
                _judge(world, kind, item)
    groups = world.store.kind(*CILIUM_CIDR_GROUPS.key)
    items = [item for _, item in world.policies.shelf.objects()]
    items += world.store.all(groups) if groups else []
    world.policies.shelf.notice({uid_of(item): item["metadata"].get("generation", 1) for item in items})


def _judge(world: World, kind: Kind, item: Json) -> None:
    message = complaint(item, has_proxy=world.profile.config.get("enable-l7-proxy") != "false")
    status = "False" if message else "True"
    before = {
        one["type"]: one for one in (item.get("status") or {}).get("conditions") or () if "type" in one
    }.get("Valid")
    if before is not None and before["status"] == status and before["message"] == (message or _SUCCEEDED):
        return
    is_same = before is not None and before["status"] == status
    condition = {
        "lastTransitionTime": before["lastTransitionTime"] if before and is_same else stamp(world.now),
        "message": message or _SUCCEEDED,
        "status": status,
        "type": "Valid",
    }
    world.put_status(kind, item, {"conditions": [condition]}, operator.WRITER.manager)
