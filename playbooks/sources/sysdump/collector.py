"""What the collector said about what it could not collect."""

from __future__ import annotations

import re
from collections.abc import Iterable

from playbooks.model.answer import GapKind
from playbooks.model.request import Resource

_FAILED = "⚠️ "
_TASK = re.compile(r"\[\d+\] [^:]*: ")
_LONGEST = 400
"""Characters of a message that are quoted."""


class Complaints:
    """The lines of the collector's log that tell of a failure."""

    def __init__(self, log: str) -> None:
        """Keep them."""
        lines = (line.removeprefix(_FAILED) for line in log.splitlines() if line.startswith(_FAILED))
        self._lines = tuple(_TASK.sub("", line, count=1) for line in lines)

    def about_list(self, resource: Resource) -> tuple[GapKind, str] | None:
        """Why a kind could not be listed, as the API server told the collector; None when nothing is said."""
        name = f"{resource.plural}.{resource.group}".rstrip(".")
        if found := self._first((f"could not find the requested resource (get {name})",)):
            return GapKind.NOT_FOUND, found
        if found := self._first((f"{name} is forbidden", f'cannot list resource "{resource.plural}"')):
            return GapKind.FORBIDDEN, found
        return None

    def about_agent(self, pod: str) -> str:
        """Why an agent's bugtool output is missing; empty when nothing is said."""
        return self._first((f"cilium-bugtool-{pod}:", f'on pod "{pod}"'))

    def about_log(self, pod: str, container: str) -> str:
        """Why a container's log is missing; empty when nothing is said."""
        return self._first((f"logs-{pod}-{container}:", f"logs-{pod}:"))

    def _first(self, texts: Iterable[str]) -> str:
        found = (line for text in texts for line in self._lines if text in line)
        return next(found, "")[:_LONGEST]
