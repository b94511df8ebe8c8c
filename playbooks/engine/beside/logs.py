"""Lines of an agent's log that name a subject."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from playbooks.model.cilium.logs_agent import Log
from playbooks.model.finding import Ref
from playbooks.model.text import Text

MOST_LINES = 200
"""Lines that are shown, the newest."""


@dataclass(frozen=True, slots=True)
class LogLines:
    """What a log says of a subject."""

    key: str
    """Stays the same from look to look."""
    subject: Ref
    """Whom the lines name."""
    node: str
    """The node of the agent that wrote them."""
    command: Text
    """What a person would have typed to see the log."""
    taken_at: datetime
    """When it was read, UTC."""
    lines: tuple[Text, ...]
    """The newest of them, oldest first."""
    total: int
    """How many there are in what was read."""


def lines_naming(subject: Ref, words: Iterable[str], node: str, log: Log) -> LogLines | None:
    """Lines that hold any of these words; none where there is none."""
    wanted = tuple(word for word in words if word)
    found = [line.raw for line in log.lines if any(word in line.raw for word in wanted)]
    if not found:
        return None
    shown = tuple(map(Text, found[-MOST_LINES:]))
    where = log.provenance
    key = f"log {subject} {node}"
    return LogLines(key, subject, node, Text(where.command), where.taken_at, shown, len(found))
