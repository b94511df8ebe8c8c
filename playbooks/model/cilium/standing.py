"""How a pod stands: ready, starting, or kept from it, and by what; one answer for one pod."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from enum import StrEnum

from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.kube.pods import ContainerStatus, Pod
from playbooks.model.moments import SETTLING, STARTING, is_recent, lasts


class Standing(StrEnum):
    """How a pod stands."""

    READY = "ready"
    STARTING = "starting"
    """Not ready, and not for long."""
    GOING = "going"
    """Being deleted."""
    GONE = "gone"
    """Ended for good, such as evicted."""
    UNSCHEDULED = "unscheduled"
    UNPULLED = "image not pulled"
    UNCREATED = "container not created"
    UNSTARTED = "not started"
    """Waits for something before its first container, such as a volume."""
    IN_INIT = "init container stuck"
    OUT_OF_MEMORY = "killed for memory"
    CRASHING = "crashing"
    UNREADY = "not ready"
    """Runs for long and is not ready."""


UNPULLED = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
UNCREATED = frozenset(
    {
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
        "PreCreateHookError",
        "PreStartHookError",
        "PostStartHookError",
        "ContainerCannotRun",
        "StartError",
    }
)
_LOOPING = timedelta(minutes=10)
"""A run that ended so lately, and a container that is not ready: it is still in its loop."""
_GOING = timedelta(minutes=5)


def standing_of(pod: Pod, container: str, now: datetime) -> Standing:
    """How a pod stands, with the container that it is all about."""
    if pod.metadata.deletion_timestamp:
        return Standing.UNREADY if lasts(pod.metadata.deletion_timestamp, now, _GOING) else Standing.GOING
    if pod.status.phase in ("Failed", "Succeeded"):
        return Standing.GONE
    if pod.is_ready:
        return Standing.READY
    if not pod.spec.node_name:
        return Standing.UNSCHEDULED
    if held := held_by(pod):
        return Standing.UNPULLED if held.waiting_reason in UNPULLED else Standing.UNCREATED
    status = pod.container(container)
    if pod.stuck_init:
        return _in_init(pod, pod.stuck_init, now)
    if status is None or status.waiting_reason in ("ContainerCreating", "PodInitializing"):
        return _waiting(pod, now)
    return _of_container(status, now)


def held_by(pod: Pod) -> ContainerStatus | None:
    """The first container whose image cannot be pulled or that cannot be created."""
    every = (*(pod.status.init_container_statuses or ()), *(pod.status.container_statuses or ()))
    return next((status for status in every if status.waiting_reason in UNPULLED | UNCREATED), None)


def _waiting(pod: Pod, now: datetime) -> Standing:
    since = pod.status.start_time or pod.metadata.creation_timestamp
    return Standing.UNSTARTED if lasts(since, now, STARTING) else Standing.STARTING


def _in_init(pod: Pod, stuck: ContainerStatus, now: datetime) -> Standing:
    if stuck.last_end and (stuck.last_end.exit_code or stuck.waiting_reason == "CrashLoopBackOff"):
        return Standing.IN_INIT
    if stuck.state.running:
        is_stuck = lasts(stuck.state.running.started_at, now, SETTLING)
        return Standing.IN_INIT if is_stuck else Standing.STARTING
    return _waiting(pod, now)


def _of_container(status: ContainerStatus, now: datetime) -> Standing:
    end, running = status.last_end, status.state.running
    is_looping = not running or (end is not None and is_recent(end.finished_at, now, _LOOPING))
    if end and end.reason == "OOMKilled" and is_looping:
        return Standing.OUT_OF_MEMORY
    if not running:
        return Standing.CRASHING if end or status.waiting_reason == "CrashLoopBackOff" else Standing.STARTING
    if end and is_looping and (end.exit_code or status.restart_count > 1):
        return Standing.CRASHING
    return Standing.UNREADY if lasts(running.started_at, now, STARTING) else Standing.STARTING


def agents_standing(agents: Agents, *standings: Standing) -> Iterator[Agent]:
    """The agents that stand so."""
    for agent in agents.by_node.values():
        if standing_of(agent.pod, agent.container, agents.taken_at) in standings:
            yield agent
