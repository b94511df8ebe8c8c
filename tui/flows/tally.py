"""What was lost on the way, added up: never left unsaid, never counted twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from playbooks.model.text import Text

_CONNECTED, _GONE = 1, 3
"""Numbers of relay.NodeState."""
_NAMES = 2


def _shown(name: str) -> str:
    return Text(name).shown


@dataclass(slots=True)
class Tally:
    """What is missing from a list of flows."""

    lost: dict[str, int] = field(default_factory=dict)
    """Events that Cilium or Hubble lost, by node; raw names."""
    dropped: int = 0
    """Messages that we threw away because they came too fast."""
    let_go: int = 0
    """Older messages that made room for newer ones."""
    holes: list[str] = field(default_factory=list)
    """Times of which nothing is known, one sentence each; raw."""
    absent: dict[str, str] = field(default_factory=dict)
    """Nodes that tell nothing now, with the reason; raw."""
    skewed: dict[str, float] = field(default_factory=dict)
    """Nodes whose clock is off, with the seconds that it is ahead."""
    unread: list[str] = field(default_factory=list)
    """What of a recording cannot be read; raw."""

    def nodes(self, state: int, names: tuple[str, ...], message: str) -> None:
        """Nodes came, went or failed."""
        for name in names:
            if state in (_CONNECTED, _GONE):
                self.absent.pop(name, None)
            else:
                self.absent[name] = message

    @property
    def is_clean(self) -> bool:
        """Whether nothing is known to be missing."""
        return not any(self.words())

    def words(self) -> Iterator[str]:
        """A few words for each kind of loss, the worst first."""
        if self.absent:
            names = [_shown(name) for name in self.absent]
            more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
            yield f"no word from {', '.join(names[:_NAMES])}{more}"
        if self.lost:
            where = (
                f" on {_shown(next(iter(self.lost)))}"
                if len(self.lost) == 1
                else f" on {len(self.lost)} nodes"
            )
            yield f"{sum(self.lost.values()):,} lost by Cilium{where}"
        if self.dropped:
            yield f"{self.dropped:,} too fast for us"
        if self.holes:
            yield f"{len(self.holes)} hole{'' if len(self.holes) == 1 else 's'}"
        if self.unread:
            yield f"{len(self.unread)} unreadable"
        if self.skewed:
            yield f"{len(self.skewed)} clock{'' if len(self.skewed) == 1 else 's'} off"
        if self.let_go:
            yield f"{self.let_go:,} older let go"

    def sentences(self) -> Iterator[str]:
        """All of it, one sentence each; raw."""
        for node, why in self.absent.items():
            yield f"{node} tells nothing: {why or 'no reason given'}"
        for node, count in self.lost.items():
            yield f"{count:,} events were lost on {node} before Hubble could tell them"
        if self.dropped:
            yield f"{self.dropped:,} flows came faster than they could be taken, and are missing: filter more"
        yield from self.holes
        yield from self.unread
        for node, seconds in self.skewed.items():
            yield f"the clock of {node} is {seconds:+.1f} s from ours: its times are its own"
        if self.let_go:
            yield f"{self.let_go:,} older flows made room for newer ones"


def span(since: datetime, until: datetime) -> str:
    """From when to when, by our clock."""
    return f"{since:%H:%M:%S} to {until:%H:%M:%S} UTC"
