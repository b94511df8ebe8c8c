"""Edits of recorded pods and nodes: containers that crash, wait or were killed; events; conditions."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.agent.judged import Json
from tests.edited import Edit, added, each

TAKEN = datetime(2026, 11, 23, 1, 40, 42, tzinfo=UTC)
"""When the healthy recording was taken."""
NODE = "lab-node-1"
AGENT = "cilium-zhqmw"
OPERATOR = "cilium-operator-5f5f45d967-z4l7c"
FATAL = 'level=fatal msg="unable to run agent: failed to start: {}" subsys=daemon'


def stamp(**before: float) -> str:
    """A moment before the recording was taken."""
    return (TAKEN - timedelta(**before)).isoformat().replace("+00:00", "Z")


def pod(start: str, change: Callable[[Json], object]) -> Edit:
    """Change the pods of kube-system whose names begin so."""

    def edit(item: Json) -> Json:
        meta = item["metadata"]
        if meta.get("namespace") == "kube-system" and meta["name"].startswith(start):
            change(item)
        return item

    return each("pods", edit)


def terminated(exit_code: int = 1, reason: str = "Error", message: str = "", **before: float) -> Json:
    """How a container ended, a minute ago unless told otherwise."""
    return {
        "exitCode": exit_code,
        "reason": reason,
        "message": message,
        "startedAt": stamp(minutes=8),
        "finishedAt": stamp(**(before or {"seconds": 30})),
    }


def container(
    *,
    state: Json | None = None,
    last: Json | None = None,
    restarts: int = 5,
    ready: bool = False,
    name: str = "cilium-agent",
    start: str = "cilium-z",
    since: str = "",
) -> Edit:
    """Give a container a state; its pod is as ready as it is."""

    def change(item: Json) -> None:
        status = item["status"]
        for one in (*status.get("initContainerStatuses", ()), *status["containerStatuses"]):
            if one["name"] == name:
                one.update(state=state or waiting(), restartCount=restarts, ready=ready)
                one["lastState"] = {"terminated": last} if last else {}
        for one in status["conditions"]:
            if one["type"] == "Ready":
                one.update(status="True" if ready else "False", lastTransitionTime=since or stamp(minutes=8))

    return pod(start, change)


def waiting(
    reason: str = "CrashLoopBackOff", message: str = "back-off 5m0s restarting failed container"
) -> Json:
    """A container that waits."""
    return {"waiting": {"reason": reason, "message": message}}


def running(**before: float) -> Json:
    """A container that runs since then."""
    return {"running": {"startedAt": stamp(**before)}}


def init_stuck(name: str = "config", state: Json | None = None, last: Json | None = None) -> Edit:
    """An init container that does not end; those after it and the agent wait."""

    def change(item: Json) -> None:
        status, seen = item["status"], False
        for one in (*status["initContainerStatuses"], *status["containerStatuses"]):
            if one["name"] == name:
                seen = True
                one.update(state=state or waiting(), restartCount=4, ready=False)
                one["lastState"] = {"terminated": last} if last else {}
            elif seen:
                one.update(state=waiting("PodInitializing", ""), restartCount=0, ready=False, lastState={})
        for condition in status["conditions"]:
            if condition["type"] == "Ready":
                condition["status"] = "False"

    return pod("cilium-z", change)


def event(reason: str, message: str, about: str = AGENT, namespace: str = "kube-system", **more: Any) -> Edit:
    """A warning of seconds ago about a pod."""
    involved = {"kind": "Pod", "namespace": namespace, "name": about, **more.pop("involved", {})}
    times = {"firstTimestamp": stamp(minutes=8), "lastTimestamp": stamp(seconds=20), "count": 12}
    return added(
        "events",
        {
            "metadata": {"name": f"{about}.1", "namespace": namespace},
            "involvedObject": involved,
            "type": "Warning",
            "reason": reason,
            "message": message,
            **times,
            **more,
        },
    )


def condition(kind: str, status: str, message: str = "", reason: str = "", minutes: float = 10) -> Edit:
    """A condition of every node, which has lasted that long."""

    def change(item: Json) -> Json:
        rest = [one for one in item["status"]["conditions"] if one["type"] != kind]
        made = {"type": kind, "status": status, "message": message, "reason": reason}
        item["status"]["conditions"] = [*rest, {**made, "lastTransitionTime": stamp(minutes=minutes)}]
        return item

    return each("nodes", change)


def taint(key: str, effect: str = "NoSchedule", value: str = "") -> Edit:
    """A taint on every node."""

    def change(item: Json) -> Json:
        item["spec"].setdefault("taints", []).append({"key": key, "effect": effect, "value": value})
        return item

    return each("nodes", change)


def without(plural: str, start: str) -> Edit:
    """Take objects out whose names begin so."""
    return each(plural, lambda item: None if item["metadata"]["name"].startswith(start) else item)


def daemon_set(change: Callable[[Json], object]) -> Edit:
    """Change the agents' DaemonSet."""

    def edit(item: Json) -> Json:
        if item["metadata"]["name"] == "cilium":
            change(item)
        return item

    return each("daemonsets", edit)
