"""Kubernetes objects as JSON, and the few things every object has."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

# What an API server stores is JSON of any shape; it is typed where it is decoded, beyond the wire.
Json = dict[str, Any]
"""A JSON object."""


def stamp(moment: datetime) -> str:
    """A time as metadata carries it: whole seconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_stamp(moment: datetime) -> str:
    """A time as leases carry it: microseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def milli_stamp(moment: datetime) -> str:
    """A time as the agent's API carries it: milliseconds."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def moment_of(text: str) -> datetime:
    """The time behind any of the stamps."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def name_of(item: Json) -> str:
    """The object's name."""
    return str(item["metadata"]["name"])


def namespace_of(item: Json) -> str:
    """The object's namespace; empty for a cluster-wide one."""
    return str(item["metadata"].get("namespace", ""))


def uid_of(item: Json) -> str:
    """The object's uid."""
    return str(item["metadata"]["uid"])


def labels_of(item: Json) -> dict[str, str]:
    """The object's labels."""
    return dict(item["metadata"].get("labels") or {})


def owner_of(item: Json) -> Json | None:
    """The reference to the object's controller, if it has one."""
    for reference in item["metadata"].get("ownerReferences") or ():
        if reference.get("controller"):
            return dict(reference)
    return None


def owner_reference(owner: Json, *, is_controller: bool = True) -> Json:
    """A reference to an owner, as controllers write it."""
    reference: Json = {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": uid_of(owner),
    }
    if is_controller:
        reference |= {"blockOwnerDeletion": True, "controller": True}
    return reference


def with_metadata(item: Json, **fields: Any) -> Json:
    """A copy whose metadata has these fields."""
    return {**item, "metadata": {**item["metadata"], **fields}}


def matches(selector: Json | None, labels: dict[str, str]) -> bool:
    """Whether labels satisfy the `matchLabels` of a selector, or a plain map of labels."""
    wanted = (selector or {}).get("matchLabels", selector) or {}
    return all(labels.get(key) == value for key, value in wanted.items())


def by_name(items: Iterable[Json]) -> list[Json]:
    """Objects in the order a server lists them."""
    return sorted(items, key=lambda item: (namespace_of(item), name_of(item)))
