"""What a pod's status says keeps it from being ready."""

from __future__ import annotations

from datetime import datetime

from playbooks.model.kube.pods import Pod

_STARTING = frozenset({"", "ContainerCreating", "PodInitializing"})
_LOOPING = "CrashLoopBackOff"
_WORDLESS = frozenset({"", "Completed", "Error"})
"""Reasons of an end that tell no cause."""


def unready_since(pod: Pod) -> datetime | None:
    """Since when a pod is not ready; nothing when it is, or when that is not told."""
    for condition in pod.status.conditions or ():
        if condition.type == "Ready" and condition.status != "True":
            return condition.last_transition_time
    return None


def complaint_of(pod: Pod) -> str:
    """Why containers do not run, in the words of the status; empty where it tells no cause."""
    every = (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
    for status in every:
        waiting, end = status.state.waiting, status.last_end
        if waiting is None or waiting.reason in _STARTING:
            continue
        if waiting.reason != _LOOPING:
            return f"{waiting.reason}: {waiting.message}"
        # A back-off by itself says only that it ended before, not why.
        if end and (end.message.strip() or end.reason not in _WORDLESS):
            return f"{waiting.reason}: {end.reason} {end.message}".strip()
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
