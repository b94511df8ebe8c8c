"""How long something has lasted, as evidence tells it."""

from __future__ import annotations

from datetime import datetime, timedelta

SETTLING = timedelta(minutes=2)
"""What an agent, its taint and a node's conditions need to settle after a start."""
STARTING = timedelta(minutes=3)
"""What an agent needs to become ready."""


def lasts(since: datetime | None, now: datetime, at_least: timedelta) -> bool:
    """Whether something has certainly lasted so long; unknown beginnings have not."""
    return since is not None and now - since >= at_least


def is_recent(moment: datetime | None, now: datetime, within: timedelta) -> bool:
    """Whether a moment is known and not longer ago than this."""
    return moment is not None and now - moment <= within


def ago(moment: datetime, now: datetime) -> str:
    """How long ago, in words as short as kubectl's."""
    seconds = max(0, int((now - moment).total_seconds()))
    for size, unit in ((86400, "d"), (3600, "h"), (60, "m")):
        if seconds >= size:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"
