"""What a URL of the Kubernetes API names."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbooks.practice.answering import kind_at
from playbooks.practice.catalog import Kind

if TYPE_CHECKING:
    from playbooks.practice.world import World


@dataclass(frozen=True, slots=True)
class Target:
    """A collection, an object or a subresource."""

    kind: Kind
    """Its kind."""
    version: str
    """The version asked for."""
    namespace: str = ""
    """The namespace; empty for all of them or for a cluster-wide kind."""
    name: str = ""
    """The object; empty for a collection."""
    subresource: str = ""
    """The subresource, if one."""


def target_of(world: World, path: str) -> Target | None:
    """What a path names, or nothing when it names no objects. Raises `Refused` for an unknown kind."""
    parts = [part for part in path.split("/") if part]
    if parts[:2] == ["api", "v1"] and len(parts) > 2:
        group, version, rest = "", "v1", parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and rest[2] not in ("status", "finalize"):
        namespace, rest = rest[1], rest[2:]
    kind = kind_at(world, group, version, rest[0])
    name = rest[1] if len(rest) > 1 else ""
    return Target(kind, version, namespace, name, "/".join(rest[2:]))
