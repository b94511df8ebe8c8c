"""Who leads among the operators, by their lease."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum

from playbooks.model.kube.leases import Lease, Leases

LOCK = "cilium-operator-resource-lock"
_SILENCE = timedelta(seconds=60)
"""Silence after which nobody leads: a leader renews every few seconds, and its lease lasts for fifteen."""
_DOUBTED = timedelta(minutes=15)
"""The same where no other lease tells whether the clock of whoever asks is right."""


class Leading(StrEnum):
    """What the lease says."""

    RENEWED = "renewed"
    STALE = "stale"
    RELEASED = "released"
    ABSENT = "absent"


def lease_of(leases: Leases) -> tuple[Leading, Lease | None]:
    """Whether an operator leads, and its lease."""
    lease = leases.get(LOCK) or _renamed(leases)
    if lease is None:
        return Leading.ABSENT, None
    if not lease.spec.holder_identity:
        return Leading.RELEASED, lease
    at_least = _SILENCE if leases.has_witness(lease) else _DOUBTED
    allowed = max(at_least, timedelta(seconds=3 * (lease.spec.lease_duration_seconds or 0)))
    return (Leading.STALE if leases.silence(lease) > allowed else Leading.RENEWED), lease


def _renamed(leases: Leases) -> Lease | None:
    names = (lease for lease in leases.items if "cilium" in lease.metadata.name)
    return next((lease for lease in names if "operator" in lease.metadata.name), None)
