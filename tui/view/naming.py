"""Names of the cluster that fit what is being typed."""

from __future__ import annotations

from collections.abc import Iterable

from playbooks.engine.targets.parsing import ENTITIES
from playbooks.engine.targets.resolving import Directory, workload_of
from playbooks.model.mistyped import nearest

MOST = 8
"""Names offered at once."""


def names_of(directory: Directory) -> tuple[str, ...]:
    """What can be called in the cluster: workloads and services first, then pods, then Cilium's entities."""
    pods = [one.pod for one in directory.pods.items]
    workloads = sorted({f"{pod.metadata.namespace}/{workload_of(pod)}" for pod in pods})
    services = sorted(f"{one.metadata.namespace}/{one.metadata.name}" for one in directory.services.items)
    single = sorted(f"{pod.metadata.namespace}/{pod.metadata.name}" for pod in pods)
    return tuple(dict.fromkeys((*workloads, *services, *single, *ENTITIES)))


def fitting(typed: str, names: Iterable[str], most: int = MOST) -> tuple[str, ...]:
    """Names that begin with what is typed, that hold it, or that are near it, in this order."""
    names, wanted = tuple(names), typed.strip().lower()
    if not wanted:
        return names[:most]
    begun = [one for one in names if _begins(one.lower(), wanted)]
    holding = [one for one in names if wanted in one.lower()]
    found = tuple(dict.fromkeys((*begun, *holding)))
    return (found or _near(typed.strip(), names))[:most]


def holding(typed: str, names: Iterable[str], most: int = MOST) -> tuple[str, ...]:
    """Names that begin with what is typed, then those that hold it; fast enough for every key."""
    names, wanted = tuple(names), typed.strip().lower()
    begun = [one for one in names if _begins(one.lower(), wanted)]
    if len(begun) < most:
        begun += [one for one in names if wanted in one.lower()]
    return tuple(dict.fromkeys(begun))[:most]


def _begins(name: str, wanted: str) -> bool:
    return name.startswith(wanted) or name.partition("/")[2].startswith(wanted)


def _near(typed: str, names: tuple[str, ...]) -> tuple[str, ...]:
    if "/" in typed:
        return nearest(typed, names)
    bare = {name.rpartition("/")[2]: name for name in reversed(names)}
    return tuple(bare[one] for one in nearest(typed, bare))
