"""What the filter flags make of the texts they are given."""

from __future__ import annotations

from playbooks.knowledge.identities import RESERVED
from playbooks.model.hubble.filters.wording import WrongValue, quoted, unsigned
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.trace_points import TRACE_POINTS

TYPES = {
    "drop": 1,
    "debug": 2,
    "capture": 3,
    "trace": 4,
    "policy-verdict": 5,
    "trace-sock": 7,
    "l7": 129,
    "agent": 130,
}
"""Numbers of the monitor's message types."""
AGENT_NOTICES = (
    "unspecified",
    "message",
    "agent-started",
    "endpoint-regenerate-success",
    "endpoint-regenerate-failure",
    "policy-updated",
    "policy-deleted",
    "endpoint-created",
    "endpoint-deleted",
    "ipcache-upserted",
    "ipcache-deleted",
)
"""Sub types of an agent's notice, in the order of the monitor's numbers."""
_NO_NUMBER = "unable to parse as numeric value"
_SUB_TYPES = {4: TRACE_POINTS, 130: AGENT_NOTICES}
_TCP_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")
_IP_VERSIONS = {
    "4": flow_pb2.IPVersion.IPv4,
    "v4": flow_pb2.IPVersion.IPv4,
    "ipv4": flow_pb2.IPVersion.IPv4,
    "ip4": flow_pb2.IPVersion.IPv4,
    "6": flow_pb2.IPVersion.IPv6,
    "v6": flow_pb2.IPVersion.IPv6,
    "ipv6": flow_pb2.IPVersion.IPv6,
    "ip6": flow_pb2.IPVersion.IPv6,
}


def verdict(text: str) -> int:
    """A verdict by its exact name."""
    if text not in flow_pb2.Verdict.keys():  # noqa: SIM118  the wrapper of an enum has no membership test
        raise WrongValue(f"invalid --verdict value: {text}")
    return flow_pb2.Verdict.Value(text)


def drop_reason(text: str) -> int:
    """A drop reason by its exact name."""
    if not text:
        raise WrongValue("empty --drop-reason-desc value")
    if text not in flow_pb2.DropReason.keys():  # noqa: SIM118  the wrapper of an enum has no membership test
        raise WrongValue(f"invalid --drop-reason-desc value: {text}")
    return flow_pb2.DropReason.Value(text)


def event_type(text: str) -> flow_pb2.EventTypeFilter:
    """A type of event with, after a colon, its sub type; both by name or number."""
    name, colon, sub = text.partition(":")
    known = TYPES.get(name)
    found = flow_pb2.EventTypeFilter(type=_type_number(name) if known is None else known)
    if colon:
        names = _SUB_TYPES.get(known or 0, ())
        found.match_sub_type = True
        found.sub_type = names.index(sub) if sub in names else _sub_type_number(sub)
    return found


def _type_number(name: str) -> int:
    try:
        return _signed(unsigned(name, 32))
    except WrongValue as wrong:
        raise WrongValue(
            f"unable to parse type '{name}', not a known type name and {_NO_NUMBER}: {wrong}"
        ) from None


def _sub_type_number(sub: str) -> int:
    try:
        return _signed(unsigned(sub, 32))
    except WrongValue as wrong:
        raise WrongValue(
            f"unable to parse event sub-type '{sub}', not a known sub-type name and {_NO_NUMBER}: {wrong}"
        ) from None


def _signed(number: int) -> int:
    return number - (1 << 32) if number >= 1 << 31 else number


def tcp_flags(text: str) -> flow_pb2.TCPFlags:
    """Flags of TCP between commas, all of them wanted."""
    found = flow_pb2.TCPFlags()
    for name in text.split(","):
        if name.upper() not in _TCP_FLAGS:
            raise WrongValue(f"unknown tcp flag: {name}")
        setattr(found, name.upper(), True)
    return found


def ip_version(text: str) -> int:
    """A version of IP; whatever is none means packets without IP."""
    return _IP_VERSIONS.get(text.lower(), flow_pb2.IPVersion.IP_NOT_USED)


def ip_v4(_text: str) -> int:
    """IPv4, whatever was given."""
    return flow_pb2.IPVersion.IPv4


def ip_v6(_text: str) -> int:
    """IPv6, whatever was given."""
    return flow_pb2.IPVersion.IPv6


def yes(_text: str) -> bool:
    """True, whatever was given."""
    return True


def no(_text: str) -> bool:
    """False, whatever was given."""
    return False


def every(_text: str) -> str:
    """The empty namespace, which stands for all of them."""
    return ""


def http_header(text: str) -> flow_pb2.HTTPHeader:
    """A header as key and value around the first colon."""
    key, colon, value = text.partition(":")
    if not colon:
        raise WrongValue(f"invalid http-header value {quoted(text)}, expected name:value")
    return flow_pb2.HTTPHeader(key=key, value=value)


def ip_trace_id(text: str) -> int:
    """The number that IP options carry; never zero."""
    if text == "0":
        raise WrongValue("invalid --ip-trace-id value; must be greater than 0")
    try:
        return unsigned(text, 64)
    except WrongValue as wrong:
        raise WrongValue(f"invalid --ip-trace-id value: {wrong}") from None


def workload(text: str) -> flow_pb2.Workload:
    """A workload by name, or by kind and name around a slash."""
    kind, slash, name = text.partition("/")
    return flow_pb2.Workload(kind=kind, name=name) if slash else flow_pb2.Workload(name=text)


def identity(text: str) -> int:
    """An identity by number or reserved name."""
    if text in RESERVED[1:]:
        return RESERVED.index(text)
    try:
        return unsigned(text, 32, base=0)
    except WrongValue:
        names = " ".join(RESERVED[1:])
        raise WrongValue(f"invalid security identity, expected one of [{names}] or a numeric value") from None


def traffic_direction(text: str) -> int:
    """Ingress or egress, in any case."""
    lower = text.lower()
    if lower not in ("ingress", "egress"):
        raise WrongValue(f"{lower}: invalid traffic direction, expected ingress or egress")
    return flow_pb2.TrafficDirection.Value(lower.upper())


def interface(text: str) -> flow_pb2.NetworkInterface:
    """A network interface by name."""
    return flow_pb2.NetworkInterface(name=text)
