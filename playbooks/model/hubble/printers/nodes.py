"""What Relay says of its nodes, for standard error."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playbooks.model.hubble.filters.asked import Look
from playbooks.model.hubble.filters.wording import quoted
from playbooks.model.hubble.printers.details import NOT_KNOWN
from playbooks.model.hubble.printers.layouts import Clock
from playbooks.model.hubble.printers.marking import Marking
from playbooks.model.hubble.printers.sheets import time_of
from playbooks.model.hubble.printers.words import Names
from playbooks.model.hubble.proto import relay_pb2
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.hubble.proto.relay_pb2 import NodeStatusEvent

_NAMES_LENGTH = 50
_STATES = Names(relay_pb2.NodeState.DESCRIPTOR)
_TROUBLE = (relay_pb2.NODE_ERROR, relay_pb2.NODE_UNAVAILABLE)


class NodeStates:
    """Tells the states of nodes; those that are no trouble only for debugging."""

    def __init__(self, look: Look, err: Callable[[str], object], *, is_terminal: bool) -> None:
        """`err` takes what is printed, unless errors are to be silent."""
        self._err, self._is_debug = err, look.debug
        self._is_silent = look.silent_errors
        self._clock = Clock(look.time_format)
        self._marking = Marking(is_colored=False, is_terminal=is_terminal)

    def is_told(self, event: ExportEvent) -> bool:
        """Whether anything is said of it."""
        return self._is_debug or event.node_status.state_change in _TROUBLE

    def write(self, text: str) -> None:
        """Write lines that are fit to be written."""
        if not self._is_silent:
            self._err(text)

    def line(self, raw: bytes) -> None:
        """Tell it on one line."""
        event = ExportEvent.FromString(raw)
        if self.is_told(event):
            status = event.node_status
            told = f"{time_of(event, self._clock)} [{event.node_name}]: {_words(status)}"
            self.write(self._marking.line(f"{self._marking.part(told)}\n"))

    def block(self, raw: bytes, separator: Callable[[], str]) -> None:
        """Tell it as keys and values; `separator` is what stands between it and what was told before."""
        event = ExportEvent.FromString(raw)
        if self.is_told(event):
            status = event.node_status
            rows = (
                ("TIMESTAMP", time_of(event, self._clock)),
                ("STATE", _STATES.of(status.state_change)),
                ("NODES", _some(status.node_names)),
                ("MESSAGE", quoted(status.message) if status.message else NOT_KNOWN),
            )
            told = "".join(f"{key:>11}: {self._marking.part(value)}\n" for key, value in rows)
            self.write(self._marking.line(separator() + told))


def _words(status: NodeStatusEvent) -> str:
    names, count = _some(status.node_names), len(status.node_names)
    match status.state_change:
        case relay_pb2.NODE_CONNECTED:
            return f"Receiving flows from {count} nodes: {names}"
        case relay_pb2.NODE_UNAVAILABLE:
            return f"{count} nodes are unavailable: {names}"
        case relay_pb2.NODE_GONE:
            return f"{count} nodes removed from cluster: {names}"
        case relay_pb2.NODE_ERROR:
            return f"Error {quoted(status.message)} on {count} nodes: {names}"
        case _:
            return f"unknown node status event: {' '.join(str(status).split())}"


def _some(names: Sequence[str]) -> str:
    """Names until the line gets long; at least one."""
    every = list(names)
    length, shown = 0, len(every)
    for position, name in enumerate(every):
        length += len(name.encode()) + 2
        if length > _NAMES_LENGTH and position:
            shown = position
            break
    rest = len(every) - shown
    return ", ".join(every[:shown]) + (f" (and {rest} more)" if rest else "")
