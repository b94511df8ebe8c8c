"""Why a pod is not ready, in the words of its status or of the events about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from playbooks.model.finding import Evidence
from playbooks.model.kube.events import Warnings
from playbooks.model.kube.pods import Pod, Pods


@dataclass(frozen=True, slots=True)
class Unready:
    """Why a pod is not ready."""

    pod: Pod
    """The pod."""
    why: str
    """In a few words, after `is not ready: `."""
    proof: Evidence
    """Where that is told."""


def unready_since(pod: Pod) -> datetime | None:
    """Since when a pod has not been ready; nothing while it is, or where nothing tells."""
    return None if pod.is_ready else pod.unready_since or pod.metadata.creation_timestamp


def why_unready(pod: Pod, pods: Pods, warnings: Warnings | None) -> Unready:
    """Why a pod is not ready, by what tells most."""
    for status in (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ())):
        waiting = status.state.waiting
        if waiting and waiting.reason not in ("", "ContainerCreating", "PodInitializing"):
            said = f"{status.name} waits: {waiting.reason} {waiting.message[:200]}".strip()
            return Unready(pod, f"{status.name} waits, {waiting.reason}", pods.evidence(f"{pod.ref}: {said}"))
    scheduled = pod.condition_of("PodScheduled")
    if scheduled and scheduled.status == "False":
        said = f"{pod.ref} PodScheduled False {scheduled.reason}: {scheduled.message[:200]}"
        return Unready(pod, f"not scheduled, {scheduled.reason}", pods.evidence(said))
    told = [*warnings.about(pod, "Unhealthy", "FailedCreatePodSandBox")] if warnings else []
    if warnings and told:
        last = max(told, key=lambda event: ("eadiness" in event.text, str(event.last)))
        probe = next((word for word in ("readiness", "startup", "liveness") if word in last.text.lower()), "")
        why = f"its {probe} probe fails" if probe else f"{last.reason}"
        return Unready(pod, why, warnings.evidence(f"{pod.ref}: {last.excerpt[:300]}"))
    ready = pod.condition_of("Ready")
    reason = ready.reason if ready else pod.status.phase
    message = f" {ready.message[:200]}" if ready and ready.message else ""
    return Unready(
        pod, reason or "for no reason told", pods.evidence(f"{pod.ref} Ready False {reason}{message}")
    )
