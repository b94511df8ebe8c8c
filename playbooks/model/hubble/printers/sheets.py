"""Lost events, agent events and debug events, as every format has them."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.printers import details, words
from playbooks.model.hubble.printers.forms import Sheet
from playbooks.model.hubble.printers.layouts import NO_TIME, Clock
from playbooks.model.hubble.proto.flow_pb2 import AgentEvent, DebugEvent, LostEvent
from playbooks.model.hubble.proto.observer_pb2 import (
    ExportEvent,
    GetAgentEventsResponse,
    GetDebugEventsResponse,
)

AgentMessage = GetAgentEventsResponse | ExportEvent
DebugMessage = GetDebugEventsResponse | ExportEvent


def time_of(message: ExportEvent | GetAgentEventsResponse | GetDebugEventsResponse, clock: Clock) -> str:
    """When an event was."""
    return clock.text(message.time) if message.HasField("time") else NO_TIME


def lost(event: ExportEvent, clock: Clock) -> Sheet:
    """Events that were lost."""
    told: LostEvent = event.lost_events
    source, number, cpu = words.LOST_SOURCES.of(told.source), told.num_events_lost, f"CPU({told.cpu.value})"
    span = ""
    if told.HasField("first") or told.HasField("last"):
        first = _moment(told.first, clock, is_there=told.HasField("first"))
        last = _moment(told.last, clock, is_there=told.HasField("last"))
        span = f" (first: {first}, last: {last})"
    summary = f"{cpu} - {number}{span}"
    same = (("TYPE", "EVENTS LOST"), ("VERDICT", "-"), ("SUMMARY", summary))
    return Sheet(
        time_of(event, clock),
        event.node_name,
        f" EVENTS LOST: {source} {cpu} {number}{span}",
        (("SOURCE", source), *same),
        (("SOURCE", source), ("DESTINATION", "-"), *same),
    )


def _moment(stamp: Timestamp, clock: Clock, *, is_there: bool) -> str:
    return clock.text(stamp) if is_there else NO_TIME


def agent_event(message: AgentMessage, clock: Clock, *, has_node: bool) -> Sheet:
    """Something that an agent did."""
    event: AgentEvent = message.agent_event
    kind, told = words.AGENT_EVENTS.of(event.type), details.agent_event(event, clock)
    rows = (("TYPE", kind), ("DETAILS", told))
    line = f"{_node(message.node_name, has_node)}: {kind} ({told})"
    return Sheet(time_of(message, clock), message.node_name, line, rows, rows, is_apart=False)


def debug_event(message: DebugMessage, clock: Clock, *, has_node: bool) -> Sheet:
    """Something that the datapath says for debugging."""
    event: DebugEvent = message.debug_event
    kind, source = words.DEBUG_EVENTS.of(event.type), details.source(event)
    mark, cpu = details.mark(event), details.cpu(event)
    block = (("TYPE", kind), ("FROM", source), ("MARK", mark), ("CPU", cpu), ("MESSAGE", event.message))
    cells = (
        ("FROM", source),
        ("", ""),
        ("TYPE", kind),
        ("CPU/MARK", f"{cpu} {mark}"),
        ("MESSAGE", event.message),
    )
    line = f"{_node(message.node_name, has_node)}: {source} {kind} MARK: {mark} CPU: {cpu} ({event.message})"
    return Sheet(time_of(message, clock), message.node_name, line, block, cells, is_apart=False)


def _node(name: str, has_node: bool) -> str:
    return f" [{name}]" if has_node else ""
