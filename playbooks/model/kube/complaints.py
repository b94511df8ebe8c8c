"""What a pod's status says keeps it from being ready."""

from __future__ import annotations

from datetime import datetime

from playbooks.model.kube.pods import Pod

_STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
_LOOPING = "CrashLoopBackOff"


def unready_since(pod: Pod) -> datetime | None:
    """Since when a pod is not ready; nothing when it is, or when that is not told."""
    for condition in pod.status.conditions or ():
        if condition.type == "Ready" and condition.status != "True":
            return condition.last_transition_time
    return None


def complaint_of(pod: Pod) -> str:
    """Why containers do not run, in the words of the status; empty where they run or only start."""
    every = (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
    for status in every:
        waiting = status.state.waiting
        end = status.last_end
        if waiting and waiting.reason == _LOOPING and end:
            return f"{waiting.reason}: {end.reason} {end.message}".strip()
        if waiting and waiting.reason not in _STARTING:
            return f"{waiting.reason}: {waiting.message}"
    return ""


def standing_of(pod: Pod) -> str:
    """A pod's containers as one line of evidence."""
    words = [f"{pod.ref} phase {pod.status.phase or 'unknown'}"]
    for status in pod.status.container_statuses or ():
        waiting = f" {status.waiting_reason}" if status.waiting_reason else ""
        words.append(
            f"{status.name} ready={str(status.ready).lower()}{waiting} restarts={status.restart_count}"
        )
    return ", ".join(words)
