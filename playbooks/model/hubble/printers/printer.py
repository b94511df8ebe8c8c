"""Prints events in the format that was asked for.

Flows, what was lost and the agents' events go to standard output, what Relay says of nodes to standard error.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from playbooks.model.hubble.filters.asked import Look, Output
from playbooks.model.hubble.printers import sheets
from playbooks.model.hubble.printers.event import event_of, kind_of
from playbooks.model.hubble.printers.forms import Blocks, Compact, Form, Table
from playbooks.model.hubble.printers.layouts import Clock
from playbooks.model.hubble.printers.lines import JsonPrinter
from playbooks.model.hubble.printers.marking import Marking
from playbooks.model.hubble.printers.nodes import NodeStates
from playbooks.model.hubble.printers.rows import CsvPrinter
from playbooks.model.hubble.printers.sheets import AgentMessage, DebugMessage
from playbooks.model.hubble.printers.telling import Teller
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent

Out = Callable[[str], object]
"""Takes what is to be written, line feeds and all."""


@dataclass(frozen=True, slots=True)
class Screen:
    """Where the output goes."""

    is_colored: bool = False
    """Whether there are colours."""
    is_terminal: bool = False
    """Whether standard output is a terminal: then nothing that a cluster said reaches it unseen."""
    is_error_terminal: bool = False
    """Whether standard error is one."""


class Printer(Protocol):
    """Prints one event after the other."""

    def response(self, raw: bytes) -> None:
        """A serialized GetFlowsResponse or ExportEvent. Raises `DecodeError` or `ValueError`."""

    def agent_event(self, message: AgentMessage) -> None:
        """An agent event."""

    def debug_event(self, message: DebugMessage) -> None:
        """A debug event."""

    def close(self) -> None:
        """Print what can be printed only when everything is known."""


def printer(look: Look, out: Out, err: Out, screen: Screen) -> Printer:
    """The printer of a format."""
    nodes = NodeStates(look, err, is_terminal=screen.is_error_terminal)
    if look.output is Output.JSONPB:
        return JsonPrinter(out, nodes, is_terminal=screen.is_terminal)
    if look.output is Output.CSV:
        return CsvPrinter(out, nodes)
    is_colored = screen.is_colored and look.output is not Output.TABLE
    marking = Marking(is_colored=is_colored, is_terminal=screen.is_terminal)
    if look.output is Output.DICT:
        blocks = Blocks(marking, has_node=look.node_name)
        return TextPrinter(look, blocks, marking, out, lambda raw: nodes.block(raw, blocks.separator))
    form = Table if look.output is Output.TABLE else Compact
    return TextPrinter(look, form(marking, has_node=look.node_name), marking, out, nodes.line)


class TextPrinter:
    """Prints one of the formats for people."""

    def __init__(
        self, look: Look, form: Form, marking: Marking, out: Out, node_status: Callable[[bytes], object]
    ) -> None:
        """`node_status` tells a serialized event that is about nodes."""
        self._form, self._out, self._node_status = form, out, node_status
        self._has_node = look.node_name
        self._teller, self._clock = Teller(look, marking), Clock(look.time_format)

    def response(self, raw: bytes) -> None:
        """A flow, lost events, or the state of nodes."""
        event = event_of(raw)
        kind = kind_of(event)
        if kind == "flow":
            self._write(self._form.flow(self._teller.told(event.flow)))
        elif kind == "lost_events":
            self._write(self._form.sheet(sheets.lost(ExportEvent.FromString(raw), self._clock)))
        elif kind == "node_status":
            self._node_status(raw)

    def agent_event(self, message: AgentMessage) -> None:
        """Something that an agent did."""
        self._write(self._form.sheet(sheets.agent_event(message, self._clock, has_node=self._has_node)))

    def debug_event(self, message: DebugMessage) -> None:
        """Something that the datapath says for debugging."""
        self._write(self._form.sheet(sheets.debug_event(message, self._clock, has_node=self._has_node)))

    def close(self) -> None:
        """Print what waits for the end: a table."""
        self._write(self._form.close())

    def _write(self, text: str) -> None:
        if text:
            self._out(text)
