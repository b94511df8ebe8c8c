"""Lines of `cilium-dbg monitor -j` as flows: what is left where Hubble is switched off.

The command prints drops as JSON and policy verdicts as text, without times and names of pods: the time is
that of arrival, and who has an identity or an endpoint has to be looked up by whoever knows the cluster.
"""

from __future__ import annotations

import re
from functools import cache

import msgspec

from playbooks.knowledge.drop_reasons import drop_reasons
from playbooks.knowledge.identities import RESERVED
from playbooks.model.hubble.proto import flow_pb2, observer_pb2

DROP, POLICY_VERDICT = 1, 5
"""Types of events."""
DENIED, DENIED_BY_RULE = 133, 181
"""Why a policy denies: no rule allows it, or one forbids it."""
_FILES = {1: "bpf_host.c", 2: "bpf_lxc.c"}
_MATCHES = ("none", "L3-Only", "L3-L4", "L4-Only", "all", "L3-Proto", "Proto-Only")
_VERDICTS = {
    "allow": flow_pb2.Verdict.FORWARDED,
    "deny": flow_pb2.Verdict.DROPPED,
    "redirect": flow_pb2.Verdict.REDIRECTED,
    "audit": flow_pb2.Verdict.AUDIT,
}
_FLAGS = ("FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR", "NS")
_VERDICT = re.compile(
    r"Policy verdict log: flow \S+ local EP ID (?P<endpoint>\d+), remote ID (?P<remote>[\w-]+), "
    r"proto (?P<protocol>\d+), (?P<direction>egress|ingress), action (?P<action>\w+), auth: [\w-]+, "
    r"match (?P<match>[\w-]+), (?P<source>\S+) -> (?P<destination>\S+)(?: (?P<rest>.*))?$"
)
_FLAG = re.compile(r"\b(FIN|SYN|RST|PSH|ACK|URG|ECE|CWR|NS)=true\b")
_TYPE_CODE = re.compile(r"\bTypeCode=(\w+)")
_LOST = re.compile(r"(\d+) events? lost|lost (\d+) (?:events?|samples?)", re.IGNORECASE)
_TCP, _UDP, _SCTP = 6, 17, 132


class _Ends(msgspec.Struct, frozen=True):
    src: str = ""
    dst: str = ""


class _Summary(msgspec.Struct, frozen=True):
    tcp: str = ""
    udp: str = ""
    sctp: str = ""
    icmpv4: str = ""
    icmpv6: str = ""
    l2: _Ends = _Ends()
    l3: _Ends = _Ends()
    l4: _Ends = _Ends()


class _Drop(msgspec.Struct, frozen=True):
    type: str = ""
    reason: str = ""
    source: int = 0
    source_identity: int = msgspec.field(default=0, name="srcLabel")
    destination_identity: int = msgspec.field(default=0, name="dstLabel")
    destination: int = msgspec.field(default=0, name="dstID")
    line: int = msgspec.field(default=0, name="Line")
    file: int = msgspec.field(default=0, name="File")
    interface: int = msgspec.field(default=0, name="Ifindex")
    summary: _Summary | None = None


_drop = msgspec.json.Decoder(_Drop)


class Monitor:
    """Reads the lines of one node's monitor."""

    def __init__(self, node: str) -> None:
        """`node` is written into every flow."""
        self._node = node
        self.skipped = 0
        """Lines that tell no drop and no verdict."""

    def read(self, line: bytes, now: int) -> observer_pb2.GetFlowsResponse | None:
        """The flow or the loss that a line tells; `now` is when it arrived, in nanoseconds."""
        text = line.decode("utf-8", "replace").strip()
        found = self._response(now)
        if text.startswith("{"):
            flow = _dropped(line)
        elif match := _VERDICT.match(text):
            flow = _judged(match)
        else:
            flow = None
            if lost := _LOST.search(text):
                found.lost_events.num_events_lost = int((lost[1] or lost[2])[:18])
                found.lost_events.source = flow_pb2.LostEventSource.PERF_EVENT_RING_BUFFER
                return found
        if flow is None:
            self.skipped += bool(text)
            return None
        flow.time.CopyFrom(found.time)
        flow.node_name = self._node
        found.flow.CopyFrom(flow)
        return found

    def _response(self, now: int) -> observer_pb2.GetFlowsResponse:
        found = observer_pb2.GetFlowsResponse(node_name=self._node)
        found.time.FromNanoseconds(now)
        return found


@cache
def _numbers() -> dict[str, int]:
    return {reason.text: reason.number for reason in drop_reasons() if reason.text and reason.is_drop}


def _number(reason: str) -> int:
    """The code of a printed reason; extended errors stand behind a comma, what is unknown is a number."""
    text = reason.partition(",")[0].strip()
    return int(text[:9]) if text.isdecimal() else _numbers().get(text, 0)


