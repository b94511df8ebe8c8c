"""The last refused and reset connections that one agent's Hubble remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

POLICY_DENIED, POLICY_DENY, NO_BACKEND = 133, 181, 158
"""Drop reasons: no rule admits, a rule refuses, a service has no backend."""
_VERDICT_EVENT = 5


class Workload(msgspec.Struct, frozen=True):
    """What made a pod."""

    name: str = ""
    kind: str = ""


class Party(msgspec.Struct, frozen=True):
    """One end of a flow."""

    id: int | None = msgspec.field(default=None, name="ID")
    """Of the endpoint; None where not told, as for peers that are none."""
    identity: int | None = None
    """None where not told."""
    namespace: str = ""
    labels: tuple[str, ...] = ()
    pod_name: str = ""
    workloads: tuple[Workload, ...] = ()

    def __str__(self) -> str:
        """The pod, or what kind of peer it is."""
        if self.pod_name:
            return f"{self.namespace}/{self.pod_name}"
        reserved = next((label for label in self.labels if label.startswith("reserved:")), "")
        if reserved:
            return reserved.removeprefix("reserved:")
        return "unknown" if self.identity is None else f"identity {self.identity}"

    @property
    def workload(self) -> str:
        """The workload, or whatever names the party best."""
        return f"{self.namespace}/{self.workloads[0].name}" if self.workloads else str(self)


class _Flags(msgspec.Struct, frozen=True):
    ack: bool = msgspec.field(default=False, name="ACK")


class _Ports(msgspec.Struct, frozen=True):
    source_port: int | None = None
    destination_port: int | None = None
    flags: _Flags | None = None


class _L4(msgspec.Struct, frozen=True):
    tcp: _Ports | None = msgspec.field(default=None, name="TCP")
    udp: _Ports | None = msgspec.field(default=None, name="UDP")
    sctp: _Ports | None = msgspec.field(default=None, name="SCTP")


class _Addresses(msgspec.Struct, frozen=True):
    source: str = ""
    destination: str = ""


class _Event(msgspec.Struct, frozen=True):
    type: int | None = None


class PolicyName(msgspec.Struct, frozen=True):
    """A policy that a flow names."""

    name: str = ""
    namespace: str = ""
    kind: str = ""


class RecentFlow(msgspec.Struct, frozen=True):
    """One flow, as far as rules look at it."""

    time: datetime | None = None
    drop_reason: int = 0
    """0 for what was not dropped: Hubble leaves it out then."""
    traffic_direction: str = ""
    source: Party = Party()
    destination: Party = Party()
    addresses: _Addresses = msgspec.field(default=_Addresses(), name="IP")
    l4: _L4 = _L4()
    event_type: _Event = _Event()
    is_reply: bool | None = None
    ingress_denied_by: tuple[PolicyName, ...] = ()
    egress_denied_by: tuple[PolicyName, ...] = ()

    @property
    def direction(self) -> str:
        """`ingress`, `egress`, or empty where not told."""
        lowered = self.traffic_direction.lower()
        return lowered if lowered in ("ingress", "egress") else ""

    @property
    def protocol(self) -> str:
        """`TCP`, `UDP`, `SCTP`; empty for others."""
        return "TCP" if self.l4.tcp else "UDP" if self.l4.udp else "SCTP" if self.l4.sctp else ""

    @property
    def port(self) -> int:
        """Of the destination; 0 where there is none."""
        ports = self._ports
        return (ports.destination_port or 0) if ports else 0

    @property
    def source_port(self) -> int:
        """Of the source; 0 where there is none."""
        ports = self._ports
        return (ports.source_port or 0) if ports else 0

    @property
    def connection(self) -> tuple[str, str, str, int, int]:
        """What all packets of one attempt have in common."""
        address = self.addresses
        return (address.source, address.destination, self.protocol, self.source_port, self.port)

    @property
    def may_refuse(self) -> bool:
        """Whether a reset may be the answer to a first packet: those to later ones acknowledge nothing."""
        flags = self.l4.tcp.flags if self.l4.tcp else None
        return flags is None or flags.ack

    @property
    def is_verdict(self) -> bool:
        """Whether it is the policy's verdict; the drop that follows is another event of the same attempt."""
        return self.event_type.type == _VERDICT_EVENT

    @property
    def _ports(self) -> _Ports | None:
        return self.l4.tcp or self.l4.udp or self.l4.sctp


class _Line(msgspec.Struct, frozen=True):
    flow: RecentFlow | None = None


@dataclass(frozen=True, kw_only=True)
class _Recent(Fact):
    items: tuple[RecentFlow, ...]
    """Oldest first; only as far back as Hubble remembers."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)

    @cached_property
    def by_destination(self) -> dict[tuple[str, str], tuple[RecentFlow, ...]]:
        """Flows by namespace and name of the pod that they went to."""
        return _grouped(self.items, lambda flow: flow.destination)

    @cached_property
    def by_source(self) -> dict[tuple[str, str], tuple[RecentFlow, ...]]:
        """Flows by namespace and name of the pod that they came from."""
        return _grouped(self.items, lambda flow: flow.source)


@dataclass(frozen=True, kw_only=True)
class RefusedFlows(_Recent):
    """Flows that were dropped on one node, with the verdicts before them."""

    ways: ClassVar[tuple[Way, ...]]


@dataclass(frozen=True, kw_only=True)
class ResetFlows(_Recent):
    """TCP connections that were reset on one node."""

    ways: ClassVar[tuple[Way, ...]]


def _grouped(
    items: tuple[RecentFlow, ...], end: Callable[[RecentFlow], Party]
) -> dict[tuple[str, str], tuple[RecentFlow, ...]]:
    found: dict[tuple[str, str], list[RecentFlow]] = {}
    for flow in items:
        party = end(flow)
        if party.pod_name:
            found.setdefault((party.namespace, party.pod_name), []).append(flow)
    return {key: tuple(flows) for key, flows in found.items()}


def attempts(flows: Iterable[RecentFlow]) -> int:
    """Distinct connections: a verdict, its drop and every repeated SYN are one attempt."""
    return len({flow.connection for flow in flows})


def _flows(answer: Answer) -> Iterator[RecentFlow]:
    offset = 0
    for line in answer.body.split(b"\n"):
        if line.strip():
            try:
                flow = msgspec.json.decode(line, type=_Line).flow
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
                raise Unreadable(f"not a flow as jsonpb: {error}", offset) from error
            if flow:
                yield flow
        offset += len(line) + 1


def _refused(answer: Answer) -> RefusedFlows:
    return RefusedFlows(provenance=Provenance.of(answer.request, answer.end), items=tuple(_flows(answer)))


def _reset(answer: Answer) -> ResetFlows:
    return ResetFlows(provenance=Provenance.of(answer.request, answer.end), items=tuple(_flows(answer)))


def _observed(*filters: str, last: int) -> tuple[str, ...]:
    return ("hubble", "observe", *filters, "--last", str(last), "-o", "jsonpb")


RefusedFlows.ways = (
    answered("hubble's drops", asks(*_observed("--verdict", "DROPPED", last=100)), _refused),
    answered("more of hubble's drops", asks(*_observed("--verdict", "DROPPED", last=200)), _refused),
)
ResetFlows.ways = (answered("hubble's resets", asks(*_observed("--tcp-flags", "RST", last=100)), _reset),)
