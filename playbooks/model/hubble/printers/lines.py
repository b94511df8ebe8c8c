"""Events as JSON, a line each."""

from __future__ import annotations

import re
from collections.abc import Callable
from json.encoder import encode_basestring
from typing import cast

from google.protobuf.message import Message

from playbooks.model.hubble.jsonpb import time_text, writer_of
from playbooks.model.hubble.printers.event import ShallowEvent, event_of, kind_of
from playbooks.model.hubble.printers.nodes import NodeStates
from playbooks.model.hubble.printers.sheets import AgentMessage, DebugMessage
from playbooks.model.hubble.proto.flow_pb2 import Flow
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.text import Text

_UNSEEN = re.compile(r"[^ -~\n]")


class JsonPrinter:
    """Prints JSON lines as the hubble command does, apart from blanks and the order of names."""

    def __init__(self, out: Callable[[str], object], nodes: NodeStates, *, is_terminal: bool) -> None:
        self._out, self._nodes, self._is_terminal = out, nodes, is_terminal
        self._writer = writer_of(ExportEvent.DESCRIPTOR)
        self._flow = writer_of(Flow.DESCRIPTOR).text

    def response(self, raw: bytes) -> None:
        """A line for a flow or for what was lost; the states of nodes go to standard error."""
        event = event_of(raw)
        kind = kind_of(event)
        if kind == "flow":
            self._write(self._with_flow(event))
        elif kind == "lost_events":
            self._write(self._writer.of_parsed(cast("Message", event)))
        elif kind == "node_status" and self._nodes.is_told(ExportEvent.FromString(raw)):
            self._nodes.write(seen(self._writer.text(raw)) + "\n")

    def agent_event(self, message: AgentMessage) -> None:
        """A line."""
        self._write(writer_of(message.DESCRIPTOR).text(message.SerializeToString()))

    def debug_event(self, message: DebugMessage) -> None:
        """A line."""
        self._write(writer_of(message.DESCRIPTOR).text(message.SerializeToString()))

    def close(self) -> None:
        """Nothing is left to print."""

    def _with_flow(self, event: ShallowEvent) -> str:
        """What the writer would make; flows are many, and always the same three fields."""
        name, time = event.node_name, event.time
        node = f',"node_name":{encode_basestring(name)}' if name else ""
        at = f',"time":{time_text(time)}' if time or event.HasField("time") else ""
        return f'{{"flow":{self._flow(event.flow)}{node}{at}}}'

    def _write(self, line: str) -> None:
        self._out(f"{seen(line) if self._is_terminal else line}\n")


def seen(line: str) -> str:
    """The same JSON without a character that a terminal could take for a command or not show at all."""
    return line if line.isascii() and line.isprintable() else _UNSEEN.sub(_escaped, line)


def _escaped(match: re.Match[str]) -> str:
    if Text(match[0]).shown == match[0]:
        return match[0]
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
