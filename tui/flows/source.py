"""Where the console's flows come from."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from playbooks.model.hubble.filters.asked import Observe
    from playbooks.sources.hubble.events import FlowStream


class Flows(Protocol):
    """A cluster's flows, live or recorded."""

    @property
    def is_live(self) -> bool:
        """Whether more will come."""

    @property
    def now(self) -> datetime:
        """The time there, by which `--since 5m` is meant."""

    def open(self, asked: Observe, nodes: Sequence[str]) -> FlowStream:
        """A stream that is not started; may take a while, and raise what a person should read.

        `nodes` are to be asked first where not all can be.
        """

    def keep(self, raws: Sequence[bytes]) -> str:
        """Keep messages for later, never waiting; why that does not work, empty when it does."""
