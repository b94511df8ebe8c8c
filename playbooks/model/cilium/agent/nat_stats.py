"""How many source ports each node spends on each destination: where masquerading runs out of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.cilium.agent.columns import Row
from playbooks.model.cilium.agent.tables import Table
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Scope, Unreadable, Way


@dataclass(frozen=True, slots=True)
class PortsInUse:
    """One pair of address and destination; the agent keeps the fullest ones."""

    family: str
    """`ipv4` or `ipv6`."""
    protocol: str
    """`TCP`, `UDP` …"""
    egress_ip: str
    """The node's address that packets leave with."""
    remote: str
    """`ip:port` of the destination; `[ip]:port` for IPv6."""
    count: int
    """Source ports in use."""


@dataclass(frozen=True, kw_only=True)
class AgentPortsInUse(Fact):
    """The table `nat-stats` of one agent, counted every half minute."""

    items: tuple[PortsInUse, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Stats(msgspec.Struct, frozen=True, rename="pascal"):
    count: int
    type: str
    proto: str
    egress_ip: str = msgspec.field(name="EgressIP")
    endpoint_ip: str = msgspec.field(name="EndpointIP")
    remote_port: int


def _stats(one: _Stats) -> PortsInUse:
    host = f"[{one.endpoint_ip}]" if ":" in one.endpoint_ip else one.endpoint_ip
    return PortsInUse(one.type, one.proto, one.egress_ip, f"{host}:{one.remote_port}", one.count)


def _row(row: Row) -> PortsInUse:
    remote = row.text("RemoteAddr")
    if ":" not in remote:
        raise Unreadable(f"not an address with a port: {remote[:80]!r}")
    return PortsInUse(
        row.text("IPFamily"), row.text("Proto"), row.text("EgressIP"), remote, row.number("Count")
    )


NAT_STATS = Table(
    "nat-stats",
    _Stats,
    ("IPFamily", "Proto", "EgressIP", "RemoteAddr", "Count"),
    _stats,
    _row,
    AgentPortsInUse,
    (1, 16),
)
AgentPortsInUse.ways = NAT_STATS.ways()
