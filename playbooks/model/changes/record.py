"""One change: when, what, who."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from playbooks.model.finding import Ref


class ChangeKind(StrEnum):
    """What happened to the thing."""

    CREATED = "created"
    WRITTEN = "written"
    DELETING = "deleting"
    ROLLED_OUT = "rolled out"
    STARTED = "started"
    ENDED = "ended"
    JOINED = "joined"
    NOT_APPLIED = "not applied"


@dataclass(frozen=True, slots=True)
class ChangeRecord:
    """One change."""

    when: datetime | None
    """When; nothing where only is known that it happened."""
    what: Ref
    """What changed."""
    kind: ChangeKind
    """What happened to it."""
    who: str
    """Who did it, as far as it is told: a field manager, a Helm release; empty when it is not."""
    words: str
    """What happened, as a person says it; may hold names from the cluster."""
