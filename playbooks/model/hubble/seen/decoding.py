"""Parts of a flow from their bytes, each distinct part once."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from google.protobuf import wrappers_pb2
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from playbooks.model.hubble.proto import flat_pb2, flow_pb2
from playbooks.model.hubble.seen.parts import (
    Addresses,
    Dns,
    Endpoint,
    Http,
    Kafka,
    Layer4,
    Layer7,
    Policy,
    TcpFlags,
    Workload,
)

T = TypeVar("T")
"""What bytes are decoded to."""

_RESERVED = "reserved:"
_MOST_TELLING = ("kube-apiserver", "ingress", "health", "host", "remote-node", "world")
_TCP = b"\x0a"
_TRUE = b"\x08\x01"

LARGEST = 4096
"""Bytes of a part that is remembered; larger ones are decoded each time."""


class Decoded(dict[bytes, T]):
    """Parts by their bytes, decoded when first asked for; holds twice `limit` at most.

    When full, the younger half becomes the older one, from which what is still in use comes back.
    """

    def __init__(self, decode: Callable[[bytes], T], limit: int) -> None:
        """Empty."""
        super().__init__()
        self._decode, self._limit = decode, limit
        self._older: dict[bytes, T] = {}

    def __missing__(self, raw: bytes) -> T:
        if len(raw) > LARGEST:
            return self._decode(raw)
        found = self._older.get(raw)
        if found is None:
            found = self._decode(raw)
        if len(self) >= self._limit:
            self._older = dict(self)
            self.clear()
        self[raw] = found
        return found


def text(raw: bytes) -> str:
    """A string; what is not UTF-8 becomes the replacement character."""
    return raw.decode("utf-8", errors="replace")


def unknown_field(message: Message) -> int:
    """The number of the first field of a message that is not known here; 0 for none."""
    fields = UnknownFieldSet(message)
    return fields[0].field_number if len(fields) else 0


def endpoint(raw: bytes, home: str = "") -> Endpoint:
    """One side of a flow, in a stream of a cluster (empty: not known). Raises `DecodeError`."""
    told = flow_pb2.Endpoint.FromString(raw)
    workloads = tuple(Workload(one.kind, one.name) for one in told.workloads)
    labels = tuple(told.labels)
    return Endpoint(
        told.ID,
        told.identity,
        told.namespace,
        told.pod_name,
        labels,
        workloads,
        told.cluster_name,
        _counts_as(told, labels, home),
    )


def _counts_as(told: flow_pb2.Endpoint, labels: tuple[str, ...], home: str) -> str:
    name = told.workloads[0].name if told.workloads else ""
    name = name or told.pod_name
    if name or told.namespace:
        cluster = told.cluster_name if told.cluster_name != home else ""
        return "/".join(filter(None, (cluster, told.namespace, name)))
    reserved = {label.removeprefix(_RESERVED) for label in labels if label.startswith(_RESERVED)}
    if reserved:
        # An identity may be several things: host and API server, world and a prefix.
        return next((one for one in _MOST_TELLING if one in reserved), min(reserved))
    return f"identity {told.identity}" if told.identity else ""


def addresses(raw: bytes) -> Addresses:
    """The IP header. Raises `DecodeError`."""
    told = flow_pb2.IP.FromString(raw)
    return Addresses(told.source, told.destination, told.ipVersion, told.encrypted, told.source_xlated)


def layer4(raw: bytes) -> Layer4:
    """Ports, flags, message types. Raises `DecodeError`."""
    if raw[:1] == _TCP:
        # Nearly all there is, and each connection has its own.
        flat = flat_pb2.Layer4.FromString(raw)
        if flat.WhichOneof("protocol") == "TCP" and not len(UnknownFieldSet(flat)):
            tcp = flat.TCP
            return Layer4("TCP", tcp.source_port, tcp.destination_port, _flags[tcp.flags])
    return _layer4(flow_pb2.Layer4.FromString(raw))


def _layer4(told: flow_pb2.Layer4) -> Layer4:
    match told.WhichOneof("protocol"):
        case "TCP":
            ports = told.TCP.source_port, told.TCP.destination_port
            return Layer4("TCP", *ports, _flags[told.TCP.flags.SerializeToString()])
        case "UDP":
            return Layer4("UDP", told.UDP.source_port, told.UDP.destination_port)
        case "SCTP":
            return Layer4("SCTP", told.SCTP.source_port, told.SCTP.destination_port)
        case "ICMPv4":
            return Layer4("ICMPv4", type=told.ICMPv4.type, code=told.ICMPv4.code)
        case "ICMPv6":
            return Layer4("ICMPv6", type=told.ICMPv6.type, code=told.ICMPv6.code)
        case "VRRP":
            return Layer4("VRRP", type=told.VRRP.type)
        case "IGMP":
            return Layer4("IGMP", type=told.IGMP.type)
    field = unknown_field(told)
    return Layer4(f"protocol field {field}" if field else "")


def _flag_bits(raw: bytes) -> int:
    told = flow_pb2.TCPFlags.FromString(raw)
    return sum((flag.value for flag in TcpFlags if getattr(told, str(flag.name))), start=0)


_flags = Decoded(_flag_bits, 512)


def layer7(raw: bytes) -> Layer7 | None:
    """What a proxy understood; None for no bytes. Raises `DecodeError`."""
    if not raw:
        return None
    told = flow_pb2.Layer7.FromString(raw)
    match told.WhichOneof("record"):
        case "dns":
            return Layer7(told.type, told.latency_ns, _dns(told.dns), "DNS")
        case "http":
            return Layer7(told.type, told.latency_ns, _http(told.http), "HTTP")
        case "kafka":
            return Layer7(told.type, told.latency_ns, _kafka(told.kafka), "Kafka")
    field = unknown_field(told)
    return Layer7(told.type, told.latency_ns, None, f"record field {field}" if field else "")


def _dns(told: flow_pb2.DNS) -> Dns:
    return Dns(
        told.query,
        tuple(told.ips),
        told.ttl,
        tuple(told.cnames),
        told.observation_source,
        told.rcode,
        tuple(told.qtypes),
        tuple(told.rrtypes),
    )


def _http(told: flow_pb2.HTTP) -> Http:
    headers = tuple((header.key, header.value) for header in told.headers)
    return Http(told.code, told.method, told.url, told.protocol, headers)


def _kafka(told: flow_pb2.Kafka) -> Kafka:
    return Kafka(told.error_code, told.api_version, told.api_key, told.correlation_id, told.topic)


def event_type(raw: bytes) -> tuple[int, int]:
    """Kind and sub-kind of the monitor's event. Raises `DecodeError`."""
    told = flow_pb2.CiliumEventType.FromString(raw)
    return told.type, told.sub_type


def service(raw: bytes) -> str:
    """`namespace/name`; empty for no bytes. Raises `DecodeError`."""
    if not raw:
        return ""
    told = flow_pb2.Service.FromString(raw)
    return f"{told.namespace}/{told.name}"


def policy(raw: bytes) -> Policy:
    """A policy. Raises `DecodeError`."""
    told = flow_pb2.Policy.FromString(raw)
    return Policy(told.name, told.namespace, told.kind, tuple(told.labels), told.revision)


def truth(raw: bytes) -> bool:
    """A wrapped boolean. Raises `DecodeError`."""
    return raw == _TRUE or wrappers_pb2.BoolValue.FromString(raw).value