def _dropped(line: bytes) -> flow_pb2.Flow | None:
    try:
        drop = _drop.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if drop.type != "drop":
        return None
    number = _number(drop.reason)
    flow = flow_pb2.Flow(
        verdict=flow_pb2.Verdict.DROPPED,
        drop_reason=_unsigned(number),
        drop_reason_desc=number,  # type: ignore[arg-type]  # a number that a later version names
        Type=flow_pb2.FlowType.L3_L4,
        event_type=flow_pb2.CiliumEventType(type=DROP, sub_type=number),
    )
    # A drop towards an endpoint happens at that endpoint; elsewhere only the sender is known.
    is_ingress = 0 < drop.source == drop.destination
    flow.source.identity = _unsigned(drop.source_identity)
    flow.destination.identity = _unsigned(drop.destination_identity)
    flow.destination.ID = _unsigned(drop.destination)
    if is_ingress:
        flow.traffic_direction = flow_pb2.TrafficDirection.INGRESS
    elif drop.source:
        flow.source.ID = _unsigned(drop.source)
        flow.traffic_direction = flow_pb2.TrafficDirection.EGRESS
    if drop.line:
        flow.file.line = _unsigned(drop.line)
        flow.file.name = _FILES.get(drop.file, f"file {drop.file}")
    if drop.interface:
        flow.interface.index = _unsigned(drop.interface)
    if drop.summary:
        _pack(flow, drop.summary)
    return flow


def _pack(flow: flow_pb2.Flow, summary: _Summary) -> None:
    """Addresses, ports and flags of the packet."""
    if summary.l2.src:
        flow.ethernet.source, flow.ethernet.destination = summary.l2.src, summary.l2.dst
    _address(flow, summary.l3.src, summary.l3.dst)
    source, destination = _port(summary.l4.src), _port(summary.l4.dst)
    if summary.tcp:
        _tcp(flow, source, destination, _FLAG.findall(summary.tcp))
    elif summary.udp:
        flow.l4.UDP.source_port, flow.l4.UDP.destination_port = source, destination
        flow.Summary = "UDP"
    elif summary.sctp:
        flow.l4.SCTP.source_port, flow.l4.SCTP.destination_port = source, destination
        flow.Summary = "SCTP"
    elif kind := summary.icmpv4 or summary.icmpv6:
        name = _TYPE_CODE.search(kind)
        flow.Summary = f"ICMPv{4 if summary.icmpv4 else 6} {name[1] if name else ''}".strip()


def _judged(match: re.Match[str]) -> flow_pb2.Flow:
    """A policy's verdict, of which both ends' addresses and one end's identity are printed."""
    action, how = match["action"], match["match"]
    verdict = _VERDICTS.get(action, flow_pb2.Verdict.VERDICT_UNKNOWN)
    flow = flow_pb2.Flow(
        verdict=verdict,
        Type=flow_pb2.FlowType.L3_L4,
        event_type=flow_pb2.CiliumEventType(type=POLICY_VERDICT),
        policy_match_type=_MATCHES.index(how) if how in _MATCHES else 0,
    )
    if verdict == flow_pb2.Verdict.DROPPED:
        number = DENIED if how == "none" else DENIED_BY_RULE
        flow.drop_reason, flow.drop_reason_desc = number, number  # type: ignore[assignment]
    remote = _identity(match["remote"])
    here, there = flow.source, flow.destination
    flow.traffic_direction = flow_pb2.TrafficDirection.EGRESS
    if match["direction"] == "ingress":
        here, there = there, here
        flow.traffic_direction = flow_pb2.TrafficDirection.INGRESS
    here.ID = _unsigned(int(match["endpoint"][:12]))
    there.identity = remote
    rest = (match["rest"] or "").split()
    (source, source_port), (destination, destination_port) = _end(match["source"]), _end(match["destination"])
    _address(flow, source, destination)
    protocol = int(match["protocol"][:3])
    if protocol == _TCP:
        _tcp(flow, source_port, destination_port, [flag for word in rest for flag in word.split(",")])
    elif protocol == _UDP:
        flow.l4.UDP.source_port, flow.l4.UDP.destination_port = source_port, destination_port
        flow.Summary = "UDP"
    elif protocol == _SCTP:
        flow.l4.SCTP.source_port, flow.l4.SCTP.destination_port = source_port, destination_port
        flow.Summary = "SCTP"
    else:
        flow.Summary = " ".join(rest)
    return flow


def _tcp(flow: flow_pb2.Flow, source: int, destination: int, flags: list[str]) -> None:
    tcp = flow.l4.TCP
    tcp.source_port, tcp.destination_port = source, destination
    known = [flag for flag in _FLAGS if flag in flags]
    for flag in known:
        setattr(tcp.flags, flag, True)
    flow.Summary = f"TCP Flags: {', '.join(known)}" if known else "TCP"


def _address(flow: flow_pb2.Flow, source: str, destination: str) -> None:
    if source or destination:
        version = flow_pb2.IPVersion.IPv6 if ":" in source + destination else flow_pb2.IPVersion.IPv4
        flow.IP.source, flow.IP.destination, flow.IP.ipVersion = source, destination, version


def _end(text: str) -> tuple[str, int]:
    """Address and port of `10.0.0.1:53`, `[fd00::1]:53`, or an address alone."""
    host, colon, port = text.rpartition(":")
    if colon and port.isdecimal() and (host.endswith("]") or ":" not in host):
        return host.strip("[]"), _port(port)
    return text.strip("[]"), 0


def _port(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 6 else 0


def _reserved(name: str) -> int:
    return RESERVED.index(name) if name in RESERVED else 0


def _identity(text: str) -> int:
    return _unsigned(int(text[:12])) if text.isdecimal() else _reserved(text)


def _unsigned(number: int) -> int:
    """A number as its field takes it; what does not fit is not known."""
    return number if 0 <= number < 2**32 else 0
