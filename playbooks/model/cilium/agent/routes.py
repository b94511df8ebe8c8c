"""The kernel's routes and neighbours of a node as its agent sees them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.cilium.agent.columns import Row
from playbooks.model.cilium.agent.tables import Table
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Scope, Way

# Numbers of the kernel's rtnetlink.
_TABLES = {253: "default", 254: "main", 255: "local"}
_SCOPES = {0: "universe", 200: "site", 253: "link", 254: "host", 255: "nowhere"}
_TYPES = {
    1: "unicast",
    2: "local",
    3: "broadcast",
    4: "anycast",
    5: "multicast",
    6: "blackhole",
    7: "unreachable",
    8: "prohibit",
    9: "throw",
}
_STATES = {
    0: "NONE",
    1: "INCOMPLETE",
    2: "REACHABLE",
    4: "STALE",
    8: "DELAY",
    16: "PROBE",
    32: "FAILED",
    64: "NOARP",
    128: "PERMANENT",
}


@dataclass(frozen=True, slots=True)
class Route:
    """One route."""

    destination: str
    """Prefix."""
    gateway: str
    """Next hop; empty for a direct route."""
    source: str
    """Address that packets get; empty when it is left open."""
    link: int
    """Index of the device."""
    table: str
    """`main`, `local`, or a number."""
    type: str
    """`unicast`, `local`, `blackhole` …"""
    scope: str
    """`universe`, `link`, `host` …"""
    priority: int | None
    """The smaller the earlier."""
    mtu: int | None
    """Packet size; nothing when the device's holds."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """One address on the link."""

    link: int
    """Index of the device."""
    address: str
    """The address."""
    hardware: str
    """Its hardware address; empty when nobody answered."""
    state: str
    """REACHABLE, STALE, FAILED …"""

    @property
    def is_failed(self) -> bool:
        """Whether nobody answered for the address."""
        return self.state == "FAILED"


@dataclass(frozen=True, kw_only=True)
class AgentRoutes(Fact):
    """The table `routes` of one agent."""

    items: tuple[Route, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


@dataclass(frozen=True, kw_only=True)
class AgentNeighbours(Fact):
    """The table `neighbors` of one agent."""

    items: tuple[Neighbour, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Route(msgspec.Struct, frozen=True, rename="pascal"):
    dst: str
    link_index: int
    table: int
    type: int
    scope: int
    src: str = ""
    gw: str = ""
    priority: int | None = None
    mtu: int | None = msgspec.field(default=None, name="MTU")


class _Neighbour(msgspec.Struct, frozen=True, rename="pascal"):
    link_index: int
    ip_addr: str = msgspec.field(name="IPAddr")
    state: int
    hardware_addr: str = ""


def _route(one: _Route) -> Route:
    return Route(
        one.dst,
        one.gw,
        one.src,
        one.link_index,
        _TABLES.get(one.table, str(one.table)),
        _TYPES.get(one.type, str(one.type)),
        _SCOPES.get(one.scope, str(one.scope)),
        one.priority,
        one.mtu or None,
    )


def _route_row(row: Row) -> Route:
    return Route(
        row.text("Destination"),
        row.text("Gateway"),
        row.text("Source"),
        row.number("LinkIndex"),
        row.text("Table"),
        row.text("Type"),
        row.text("Scope"),
        row.number_if("Priority"),
        row.number_if("MTU") or None,
    )


def _neighbour(one: _Neighbour) -> Neighbour:
    state = _STATES.get(one.state, str(one.state))
    return Neighbour(one.link_index, one.ip_addr, one.hardware_addr, state)


def _neighbour_row(row: Row) -> Neighbour:
    return Neighbour(row.number("LinkIndex"), row.text("IPAddr"), row.text("HardwareAddr"), row.text("State"))


ROUTES = Table(
    "routes",
    _Route,
    ("Destination", "Source", "Gateway", "LinkIndex"),
    _route,
    _route_row,
    AgentRoutes,
    (1, 15),
)
NEIGHBOURS = Table(
    "neighbors",
    _Neighbour,
    ("LinkIndex", "IPAddr", "HardwareAddr", "State"),
    _neighbour,
    _neighbour_row,
    AgentNeighbours,
)
AgentRoutes.ways = ROUTES.ways()
AgentNeighbours.ways = NEIGHBOURS.ways()
