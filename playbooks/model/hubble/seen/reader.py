"""Raw messages of a stream to events, at the price of a few microseconds each."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter

from google.protobuf.message import DecodeError

from playbooks.model.hubble.proto import flat_pb2, flow_pb2, relay_pb2
from playbooks.model.hubble.seen import decoding
from playbooks.model.hubble.seen.decoding import Decoded, text, unknown_field
from playbooks.model.hubble.seen.event import Event, Lost, Names, NodeStatus, Other, Seen
from playbooks.model.hubble.seen.parts import Correlated, Endpoint

LARGEST_EVENT = 256 * 1024
"""Bytes of a message that is decoded; no flow comes near, and its strings would fill the memory."""

SECOND = 1_000_000_000
"""Nanoseconds."""

# Kinds of the monitor's events, as far as reading depends on them.
_TRACE, _POLICY_VERDICT = 4, 5
_FORWARDED = 1

# All tags of lists of policies end in these bytes. Hubble gives such lists to policy verdicts; in other
# events it costs less to look for the tags than to read the lists.
_POLICIES = b"\xa0\x0a"

_parts = attrgetter(
    "node_name",
    "verdict",
    "IP",
    "l4",
    "source",
    "destination",
    "l7",
    "event_type",
    "traffic_direction",
    "is_reply",
    "trace_observation_point",
    "source_service",
    "destination_service",
    "uuid",
    "source_names",
    "destination_names",
)
_correlated = attrgetter("egress_allowed_by", "ingress_allowed_by", "egress_denied_by", "ingress_denied_by")


class Reader:
    """Reads the messages of one stream: `GetFlowsResponse`, or `ExportEvent` as files hold it.

    What repeats (endpoints, addresses, ports) is decoded once and shared. Nothing that comes raises: what
    cannot be read becomes an `Other` that says so.
    """

    def __init__(self, home: str = "") -> None:
        """Read the stream of a cluster; without its name the first node that is told with one tells it."""
        self._home = home
        self._endpoints = Decoded(self._endpoint, 8192)
        self._addresses = Decoded(decoding.addresses, 16384)
        self._layer4 = Decoded(decoding.layer4, 16384)
        self._layer7 = Decoded(decoding.layer7, 2048)
        self._event_types = Decoded(decoding.event_type, 1024)
        self._services = Decoded(decoding.service, 2048)
        self._policies = Decoded(decoding.policy, 1024)
        self._texts = Decoded(text, 4096)
        self._nodes = Decoded(self._node, 4096)

    def read_all(self, messages: Iterable[bytes]) -> list[Event]:
        """The events of a batch, in order."""
        read = self.read
        return [read(raw) for raw in messages]

    def read(self, raw: bytes) -> Event:
        """The event in a message."""
        if len(raw) > LARGEST_EVENT:
            detail = f"larger than the {LARGEST_EVENT // 1024} KiB that are decoded"
            return Other(0, "", "large", detail, len(raw))
        try:
            return self._read(raw)
        except DecodeError:
            return Other(0, "", "damaged", "not a message of Hubble", len(raw))

    def _read(self, raw: bytes) -> Event:
        event = flat_pb2.Event.FromString(raw)
        flow = event.flow
        time = flow.time
        seconds = time.seconds
        if not seconds and not event.HasField("flow"):
            return self._other(event, len(raw))
        # One call for all of them: each attribute of a message is looked up by its name.
        (
            node,
            verdict,
            ip,
            l4,
            source,
            destination,
            l7,
            event_type,
            direction,
            reply,
            point,
            source_service,
            destination_service,
            uuid,
            source_name,
            destination_name,
        ) = _parts(flow)
        kind, sub_type = self._event_types[event_type]
        is_verdict = kind == _POLICY_VERDICT
        return Seen(
            seconds * SECOND + time.nanos,
            self._nodes[node or event.node_name],
            verdict,
            # A forwarded flow has no reason, and most are forwarded.
            0 if verdict == _FORWARDED else flow.drop_reason_desc or flow.drop_reason,
            self._addresses[ip],
            self._layer4[l4],
            self._endpoints[source],
            self._endpoints[destination],
            self._layer7[l7] if l7 else None,
            kind,
            sub_type,
            direction,
            decoding.truth(reply) if reply else False if flow.HasField("is_reply") else None,
            point,
            flow.policy_match_type if is_verdict else 0,
            self._services[source_service] if source_service else "",
            self._services[destination_service] if destination_service else "",
            uuid.decode("utf-8", "replace"),
            self._names(raw) if source_name or destination_name else None,
            self._correlated(flow) if is_verdict or (kind != _TRACE and _POLICIES in raw) else None,
            flow.auth_type if is_verdict else 0,
        )

    def _node(self, raw: bytes) -> str:
        node = text(raw)
        self._home = self._home or node.rpartition("/")[0]
        return node

    def _endpoint(self, raw: bytes) -> Endpoint:
        return decoding.endpoint(raw, self._home)

    def _names(self, raw: bytes) -> Names:
        lists, texts = flat_pb2.EventNames.FromString(raw).flow, self._texts.__getitem__
        return tuple(map(texts, lists.source_names)), tuple(map(texts, lists.destination_names))

    def _correlated(self, flow: flat_pb2.Flow) -> Correlated | None:
        lists = _correlated(flow)
        if not any(lists):
            return None
        policies = self._policies.__getitem__
        return Correlated(*(tuple(map(policies, one)) if one else () for one in lists))

    def _other(self, event: flat_pb2.Event, size: int) -> Event:
        time, node = nanoseconds(event.time), self._texts[event.node_name]
        match event.WhichOneof("response_types"):
            case "lost_events":
                return _lost(time, node, event.lost_events)
            case "node_status":
                told = relay_pb2.NodeStatusEvent.FromString(event.node_status)
                return NodeStatus(time, node, told.state_change, tuple(told.node_names), told.message)
            case "agent_event":
                return Other(time, node, "agent event", "", size)
            case "debug_event":
                return Other(time, node, "debug event", "", size)
        field = unknown_field(event)
        if field:
            return Other(time, node, f"event field {field}", "of a kind unknown to this version", size)
        return Other(time, node, "empty", "the message says nothing", size)


def nanoseconds(time: flat_pb2.Time) -> int:
    """Nanoseconds since 1970; 0 when not told."""
    return time.seconds * SECOND + time.nanos


def _lost(time: int, node: str, raw: bytes) -> Lost:
    told = flow_pb2.LostEvent.FromString(raw)
    first, last = (at.seconds * SECOND + at.nanos for at in (told.first, told.last))
    cpu = told.cpu.value if told.HasField("cpu") else None
    return Lost(time, node, told.source, told.num_events_lost, cpu, first, last)
