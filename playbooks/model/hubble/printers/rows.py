"""Events as CSV, our own format: a head, then a row for each event, quoted as RFC 4180 says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from playbooks.model.hubble.filters.asked import TimeFormat
from playbooks.model.hubble.memory import Memory
from playbooks.model.hubble.printers import details, sheets, words
from playbooks.model.hubble.printers.event import event_of, kind_of
from playbooks.model.hubble.printers.flow import ShallowFlow, flow_of
from playbooks.model.hubble.printers.kinds import Kinds
from playbooks.model.hubble.printers.layouts import Clock
from playbooks.model.hubble.printers.nodes import NodeStates
from playbooks.model.hubble.printers.sheets import AgentMessage, DebugMessage
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.proto.observer_pb2 import ExportEvent
from playbooks.model.text import Text

_END = ("namespace", "pod", "workload", "identity", "identity_name")
COLUMNS = (
    "time",
    "node",
    "type",
    "verdict",
    "drop_reason",
    "direction",
    "reply",
    "protocol",
    *(f"source_{name}" for name in ("ip", "port", *_END, "service", "names")),
    *(f"destination_{name}" for name in ("ip", "port", *_END, "service", "names")),
    "policies",
    "latency_ns",
    "summary",
    "uuid",
)
"""The columns of flows. Lists are separated by blanks; unknown and missing are both empty."""
AGENT_COLUMNS = ("time", "node", "type", "details")
DEBUG_COLUMNS = ("time", "node", "type", "source", "mark", "cpu", "message")
_FORMULA = ("=", "+", "-", "@")
_NO_END = ",,,,"
_REPLY = {True: "yes", False: "no", None: ""}


def cell(text: str) -> str:
    """A text in a cell: what is hidden made visible, and nothing that a spreadsheet takes for a formula."""
    shown = Text(text).shown
    if shown.startswith(_FORMULA):
        shown = f"'{shown}"
    if '"' in shown:
        shown = shown.replace('"', '""')
    return f'"{shown}"' if '"' in shown or "," in shown else shown


class CsvPrinter:
    """Prints rows; what was lost is a row too, since a gap belongs to the data."""

    def __init__(self, out: Callable[[str], object], nodes: NodeStates) -> None:
        self._out, self._nodes = out, nodes
        self._clock = Clock(TimeFormat.RFC3339_NANO)
        self._kinds = Kinds(str)
        self._end, self._service, self._address = Memory(_end), Memory(_service), Memory(_address)
        self._layer, self._cell = Memory(_layer), Memory(cell)
        self._has_head = False

    def response(self, raw: bytes) -> None:
        """A row for a flow or for what was lost; the states of nodes go to standard error."""
        event = event_of(raw)
        kind = kind_of(event)
        if kind == "flow":
            self._row(self._flow(flow_of(event.flow)), COLUMNS)
        elif kind == "lost_events":
            self._row(self._lost(ExportEvent.FromString(raw)), COLUMNS)
        elif kind == "node_status":
            self._nodes.line(raw)

    def agent_event(self, message: AgentMessage) -> None:
        """A row with its own columns."""
        sheet = sheets.agent_event(message, self._clock, has_node=False)
        self._row(self._cells((sheet.time, sheet.node, *(value for _, value in sheet.block))), AGENT_COLUMNS)

    def debug_event(self, message: DebugMessage) -> None:
        """A row with its own columns."""
        event = message.debug_event
        parts = (
            sheets.time_of(message, self._clock),
            message.node_name,
            words.DEBUG_EVENTS.of(event.type),
            details.source(event),
            details.mark(event),
            details.cpu(event),
            event.message,
        )
        self._row(self._cells(parts), DEBUG_COLUMNS)

    def close(self) -> None:
        """Nothing is left to print."""

    def _row(self, row: str, columns: Sequence[str]) -> None:
        if not self._has_head:
            self._has_head = True
            self._out(",".join(columns) + "\n")
        self._out(f"{row}\n")

    @staticmethod
    def _cells(parts: Sequence[str]) -> str:
        return ",".join(map(cell, parts))

    def _flow(self, flow: ShallowFlow) -> str:
        event = self._kinds.events[flow.event_type]
        left, right = self._address[flow.IP]
        protocol, left_port, right_port = self._layer[flow.l4]
        reply, reason, direction = flow.is_reply, flow.drop_reason_desc, flow.traffic_direction
        is_reply = True if reply else False if flow.HasField("is_reply") else None
        return ",".join(
            (
                self._clock.raw(flow.time) if flow.time else "",
                self._cell[flow.node_name],
                self._cell[self._kinds.text(flow, event)],
                words.VERDICTS.of(flow.verdict),
                words.DROP_REASONS.of(reason) if reason else "",
                words.DIRECTIONS.of(direction) if direction else "",
                _REPLY[is_reply],
                protocol,
                left,
                left_port,
                self._end[flow.source] if flow.source else _NO_END,
                self._service[flow.source_service],
                self._cell[" ".join(flow.source_names)],
                right,
                right_port,
                self._end[flow.destination] if flow.destination else _NO_END,
                self._service[flow.destination_service],
                self._cell[" ".join(flow.destination_names)],
                _policies(flow) if event.type == words.POLICY_VERDICT else "",
                _latency(flow.l7) if flow.l7 else "",
                cell(flow.Summary),
                cell(flow.uuid),
            )
        )

    def _lost(self, event: ExportEvent) -> str:
        sheet = sheets.lost(event, self._clock)
        told = f"{event.lost_events.num_events_lost} events lost: {sheet.block[0][1]}, {sheet.block[-1][1]}"
        row = dict.fromkeys(COLUMNS, "") | {
            "time": sheet.time,
            "node": sheet.node,
            "type": "EVENTS LOST",
            "summary": told,
        }
        return self._cells(tuple(row.values()))


def _end(raw: bytes) -> str:
    end = flow_pb2.Endpoint.FromString(raw)
    workload = end.workloads[0] if end.workloads else None
    name = f"{workload.kind}/{workload.name}" if workload else ""
    identity = (str(end.identity), words.identity_name(end.identity))
    return ",".join((cell(end.namespace), cell(end.pod_name), cell(name), *identity))


def _service(raw: bytes) -> str:
    if not raw:
        return ""
    service = flow_pb2.Service.FromString(raw)
    return cell("/".join(part for part in (service.namespace, service.name) if part))


def _address(raw: bytes) -> tuple[str, str]:
    address = flow_pb2.IP.FromString(raw)
    return cell(address.source), cell(address.destination)


def _layer(raw: bytes) -> tuple[str, str, str]:
    layer = flow_pb2.Layer4.FromString(raw)
    protocol = layer.WhichOneof("protocol")
    if protocol not in ("TCP", "UDP", "SCTP"):
        return protocol or "", "", ""
    ports = getattr(layer, protocol)
    return protocol, str(ports.source_port), str(ports.destination_port)


def _policies(flow: ShallowFlow) -> str:
    every = (
        *flow.egress_allowed_by,
        *flow.ingress_allowed_by,
        *flow.egress_denied_by,
        *flow.ingress_denied_by,
    )
    policies = [flow_pb2.Policy.FromString(raw) for raw in every]
    return cell(" ".join("/".join(filter(None, (one.kind, one.namespace, one.name))) for one in policies))


def _latency(raw: bytes) -> str:
    latency = flow_pb2.Layer7.FromString(raw).latency_ns
    return str(latency) if latency else ""
