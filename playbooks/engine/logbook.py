"""Reads many logs at once: which were meant, what they hold, and which could not be read."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.log_folding import Entry, entries_of, merged
from playbooks.model.cilium.log_places import Place, log_at
from playbooks.model.cilium.logs_agent import Log

USUAL_TAIL = 500
"""Lines of each log that facts ask for; recordings hold these."""
SERIOUS = {
    "error": frozenset({"error", "fatal", "panic"}),
    "warn": frozenset({"warning", "error", "fatal", "panic"}),
}
"""Levels of lines that are at least as bad as a word says."""
_CRASHES = ("panic: ", "fatal error: ")


@dataclass(frozen=True, slots=True)
class Reading:
    """What is wanted of each log."""

    tail: int = USUAL_TAIL
    """Lines from the end."""
    since_seconds: int = 0
    """Only lines younger than this; 0 for no limit."""
    is_previous: bool = False
    """The run before instead of this one."""
    level: str = ""
    """`warn` or `error`: only lines at least as bad."""
    grep: str = ""
    """Only lines that hold this, as it is written."""


@dataclass(frozen=True, slots=True)
class Logbook:
    """What was read."""

    entries: tuple[Entry, ...]
    """The lines that were wanted, by time."""
    missing: tuple[tuple[Place, Gap], ...]
    """Logs that could not be read, with why."""
    read: int
    """How many logs were read."""
    cut: tuple[Place, ...] = ()
    """Logs of which older lines were wanted too, and are missing."""
    untimed: tuple[Place, ...] = ()
    """Logs without times, of which no line could be left out for its age."""


async def read_logs(knowing: Knowing, places: Sequence[Place], wanted: Reading) -> Logbook:
    """Read these logs and merge them."""
    told = await asyncio.gather(*(_read(knowing, place, wanted) for place in places))
    pairs = list(zip(places, told, strict=True))
    logs: list[tuple[Entry, ...]] = []
    cut, untimed = [], []
    for place, log in pairs:
        if isinstance(log, Gap):
            continue
        # By when it was read: what was recorded was young then.
        begin = log.taken_at - timedelta(seconds=wanted.since_seconds) if wanted.since_seconds else None
        entries = entries_of(place, log.lines)
        cut += [place] if _is_cut(log, entries, wanted, begin) else []
        untimed += [place] if begin and any(entry.at is None for entry in entries) else []
        logs.append(tuple(entry for entry in entries[-wanted.tail :] if _is_wanted(entry, wanted, begin)))
    missing = tuple((place, gap) for place, gap in pairs if isinstance(gap, Gap))
    return Logbook(merged(logs), missing, len(logs), tuple(cut), tuple(untimed))


async def _read(knowing: Knowing, place: Place, wanted: Reading) -> Log | Gap:
    if not place.has_run:
        return Gap(
            GapKind.NOT_RUNNING,
            f"container {place.container} of {place.pod} has not run yet ({place.waits})",
            node=place.node,
            remedy=f"kubectl -n {place.namespace} describe pod {place.pod} says what it waits for",
        )
    usual = log_at(place, is_previous=wanted.is_previous)
    narrow = log_at(
        place, is_previous=wanted.is_previous, tail=wanted.tail, since_seconds=wanted.since_seconds
    )
    log = await knowing.know(narrow)
    if isinstance(log, Gap) and log.kind is GapKind.NOT_RECORDED and narrow is not usual:
        # A recording holds what facts asked for; it is narrowed down here.
        return await knowing.know(usual)
    return log


def _is_cut(log: Log, entries: Sequence[Entry], wanted: Reading, begin: datetime | None) -> bool:
    """Whether there were older lines that were wanted too."""
    if log.provenance.is_truncated:
        return True
    if begin:
        return len(entries) >= log.tail and all(entry.at is None or entry.at > begin for entry in entries[:1])
    return log.tail < wanted.tail and len(entries) >= log.tail


def _is_wanted(entry: Entry, wanted: Reading, begin: datetime | None) -> bool:
    if begin and entry.at and entry.at < begin:
        return False
    if not any(wanted.grep in said for said in (entry.line.raw, entry.line.text)):
        return False
    if not wanted.level or entry.line.level in SERIOUS[wanted.level]:
        return True
    # A crashing Go program prints these without a level.
    return entry.line.message.startswith(_CRASHES)
