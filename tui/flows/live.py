"""Flows of a running cluster, for the console."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from playbooks.sources.hubble.ladder import BUDGET, ladder
from playbooks.sources.hubble.places import Choice
from playbooks.sources.hubble.settings import Settings, settings_from
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.hubble.wish import Wish

if TYPE_CHECKING:
    from playbooks.model.hubble.filters.asked import Observe
    from playbooks.sources.access import Access
    from playbooks.sources.hubble.events import FlowStream


def _nowhere(raws: Sequence[bytes]) -> str:
    del raws
    return ""


@dataclass(frozen=True, slots=True)
class LiveFlows:
    """Whoever in the cluster can tell, the best first."""

    access: Access | None
    """The way into the cluster."""
    choice: Choice
    """Where the person said that things are."""
    uses_environment: bool = True
    """Whether a server that the hubble command is told to use is ours too; never for practice."""
    kept: Callable[[Sequence[bytes]], str] = _nowhere
    """Keeps messages."""

    @property
    def is_live(self) -> bool:
        """More will come."""
        return True

    @property
    def now(self) -> datetime:
        """Our clock."""
        return datetime.now(UTC)

    def open(self, asked: Observe, nodes: Sequence[str]) -> FlowStream:
        """A stream over the ladder. Raises `CannotConnect`."""
        settings = settings_from({}, os.environ) if self.uses_environment else Settings()
        is_full = not (asked.allowlist or asked.denylist)
        wish = Wish(asked.request(), is_full, tuple(nodes))
        return Stream(ladder(settings, self.access, self.choice), wish, budget=BUDGET, is_patient=True)

    def keep(self, raws: Sequence[bytes]) -> str:
        """Put them into the session's recording."""
        return self.kept(raws)
