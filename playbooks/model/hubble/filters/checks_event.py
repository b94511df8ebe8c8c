"""Checks of what was seen: the event, its verdict, where it was observed and what it carried below HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from playbooks.model.hubble.filters import patterns
from playbooks.model.hubble.filters.check import Check, any_of
from playbooks.model.hubble.filters.expressions import any_expression
from playbooks.model.hubble.filters.wording import WrongValue, quoted
from playbooks.model.hubble.proto import flow_pb2

_L4 = {
    "icmp": ("ICMPv4", "ICMPv6"),
    "icmpv4": ("ICMPv4",),
    "icmpv6": ("ICMPv6",),
    "tcp": ("TCP",),
    "udp": ("UDP",),
    "sctp": ("SCTP",),
    "vrrp": ("VRRP",),
    "igmp": ("IGMP",),
}
_L7 = frozenset({"dns", "http", "kafka"})
_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")


def identifiers(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The flow's own identifier, and the traces that it belongs to."""
    if wanted.uuid:
        uuids = frozenset(wanted.uuid)
        yield Check(lambda flow: flow.uuid in uuids)
    if wanted.trace_id:
        traces = frozenset(wanted.trace_id)
        yield Check(lambda flow: flow.trace_context.parent.trace_id in traces)
    if wanted.ip_trace_id:
        numbers = frozenset(wanted.ip_trace_id)
        yield Check(lambda flow: flow.HasField("ip_trace_id") and flow.ip_trace_id.trace_id in numbers)


def event_types(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The type of the event, and its sub type where that is asked for."""
    if not wanted.event_type:
        return
    types = {each.type for each in wanted.event_type if not each.match_sub_type}
    pairs = {(each.type, each.sub_type) for each in wanted.event_type if each.match_sub_type}
    is_any = 0 in types
    named = frozenset(types - {0})

    def holds(flow: flow_pb2.Flow) -> bool:
        event = flow.event_type
        kind = event.type
        if kind in named:
            return True
        if not flow.HasField("event_type"):
            return False
        return is_any or (kind, event.sub_type) in pairs or (0, event.sub_type) in pairs

    yield Check(holds)


def verdicts(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The verdict, and the reason of a drop."""
    if wanted.verdict:
        yield Check(_verdict(frozenset(wanted.verdict)), needs_flow=True)
    if wanted.drop_reason_desc:
        reasons = frozenset(wanted.drop_reason_desc)
        yield Check(
            lambda flow: flow.verdict == flow_pb2.Verdict.DROPPED and flow.drop_reason_desc in reasons,
            needs_flow=True,
        )


def _verdict(wanted: frozenset[int]) -> Callable[[flow_pb2.Flow], bool]:
    if len(wanted) == 1:
        (only,) = wanted
        return lambda flow: flow.verdict == only
    return lambda flow: flow.verdict in wanted


def replies(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """Whether the flow is a reply; one that does not say counts as none where it was dropped."""
    if not wanted.reply:
        return
    values = frozenset(wanted.reply)

    def holds(flow: flow_pb2.Flow) -> bool:
        if not flow.HasField("is_reply") and flow.verdict != flow_pb2.Verdict.DROPPED:
            return False
        return flow.is_reply.value in values

    yield Check(holds, needs_flow=True)


def places(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The direction, the device and the node where it was seen."""
    if wanted.traffic_direction:
        directions = frozenset(wanted.traffic_direction)
        yield Check(lambda flow: flow.traffic_direction in directions, needs_flow=True)
    if wanted.interface:
        yield Check(_interface([(each.index, each.name) for each in wanted.interface]))
    if wanted.node_name:
        is_node = patterns.node_names(wanted.node_name)
        yield Check(lambda flow: is_node(flow.node_name))


def _interface(wanted: Iterable[tuple[int, str]]) -> Callable[[flow_pb2.Flow], bool]:
    wanted = tuple(wanted)

    def holds(flow: flow_pb2.Flow) -> bool:
        if not flow.HasField("interface"):
            return False
        interface = flow.interface
        return any(
            (not index or index == interface.index) and (not name or name == interface.name)
            for index, name in wanted
        )

    return holds


def internet(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The version of IP, and whether it was encrypted."""
    if wanted.ip_version:
        versions = frozenset(wanted.ip_version)
        yield Check(lambda flow: flow.IP.ipVersion in versions, needs_flow=True)
    if wanted.encrypted:
        states = frozenset(wanted.encrypted)
        yield Check(lambda flow: flow.IP.encrypted in states)


def protocols(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """The protocol on top of IP, or that of the application."""
    if not wanted.protocol:
        return
    names = {text.lower(): text for text in wanted.protocol}
    for name, text in names.items():
        if name not in _L4 and name not in _L7:
            raise WrongValue(f"invalid protocol filter: unknown protocol: {quoted(text)}")
    transports = frozenset(field for name in names for field in _L4.get(name, ()))
    records = frozenset(name for name in names if name in _L7)
    parts: list[Callable[[flow_pb2.Flow], bool]] = []
    if transports:
        parts.append(lambda flow: flow.l4.WhichOneof("protocol") in transports)
    if records:
        parts.append(lambda flow: flow.l7.WhichOneof("record") in records)
    yield Check(any_of(parts))


def tcp_flags(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """Flags that TCP has to have set; others do not matter."""
    if wanted.tcp_flags:
        yield Check(
            _tcp_flags([tuple(name for name in _FLAGS if getattr(each, name)) for each in wanted.tcp_flags])
        )


def _tcp_flags(wanted: list[tuple[str, ...]]) -> Callable[[flow_pb2.Flow], bool]:
    def holds(flow: flow_pb2.Flow) -> bool:
        tcp = flow.l4.TCP
        if not tcp.HasField("flags"):
            return False
        flags = tcp.flags
        return any(all(getattr(flags, name) for name in names) for names in wanted)

    return holds


def expressions(wanted: flow_pb2.FlowFilter) -> Iterator[Check]:
    """CEL expressions."""
    if wanted.experimental.cel_expression:
        yield Check(any_expression(wanted.experimental.cel_expression))
