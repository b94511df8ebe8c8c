"""The text formats: how the parts of an event stand on lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from playbooks.model.hubble.printers.columns import Columns
from playbooks.model.hubble.printers.marking import Marking
from playbooks.model.hubble.printers.telling import Told

SEPARATOR = "------------"
_KEY_WIDTH = 11
_ARROWS = {None: "<>", False: "->", True: "<-"}


@dataclass(frozen=True, slots=True)
class Sheet:
    """An event that is no flow, as each format has it."""

    time: str
    """When."""
    node: str
    """The node's name."""
    line: str
    """What follows the time on a line of its own."""
    block: tuple[tuple[str, str], ...]
    """Keys and values, one below the other."""
    cells: tuple[tuple[str, str], ...]
    """Heads of columns and what stands below them."""
    is_apart: bool = True
    """Whether the line between blocks ends; the hubble command forgets that for agent and debug events."""


class Form(Protocol):
    """A text format."""

    def flow(self, told: Told) -> str:
        """What is printed for a flow."""

    def sheet(self, sheet: Sheet) -> str:
        """What is printed for another event."""

    def close(self) -> str:
        """What is printed at the end."""


class Compact:
    """A line for each event."""

    def __init__(self, marking: Marking, *, has_node: bool) -> None:
        self._escaped, self._part, self._has_node = marking.line, marking.part, has_node

    def flow(self, told: Told) -> str:
        """The originator stands left, whoever sent the packet."""
        time, node, source, source_id, destination, destination_id, is_reply, kind, verdict, summary = told
        if self._has_node:
            time = f"{time} [{node}]"
        if is_reply:
            source, source_id, destination, destination_id = destination, destination_id, source, source_id
        return self._escaped(
            f"{time}: {source} {source_id} {_ARROWS[is_reply]} {destination} {destination_id}"
            f" {kind} {verdict} ({summary})\n"
        )

    def sheet(self, sheet: Sheet) -> str:
        """Time and line."""
        return self._escaped(f"{sheet.time}{self._part(sheet.line)}\n")

    def close(self) -> str:
        """Nothing."""
        return ""


class Blocks:
    """Keys and values below each other, a line between two events."""

    def __init__(self, marking: Marking, *, has_node: bool) -> None:
        self._escaped, self._part, self._has_node = marking.line, marking.part, has_node
        self.is_first = True
        """Whether nothing was printed yet, also by the states of nodes."""

    def flow(self, told: Told) -> str:
        """All but the identities."""
        time, node, source, _, destination, _, _, kind, verdict, summary = told
        node = f"       NODE: {node}\n" if self._has_node else ""
        return self._escaped(
            f"{self.separator()}  TIMESTAMP: {time}\n{node}     SOURCE: {source}\n"
            f"DESTINATION: {destination}\n       TYPE: {kind}\n    VERDICT: {verdict}\n"
            f"    SUMMARY: {summary}\n"
        )

    def sheet(self, sheet: Sheet) -> str:
        """A line for each key."""
        node = (("NODE", sheet.node),) if self._has_node else ()
        rows = (("TIMESTAMP", sheet.time), *node, *sheet.block)
        text = "".join(f"{key:>{_KEY_WIDTH}}: {self._part(value)}\n" for key, value in rows)
        return self._escaped(self.separator(is_apart=sheet.is_apart) + text)

    def separator(self, *, is_apart: bool = True) -> str:
        """What stands before an event: a line, but nothing before the first."""
        is_first, self.is_first = self.is_first, False
        return "" if is_first else SEPARATOR + ("\n" if is_apart else "")

    def close(self) -> str:
        """Nothing."""
        return ""


class Table:
    """Columns, aligned at the end."""

    def __init__(self, marking: Marking, *, has_node: bool) -> None:
        self._escaped, self._part, self._has_node = marking.line, marking.part, has_node
        self._columns = Columns()
        self._is_first = True

    def flow(self, told: Told) -> str:
        """Source and destination stay where they are, also for replies."""
        head = self._head(("SOURCE", "DESTINATION", "TYPE", "VERDICT", "SUMMARY"))
        time, node, source, _, destination, _, _, kind, verdict, summary = told
        node = f"{node}\t" if self._has_node else ""
        row = f"{head}{time}\t{node}{source}\t{destination}\t{kind}\t{verdict}\t{summary}\n"
        return self._columns.add(self._escaped(row))

    def sheet(self, sheet: Sheet) -> str:
        """A row."""
        head = self._head(tuple(name for name, _ in sheet.cells))
        node = (sheet.node,) if self._has_node else ()
        row = "\t".join(map(self._part, (sheet.time, *node, *(cell for _, cell in sheet.cells))))
        return self._columns.add(self._escaped(f"{head}{row}\n"))

    def _head(self, names: tuple[str, ...]) -> str:
        if not self._is_first:
            return ""
        self._is_first = False
        return "\t".join(("TIMESTAMP", *(("NODE",) if self._has_node else ()), *names)) + "\n"

    def close(self) -> str:
        """All rows."""
        return self._columns.flush()
