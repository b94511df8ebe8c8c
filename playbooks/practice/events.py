"""Events as components report them: repeated ones are counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from playbooks.practice.catalog import EVENTS
from playbooks.practice.naming import stable
from playbooks.practice.objects import Json, micro_stamp, moment_of, name_of, namespace_of, stamp, uid_of
from playbooks.practice.ownership import Writer

if TYPE_CHECKING:
    from playbooks.practice.world import World

KEPT = timedelta(hours=1)
"""How long a server keeps an event."""


@dataclass(frozen=True, slots=True)
class Reporter:
    """Who reports."""

    component: str
    """The component's name."""
    host: str = ""
    """Its node, for kubelets."""


def emit(
    world: World,
    about: Json,
    reason: str,
    message: str,
    reporter: Reporter,
    *,
    is_warning: bool = False,
    container: str = "",
    count: int = 0,
) -> None:
    """Report something about an object; `count` says how often it was seen by now, else it is once more."""
    section = "initContainers" if _is_init(about, container) else "containers"
    path = f"spec.{section}{{{container}}}" if container else ""
    number = stable(f"{uid_of(about)}{reason}{message}{path}", 1 << 56, (1 << 60) - 1)
    name = f"{name_of(about)}.{number:x}"
    namespace = namespace_of(about) or "default"
    before = world.store.get(EVENTS, namespace, name)
    if before is not None and count and before.get("count", 0) >= count:
        return
    involved = {
        "apiVersion": about["apiVersion"],
        "kind": about["kind"],
        "name": name_of(about),
        "namespace": namespace_of(about),
        "resourceVersion": about["metadata"].get("resourceVersion", ""),
        "uid": uid_of(about),
    }
    involved = {key: value for key, value in involved.items() if value}
    if path:
        involved["fieldPath"] = path
    source = {"component": reporter.component}
    if reporter.host:
        source["host"] = reporter.host
    event: Json = {
        "apiVersion": "v1",
        "count": count or (before or {}).get("count", 0) + 1,
        "eventTime": None,
        "firstTimestamp": before["firstTimestamp"] if before else stamp(world.now),
        "involvedObject": involved,
        "kind": "Event",
        "lastTimestamp": stamp(world.now),
        "message": message,
        "metadata": {"name": name, "namespace": namespace},
        "reason": reason,
        "reportingComponent": reporter.component,
        "reportingInstance": reporter.host,
        "source": source,
        "type": "Warning" if is_warning else "Normal",
    }
    world.put(EVENTS, event, Writer(reporter.component))


def scheduled(world: World, pod: Json, node: str) -> None:
    """Report a binding; the scheduler uses the newer form without counts."""
    name = f"{name_of(pod)}.{stable(uid_of(pod), 1 << 56, (1 << 60) - 1):x}"
    event: Json = {
        "action": "Binding",
        "apiVersion": "v1",
        "eventTime": micro_stamp(world.now),
        "firstTimestamp": None,
        "involvedObject": {
            "apiVersion": "v1",
            "kind": "Pod",
            "name": name_of(pod),
            "namespace": namespace_of(pod),
            "resourceVersion": pod["metadata"]["resourceVersion"],
            "uid": uid_of(pod),
        },
        "kind": "Event",
        "lastTimestamp": None,
        "message": f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {node}",
        "metadata": {"name": name, "namespace": namespace_of(pod)},
        "reason": "Scheduled",
        "reportingComponent": "default-scheduler",
        "reportingInstance": f"default-scheduler-{world.cluster}-control-1",
        "source": {},
        "type": "Normal",
    }
    world.put(EVENTS, event, Writer("kube-scheduler"))


def expire(world: World) -> None:
    """Forget what a server no longer keeps."""
    for event in world.store.all(EVENTS):
        last: str = event.get("lastTimestamp") or event["eventTime"]
        if world.now - moment_of(last) > KEPT:
            world.remove(EVENTS, namespace_of(event), name_of(event))


def _is_init(about: Json, container: str) -> bool:
    return any(entry["name"] == container for entry in about.get("spec", {}).get("initContainers") or ())
