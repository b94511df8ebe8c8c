"""Many logs as one: merged by time over nodes, and repeats folded into one line with a count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from playbooks.model.cilium.log_places import Place
from playbooks.model.cilium.logs import LogLine

_SHAPE_OF = 400
"""Characters of a message that tell one from another."""
_VARYING = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"  # times
    r"|(?:[0-9a-fA-F]{0,4}:){2,7}[0-9a-fA-F]{0,4}"  # IPv6 and hardware addresses
    r"|\b(?=[0-9a-fA-F\-]*\d)[0-9a-fA-F\-]{8,}\b"  # ids and hashes
    r"|(?<=-)(?=[a-z0-9]*\d)[a-z0-9]{5,10}\b"  # what controllers append to names
    r"|(?<![A-Za-z_])\d[\d.,]*(?:ns|µs|us|ms|s|m|h|%|[kKMG]i?B)?"  # numbers and durations
)
_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line, with where it comes from."""

    place: Place
    """The container that wrote it."""
    line: LogLine
    """The line."""
    at: datetime | None
    """When it was written, or the line before it; nothing where its whole log tells no times."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Lines of one component that say the same."""

    newest: Entry
    """The last of them."""
    count: int
    """How many there are."""
    first: datetime | None
    """When the first was written."""
    nodes: tuple[str, ...]
    """On which nodes, by name."""

    @property
    def last(self) -> datetime | None:
        """When the last was written."""
        return self.newest.at


def entries_of(place: Place, lines: Sequence[LogLine]) -> tuple[Entry, ...]:
    """The lines of one log; one without a time has that of the line before it."""
    times = [line.time for line in lines]
    known = next((time for time in times if time), None)
    found = []
    for line, time in zip(lines, times, strict=True):
        known = time or known
        found.append(Entry(place, line, known))
    return tuple(found)


def merged(logs: Iterable[Sequence[Entry]]) -> tuple[Entry, ...]:
    """All lines by time, each log in its own order; logs without times come last."""
    every = [entry for log in logs for entry in log]
    # Sorting is stable: lines of one log with the same time stay as they were.
    return tuple(sorted(every, key=lambda entry: entry.at or _NEVER))


def folded(entries: Iterable[Entry]) -> tuple[Fold, ...]:
    """Equal messages of a component as one, by the time of the last; numbers, ids and times may differ."""
    groups: dict[tuple[str, str, str, str], list[Entry]] = {}
    for entry in entries:
        line = entry.line
        key = (entry.place.component.value, line.level, shape(line.message), shape(line.error))
        groups.setdefault(key, []).append(entry)
    folds = [_fold(group) for group in groups.values()]
    return tuple(sorted(folds, key=lambda fold: fold.last or _NEVER))


def _fold(group: Sequence[Entry]) -> Fold:
    times = [entry.at for entry in group if entry.at]
    nodes = sorted({entry.place.node for entry in group if entry.place.node})
    newest = max(enumerate(group), key=lambda pair: (pair[1].at or _NEVER, pair[0]))[1]
    return Fold(newest, len(group), min(times, default=None), tuple(nodes))


def shape(message: str) -> str:
    """A message without what differs from one time to the next."""
    return _VARYING.sub("#", message[:_SHAPE_OF])
