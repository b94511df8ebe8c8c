"""A flow in words: the parts that every text format is made of, remembered by the bytes that they came as."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from playbooks.model.hubble.filters.asked import Look
from playbooks.model.hubble.memory import Memory
from playbooks.model.hubble.printers import words
from playbooks.model.hubble.printers.flow import ShallowFlow, flow_of
from playbooks.model.hubble.printers.kinds import Event, Kinds
from playbooks.model.hubble.printers.layouts import NO_TIME, Clock
from playbooks.model.hubble.printers.marking import Marking
from playbooks.model.hubble.proto import flow_pb2

_ALLOWED = (flow_pb2.FORWARDED, flow_pb2.REDIRECTED)
_DENIED = (flow_pb2.DROPPED, flow_pb2.ERROR)


Told = tuple[str, str, str, str, str, str, bool | None, str, str, str]
"""What is told of a flow: time, node, source and its identity, destination and its identity, whether it is a
reply, kind, verdict, summary. All of it is coloured where there are colours.

A plain tuple, since making one with names would be a tenth of the work for a flow.
"""


class _End(NamedTuple):
    namespace: str
    pod: str
    name: str
    identity: str


_NOWHERE = ("", "")


class Teller:
    """Tells flows in words, as the hubble command has them."""

    def __init__(self, look: Look, marking: Marking) -> None:
        self._is_translated, self._has_policies = look.ip_translation, look.policy_names
        self._is_colored, self._is_terminal = marking.is_colored, marking.is_terminal
        self._marking = marking
        self._part = marking.part
        self._clock = Clock(look.time_format)
        self._end, self._service = Memory(self._make_end), Memory(self._make_service)
        self._address, self._ports = Memory(self._make_address), Memory(_ports)
        self._kinds = Kinds(marking.part)
        self._verdicts = Memory(self._make_verdict)
        self._has_node = look.node_name

    def told(self, raw: bytes) -> Told:
        """The parts of a serialized flow. Raises `DecodeError`."""
        flow = flow_of(raw)
        source, destination = self._end[flow.source], self._end[flow.destination]
        left, right = self._hosts(flow, source, destination)
        reply = flow.is_reply
        event = self._kinds.events[flow.event_type]
        time = flow.time
        return (
            self._clock.raw(time) if time or flow.HasField("time") else NO_TIME,
            self._part(flow.node_name) if self._has_node else "",
            left,
            source.identity,
            right,
            destination.identity,
            True if reply else False if flow.HasField("is_reply") else None,
            self._kinds.text(flow, event),
            self._verdict(flow, event),
            self._summary(flow),
        )

    def _hosts(self, flow: ShallowFlow, source: _End, destination: _End) -> tuple[str, str]:
        address = flow.IP
        if not address and not flow.HasField("IP"):
            if not flow.HasField("ethernet"):
                return _NOWHERE
            left, right = self._address[flow.ethernet]
            return self._marking.host(left), self._marking.host(right)
        left_port, right_port = self._ports[flow.l4]
        left = right = ""
        if self._is_translated:
            left = self._name(source, flow.source_service) or self._joined(flow.source_names)
            right = self._name(destination, flow.destination_service) or self._joined(flow.destination_names)
        # Only now: addresses are many, and most of them nobody wants to see.
        left = left or self._address[address][0]
        right = right or self._address[address][1]
        return self._with_port(left, left_port), self._with_port(right, right_port)

    def _name(self, end: _End, service: bytes) -> str:
        if not service:
            return end.name
        # The namespace of the service counts for the pod too: so it is with the hubble command.
        namespace, name = self._service[service]
        shown = end.pod or name
        return joined_path(namespace, shown) if shown else ""

    def _joined(self, names: Sequence[str]) -> str:
        return self._part(",".join(names)) if names else ""

    def _with_port(self, host: str, port: str) -> str:
        if port:
            if ":" in host or "%" in host:
                host = f"[{host}]"
            host = f"{host}:{self._marking.port(port) if self._is_colored else port}"
        return self._marking.host(host) if self._is_colored else host

    def _verdict(self, flow: ShallowFlow, event: Event) -> str:
        number, is_policy = flow.verdict, event.type == words.POLICY_VERDICT
        if not (self._has_policies and is_policy):
            return self._verdicts[number, is_policy]
        return self._make_verdict((number, is_policy), self._by(flow, number))

    def _make_verdict(self, verdict: tuple[int, bool], by: str = "") -> str:
        number, is_policy = verdict
        name = words.VERDICTS.of(number)
        text = words.POLICY_VERDICTS.get(name, name) if is_policy else name
        return self._marking.verdict(text + by, name)

    def _by(self, flow: ShallowFlow, verdict: int) -> str:
        """The policies that a verdict names, those of its direction."""
        if verdict in _ALLOWED:
            egress, ingress = flow.egress_allowed_by, flow.ingress_allowed_by
        elif verdict in _DENIED:
            egress, ingress = flow.egress_denied_by, flow.ingress_denied_by
        else:
            return ""
        direction = flow.traffic_direction
        raws = egress if direction == flow_pb2.EGRESS else ingress if direction == flow_pb2.INGRESS else ()
        policies = [flow_pb2.Policy.FromString(raw) for raw in raws]
        if not policies:
            return ""
        return " BY " + self._part(", ".join(f"{policy.name} ({policy.kind})" for policy in policies))

    def _summary(self, flow: ShallowFlow) -> str:
        text = flow.Summary
        if self._is_terminal:
            text = self._part(text)
        trace, auth = flow.ip_trace_id, flow.auth_type
        if trace:
            number = flow_pb2.IPTraceID.FromString(trace).trace_id
            text = f"IP Trace ID: {number}; {text}" if number else text
        if auth:
            name = words.AUTH_TYPES.of(auth)
            fails = auth == flow_pb2.TEST_ALWAYS_FAIL
            text = f"{text}; Auth: {self._marking.auth(name, always_fails=fails)}"
        return text

    def _make_end(self, raw: bytes) -> _End:
        end = flow_pb2.Endpoint.FromString(raw)
        namespace, pod = self._part(end.namespace), self._part(end.pod_name)
        identity = self._marking.identity(words.identity(end.identity))
        return _End(namespace, pod, joined_path(namespace, pod) if pod else "", identity)

    def _make_service(self, raw: bytes) -> tuple[str, str]:
        service = flow_pb2.Service.FromString(raw)
        return self._part(service.namespace), self._part(service.name)

    def _make_address(self, raw: bytes) -> tuple[str, str]:
        # Ethernet and IP have source and destination under the same numbers.
        address = flow_pb2.Ethernet.FromString(raw)
        return self._part(address.source), self._part(address.destination)


def joined_path(*parts: str) -> str:
    """Parts joined with slashes, `.` and `..` worked out, as the hubble command joins names."""
    path = "/".join(part for part in parts if part)
    if "//" not in path and "." not in path and not path.endswith("/"):
        return path
    kept: list[str] = []
    for part in path.split("/"):
        if part == ".." and kept and kept[-1] != "..":
            kept.pop()
        elif part and part != "." and not (part == ".." and path.startswith("/")):
            kept.append(part)
    cleaned = ("/" if path.startswith("/") else "") + "/".join(kept)
    return cleaned or ("." if path else "")


def _ports(raw: bytes) -> tuple[str, str]:
    if not raw:
        return _NOWHERE
    layer = flow_pb2.Layer4.FromString(raw)
    tcp = layer.TCP
    source, destination = tcp.source_port, tcp.destination_port
    if not (source or destination):
        # It is none, or one without ports.
        kind = layer.WhichOneof("protocol")
        if kind not in ("UDP", "SCTP"):
            return _NOWHERE
        ports = getattr(layer, kind)
        source, destination = ports.source_port, ports.destination_port
    return str(source or ""), str(destination or "")
