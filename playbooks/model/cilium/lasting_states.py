"""Endpoints that stay in a state which is normal for seconds only."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from playbooks.model.cilium.agent.endpoint import Endpoint
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agent
from playbooks.model.fact import Change
from playbooks.model.kube.pods import Pods
from playbooks.model.moments import STARTING, lasts

WAITS_FOR_IDENTITY = "waiting-for-identity"
_FAILED = re.compile(r"regenerat|compil|load|program|polic|verifier|map", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LastingState:
    """One endpoint in one state in both looks, and long enough."""

    before: Endpoint
    """In the first look."""
    after: Endpoint
    """In the second one."""
    since: datetime
    """Since when, at least."""


def lasting_states(
    endpoints: Change[AgentEndpoints], agent: Agent | None, pods: Pods | None, at_least: timedelta
) -> Iterator[LastingState]:
    """Endpoints whose state and newest line of log did not change, and that have been so for so long.

    Right after an agent's start all endpoints are made anew, one by one: then nothing lasts.
    """
    now = endpoints.after.taken_at
    if agent is None or not lasts(agent.started_at, now, STARTING):
        return
    for after in endpoints.after.items:
        before = endpoints.before.get(after.id)
        if before is None or (before.state, before.addresses) != (after.state, after.addresses):
            continue
        if before.last_entry != after.last_entry and after.state != WAITS_FOR_IDENTITY:
            continue
        since = _since(before, pods)
        if since is not None and lasts(since, now, at_least):
            yield LastingState(before, after, since)


def _since(endpoint: Endpoint, pods: Pods | None) -> datetime | None:
    """When its log was last written to; for one that never had an identity, when its pod began."""
    if endpoint.last_entry and endpoint.last_entry.time:
        return endpoint.last_entry.time
    if endpoint.state != WAITS_FOR_IDENTITY:
        return None
    for pod in pods.items if pods else ():
        if pod.status.pod_ip and pod.status.pod_ip in endpoint.addresses:
            return pod.status.start_time
    return None


def has_failed(endpoint: Endpoint) -> bool:
    """Whether it is not ready and its log ends with a regeneration that failed."""
    last = endpoint.last_entry
    return bool(last and last.is_bad and _FAILED.search(last.message) and not endpoint.is_ready)


def shown(endpoint: Endpoint) -> str:
    """State and newest line of log, as evidence."""
    last = endpoint.last_entry
    said = f"{last.timestamp} {last.code} {last.state} {last.message}" if last else "no log"
    return f"endpoint {endpoint.id} {endpoint.state}: {said}"
