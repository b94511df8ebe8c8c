"""Hubble in one practice world: what troubles it, as data, and what all its observers share."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playbooks.practice.hubble.encoding import Encoder
    from playbooks.practice.hubble.past import Past
    from playbooks.practice.world import World


@dataclass(frozen=True, slots=True)
class Loss:
    """Events that an agent lost before anybody could see them."""

    at: int
    """When: nanoseconds after the beginning of the world's traffic."""
    node: str
    """The node."""
    source: str
    """Where they were lost, as `flow.LostEventSource` names it."""
    count: int
    """How many."""
    cpu: int | None = None
    """The processor, where a buffer of one overflowed."""


@dataclass(slots=True)
class Hubble:
    """Slow nodes, and events that were lost."""

    slow: dict[str, float] = field(default_factory=dict)
    """Seconds that a node's answers take to reach Relay, by node."""
    losses: list[Loss] = field(default_factory=list)
    """What was lost, oldest first."""
    pictured: tuple[object, Past] | None = None
    """The last picture of the world, and what it was made of."""
    _encoder: Encoder | None = None

    def encoder(self, world: World) -> Encoder:
        """What makes messages of this world's flows."""
        # Not before it is needed: most worlds are never asked for flows.
        from playbooks.practice.hubble.encoding import Encoder

        if self._encoder is None:
            self._encoder = Encoder(world)
        return self._encoder
