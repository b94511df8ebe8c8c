"""What a stream of flows yields, and how it is read: the one seam between Hubble and whoever uses flows.

```python
with stream:                                  # starts the stream's own thread
    for events in stream.events():            # a command: blocks until there is something
        for event in events:
            match event:
                case Batch(raws): ...         # serialized GetFlowsResponse, still unparsed
                case State() if event.phase is Phase.ENDED: ...
```

A console calls `stream.drain()` from a timer instead, which never blocks.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol, Self

from playbooks.model.answer import Gap


class Rung(StrEnum):
    """From whom flows come, the best first; the value is for the status line."""

    SERVER = "server"
    RELAY = "relay"
    RELAY_EXEC = "hubble in relay"
    AGENTS = "hubble in agents"
    MONITOR = "monitor in agents"
    NONE = "none"


class Phase(StrEnum):
    """What a stream is doing."""

    CONNECTING = "connecting"
    LIVE = "live"
    WAITING = "waiting"
    STOPPED = "stopped"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Left:
    """A rung of the ladder that is not used."""

    rung: Rung
    """Which one."""
    gap: Gap
    """Why not, and what to do about it."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Messages as they came, in the order to show them."""

    raws: tuple[bytes, ...]
    """Serialized GetFlowsResponse, GetAgentEventsResponse or GetDebugEventsResponse; may be empty bytes."""
    late: frozenset[int] = frozenset()
    """Positions in `raws` of those that came after their place in time had been passed."""


@dataclass(frozen=True, slots=True)
class NodeStatus:
    """Nodes that came, went or failed, by Relay's word or ours."""

    raw: bytes
    """The serialized GetFlowsResponse with it."""
    state: int
    """A number of relay.NodeState; a later version may have others."""
    nodes: tuple[str, ...]
    """The nodes that it concerns."""
    message: str
    """The reason, where one was told."""
    reporter: str
    """Who says so: the node that Relay runs on, or us."""


@dataclass(frozen=True, slots=True)
class Lost:
    """Events that Cilium or Hubble lost before they could be sent."""

    raw: bytes
    """The serialized GetFlowsResponse with it."""
    node: str
    """The node that lost them."""
    source: int
    """A number of flow.LostEventSource."""
    count: int
    """How many."""


@dataclass(frozen=True, slots=True)
class Dropped:
    """Messages that we received and threw away, because they came faster than they were used."""

    count: int
    """How many."""
    size: int
    """Their bytes."""
    since: datetime
    """When the first of them arrived, by our clock."""
    until: datetime
    """When the last of them arrived."""


@dataclass(frozen=True, slots=True)
class Hole:
    """A time of which nothing is known."""

    node: str
    """The node; empty when no node is known."""
    since: datetime
    """From when on, by the node's clock."""
    until: datetime | None
    """Until when; nothing while it lasts."""
    reason: str
    """Why, in a few words."""

    def __str__(self) -> str:
        """As a person reads it; the node's name is as the cluster gave it."""
        where = f" on {self.node}" if self.node else ""
        if self.until is None:
            return f"nothing known since {self.since:%H:%M:%S}{where}: {self.reason}"
        return f"nothing known from {self.since:%H:%M:%S} to {self.until:%H:%M:%S}{where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Skew:
    """A node whose clock is not ours."""

    node: str
    """The node."""
    seconds: float
    """How far it is ahead of us at least; negative when it is behind the other nodes."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """How much comes over the wire; told about once a second while something does."""

    bytes_per_second: float
    """Of messages, since the last time."""
    messages_per_second: float
    """Since the last time."""
    total: int
    """Bytes so far."""
    budget: int
    """Bytes after which the stream stops; 0 for no limit."""


@dataclass(frozen=True, slots=True)
class State:
    """What the stream is doing; told at every change."""

    phase: Phase
    """What it does."""
    rung: Rung
    """From whom, or from whom next."""
    detail: str = ""
    """Why, in one sentence, where there is a reason."""
    gap: Gap | None = None
    """What went wrong last, when something did."""
    left: tuple[Left, ...] = ()
    """The better rungs, and why each is not used."""
    pause: float = 0.0
    """Seconds until the next try, while waiting."""


Event = Batch | NodeStatus | Lost | Dropped | Hole | Skew | Traffic | State
"""Everything that a stream yields."""


class FlowStream(Protocol):
    """A running stream. It has a thread of its own; these may be called from any one other thread.

    No event loop is needed, and none is touched. What is not fetched waits in a bounded buffer. When that is
    full, a stream that only tells what has happened waits; one that is followed drops messages and says so as
    `Dropped`, while `NodeStatus`, `Lost`, `Hole` and `State` are never dropped.
    """

    def __enter__(self) -> Self:
        """Start."""

    def __exit__(self, *_: object) -> None:
        """Close."""

    def events(self) -> Iterator[Sequence[Event]]:
        """All that has come, again and again; blocks for it; ends after the `State` *ended* or *stopped*."""

    def drain(self) -> Sequence[Event]:
        """All that has come since the last time, at once; nothing when nothing has."""

    @property
    def state(self) -> State:
        """The last state, for the status line."""

    @property
    def is_over(self) -> bool:
        """Whether nothing will come any more, once drained."""

    def close(self) -> None:
        """Stop and let go of everything; blocks for no longer than a moment."""
