"""A live cluster, put together: transport, then no secrets, then care."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.sources.access import Access
from playbooks.sources.careful import Careful, Limits
from playbooks.sources.live.patience import Patience
from playbooks.sources.live.source import LiveSource
from playbooks.sources.scrubber import Scrubber


@dataclass(frozen=True, slots=True)
class LiveCluster:
    """What there is to ask a live cluster by."""

    source: Careful
    """For every request of the engine."""
    live: LiveSource
    """To connect, and for questions about ourselves: version and permissions."""


def live_cluster(
    access: Access, limits: Limits | None = None, patience: Patience | None = None
) -> LiveCluster:
    """The sources over an access; nothing is opened yet. What is not given comes from its options."""
    live = LiveSource(access, patience)
    kubectl = access.command_prefix
    workers = Limits(workers=access.options.workers)
    source = Careful(Scrubber(live, kubectl), limits or workers, kubectl)
    live.listen(source.press)
    return LiveCluster(source, live)
