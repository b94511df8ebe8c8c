"""Hubble's seven core metrics, counted from the flows that came here.

They equal what agents export only for a stream of all flows: names and labels are the same, so that both can
be compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from playbooks.model.hubble.aggregation.latencies import Latencies
from playbooks.model.hubble.aggregation.requests import REQUEST, RESPONSE
from playbooks.model.hubble.aggregation.traffic import (
    VERDICT_DROPPED,
    VERDICT_FORWARDED,
    VERDICT_REDIRECTED,
)
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.hubble.seen import Dns, Http, Layer7, Seen, TcpFlags

Labels = tuple[str, ...]
"""Values of the labels, in the order of `LABELS`."""

LABELS: dict[str, Labels] = {
    "hubble_flows_processed_total": ("protocol", "type", "subtype", "verdict"),
    "hubble_drop_total": ("reason", "protocol"),
    "hubble_port_distribution_total": ("protocol", "port"),
    "hubble_tcp_flags_total": ("flag", "family"),
    "hubble_icmp_total": ("family", "type"),
    "hubble_dns_queries_total": ("rcode", "qtypes", "ips_returned"),
    "hubble_dns_responses_total": ("rcode", "qtypes", "ips_returned"),
    "hubble_dns_response_types_total": ("type", "qtypes"),
    "hubble_http_requests_total": ("method", "protocol"),
    "hubble_http_responses_total": ("method", "status"),
}
"""Metrics with their labels; of the names of return codes and ICMP types numbers stand here."""

ROWS = 10_000
"""Label values of one metric that are counted one by one."""

_TYPES = {1: "Drop", 3: "Capture", 4: "Trace", 5: "PolicyVerdict", 129: "L7"}
_TRACE = 4
_FLAGGED = int(TcpFlags.FIN | TcpFlags.SYN | TcpFlags.RST)
_PASSED = (VERDICT_FORWARDED, VERDICT_REDIRECTED)


class Metric(msgspec.Struct, frozen=True):
    """One metric."""

    name: str
    """As agents export it."""
    labels: Labels
    """Names of its labels."""
    values: dict[Labels, int]
    """Counts by values of the labels."""


class Metrics:
    """Counts flows as Hubble's metrics do."""

    def __init__(self) -> None:
        """Nothing is counted."""
        self._flows: Counter[tuple[str, int, int, str, int]] = Counter()
        self._ports: Counter[tuple[str, int]] = Counter()
        self._others: dict[str, Counter[Labels]] = {name: Counter() for name in LABELS}
        self.http_duration = Latencies()
        """Durations of HTTP requests, in nanoseconds."""
        self.overflow = 0
        """What is not counted, because its label values came when there were too many."""

    def add(self, flows: Sequence[Seen]) -> None:
        """Count a batch."""
        self._flows.update(
            [
                (
                    flow.l4.protocol,
                    flow.event_type,
                    flow.observation_point if flow.event_type == _TRACE else 0,
                    flow.l7.kind if flow.l7 else "",
                    flow.verdict,
                )
                for flow in flows
            ]
        )
        self._count_ports(flows)
        for flow in flows:
            l4 = flow.l4
            if flow.verdict == VERDICT_DROPPED:
                self._one("hubble_drop_total", (reason_name(flow.drop_reason), protocol(flow)))
            if l4.flags & _FLAGGED and flow.verdict in _PASSED:
                self._tcp(flow)
            elif l4.type is not None and l4.protocol.startswith("ICMP"):
                family = l4.protocol.replace("ICMP", "IP")
                self._one("hubble_icmp_total", (family, f"{l4.type}/{l4.code}"))
            if flow.l7:
                self._layer7(flow, flow.l7)

    @property
    def all(self) -> tuple[Metric, ...]:
        """Every metric, those too of which nothing was seen."""
        values: dict[str, dict[Labels, int]] = {name: dict(counts) for name, counts in self._others.items()}
        processed = values["hubble_flows_processed_total"]
        for key, count in self._flows.items():
            labels = _processed(*key)
            processed[labels] = processed.get(labels, 0) + count
        values["hubble_port_distribution_total"] = {
            (name, str(port)): count for (name, port), count in self._ports.items()
        }
        return tuple(Metric(name, LABELS[name], values[name]) for name in LABELS)

    def _count_ports(self, flows: Sequence[Seen]) -> None:
        # Whether it is an answer must be certain: the port of a client tells nothing.
        ports = [
            (flow.l4.protocol, flow.l4.destination_port)
            for flow in flows
            if flow.is_reply is False and flow.verdict in _PASSED and flow.l4.protocol
        ]
        if len(self._ports) < ROWS:
            self._ports.update(ports)
            return
        known = [port for port in ports if port in self._ports]
        self._ports.update(known)
        self.overflow += len(ports) - len(known)

    def _one(self, name: str, labels: Labels) -> None:
        counts = self._others[name]
        if labels in counts or len(counts) < ROWS:
            counts[labels] += 1
        else:
            self.overflow += 1

    def _tcp(self, flow: Seen) -> None:
        flags, family = flow.l4.flags, enum_name(flow_pb2.IPVersion, flow.ip.version)
        if flags & TcpFlags.FIN:
            self._one("hubble_tcp_flags_total", ("FIN", family))
        if flags & TcpFlags.SYN:
            self._one("hubble_tcp_flags_total", ("SYN-ACK" if flags & TcpFlags.ACK else "SYN", family))
        if flags & TcpFlags.RST:
            self._one("hubble_tcp_flags_total", ("RST", family))

    def _layer7(self, flow: Seen, l7: Layer7) -> None:
        match l7.record:
            case Dns() as dns:
                self._dns(flow, dns)
            case Http() as http if l7.type == REQUEST:
                self._one("hubble_http_requests_total", (http.method, http.protocol))
            case Http() as http if l7.type == RESPONSE:
                self._one("hubble_http_responses_total", (http.method, str(http.code)))
                self.http_duration.add((l7.latency_ns,))

    def _dns(self, flow: Seen, dns: Dns) -> None:
        qtypes, returned = ",".join(dns.qtypes), str(len(dns.ips))
        if flow.verdict == VERDICT_DROPPED:
            self._one("hubble_dns_queries_total", ("Policy denied", qtypes, returned))
        elif not flow.is_reply:
            self._one("hubble_dns_queries_total", ("", qtypes, returned))
        else:
            self._one("hubble_dns_responses_total", (str(dns.rcode), qtypes, returned))
            for kind in dns.rrtypes:
                self._one("hubble_dns_response_types_total", (kind, qtypes))


def protocol(flow: Seen) -> str:
    """The highest protocol that is told."""
    return (flow.l7.kind if flow.l7 else "") or flow.l4.protocol or "Unknown flow"


def reason_name(number: int) -> str:
    """The name of a drop reason; the number of one unknown here."""
    return enum_name(flow_pb2.DropReason, number)


class Named(Protocol):
    """An enumeration as protobuf generates it."""

    def Name(self, number: Any) -> str:  # noqa: N802
        """The name of a number. Raises `ValueError`."""


def enum_name(enum: Named, number: int) -> str:
    """The name of a value of an enumeration; the number where it is unknown here."""
    try:
        return enum.Name(number)
    except ValueError:
        return str(number)


def _processed(l4: str, event_type: int, point: int, l7: str, verdict: int) -> Labels:
    kind = _TYPES.get(event_type, "Unknown")
    sub_type = l7 if kind == "L7" else "" if kind != "Unknown" else str(event_type)
    if event_type == _TRACE:
        sub_type = enum_name(flow_pb2.TraceObservationPoint, point).lower().replace("_", "-")
    return l7 or l4 or "Unknown flow", kind, sub_type, enum_name(flow_pb2.Verdict, verdict)
