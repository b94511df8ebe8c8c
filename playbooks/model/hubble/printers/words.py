"""The words that the hubble command has for numbers."""

from __future__ import annotations

from google.protobuf.descriptor import EnumDescriptor

from playbooks.knowledge.drop_reasons import printed_text
from playbooks.knowledge.identities import RESERVED
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.trace_points import TRACE_POINTS

DROP, CAPTURE, TRACE, POLICY_VERDICT, TRACE_SOCK = 1, 3, 4, 5, 7
"""Types of events, as monitor counts them."""

_MATCHES = ("none", "L3-Only", "L3-L4", "L4-Only", "all", "L3-Proto", "Proto-Only")
POLICY_VERDICTS = {
    "FORWARDED": "ALLOWED",
    "REDIRECTED": "ALLOWED",
    "DROPPED": "DENIED",
    "ERROR": "DENIED",
    "AUDIT": "AUDITED",
}
"""What a verdict is called when a policy gave it."""
_SOCKETS: dict[int, str] = {
    flow_pb2.SOCK_XLATE_POINT_POST_DIRECTION_FWD: "post-xlate-fwd",
    flow_pb2.SOCK_XLATE_POINT_POST_DIRECTION_REV: "post-xlate-rev",
    flow_pb2.SOCK_XLATE_POINT_PRE_DIRECTION_FWD: "pre-xlate-fwd",
    flow_pb2.SOCK_XLATE_POINT_PRE_DIRECTION_REV: "pre-xlate-rev",
}


class Names:
    """The names of an enum; a number without one is told as the number."""

    def __init__(self, enum: EnumDescriptor) -> None:
        self._names = {value.number: value.name for value in enum.values}

    def of(self, number: int) -> str:
        """The name."""
        return self._names.get(number) or str(number)


VERDICTS = Names(flow_pb2.Verdict.DESCRIPTOR)
DIRECTIONS = Names(flow_pb2.TrafficDirection.DESCRIPTOR)
L7_TYPES = Names(flow_pb2.L7FlowType.DESCRIPTOR)
AUTH_TYPES = Names(flow_pb2.AuthType.DESCRIPTOR)
DROP_REASONS = Names(flow_pb2.DropReason.DESCRIPTOR)
LOST_SOURCES = Names(flow_pb2.LostEventSource.DESCRIPTOR)
AGENT_EVENTS = Names(flow_pb2.AgentEventType.DESCRIPTOR)
DEBUG_EVENTS = Names(flow_pb2.DebugEventType.DESCRIPTOR)
_CAPTURES = Names(flow_pb2.DebugCapturePoint.DESCRIPTOR)
_SOCKET_POINTS = Names(flow_pb2.SocketTranslationPoint.DESCRIPTOR)


def identity(number: int) -> str:
    """An identity in brackets: reserved ones by name."""
    return f"({RESERVED[number]})" if number < len(RESERVED) else f"(ID:{number})"


def identity_name(number: int) -> str:
    """The name of a reserved identity; empty for others."""
    return RESERVED[number] if number < len(RESERVED) else ""


def trace_point(number: int) -> str:
    """Where a packet was seen, by the sub-type of a trace event."""
    point = number & 0xFF
    return TRACE_POINTS[point] if point < len(TRACE_POINTS) else str(point)


def drop_text(number: int) -> str:
    """Why a packet was dropped, by the sub-type of a drop event."""
    return printed_text(number)


def capture_point(number: int) -> str:
    """Where a packet was captured."""
    return _CAPTURES.of(number)


def socket_point(number: int) -> str:
    """Where an address was translated at a socket."""
    return _SOCKETS.get(number) or _SOCKET_POINTS.of(number)


def policy_match(number: int) -> str:
    """What of a policy matched."""
    return _MATCHES[number] if number < len(_MATCHES) else "unknown"
