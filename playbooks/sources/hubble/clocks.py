"""Whose clock is off: how far the newest events of each node are from the time at which they arrive."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from playbooks.sources.hubble.events import Skew
from playbooks.sources.hubble.wish import SECOND

WINDOW = 10 * SECOND
"""How long nodes are listened to before they are judged."""
ENOUGH = 5
"""Events of a node without which nothing is said of it."""
AHEAD = 2 * SECOND
"""From when on a clock is ahead: no event can arrive before it happened."""
BEHIND = 5 * SECOND
"""From when on a clock is behind: Relay holds events back for about a second, a slow node for more."""


@dataclass(slots=True)
class _Lead:
    """One node."""

    most: int
    """The most that an event's time was ahead of its arrival; mostly negative by the delay."""
    count: int = 1
    """Events."""


class Clocks:
    """Compares; a node whose clock is off is told once, and again when that changes by as much."""

    def __init__(self) -> None:
        """Nothing was heard yet."""
        self._leads: dict[str, _Lead] = {}
        self._told: dict[str, int] = {}
        self._since = 0

    def note(self, name: str, at: int, arrived: int) -> list[Skew]:
        """An event of a node; the nodes to be told of, at the end of a window."""
        lead = self._leads.get(name)
        if lead is None:
            self._leads[name] = _Lead(at - arrived)
        else:
            lead.count += 1
            lead.most = max(lead.most, at - arrived)
        if not self._since:
            self._since = arrived
        if arrived - self._since < WINDOW:
            return []
        self._since = arrived
        leads, self._leads = self._leads, {}
        return self._judged({name: lead.most for name, lead in leads.items() if lead.count >= ENOUGH})

    def _judged(self, leads: dict[str, int]) -> list[Skew]:
        # Where most nodes agree and we do not, it is our clock that is off.
        usual = round(statistics.median(leads.values())) if len(leads) > 2 else 0
        found = []
        for name, lead in leads.items():
            off = lead - usual
            is_off = off > AHEAD or off < -BEHIND
            if is_off and abs(off - self._told.get(name, 0)) > AHEAD:
                found.append(Skew(name, off / SECOND))
            if is_off or name in self._told:
                self._told[name] = off
        return found
