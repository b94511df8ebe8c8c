"""The network devices of a node as its agent sees them, the addresses it serves on, and packet sizes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.cilium.agent.columns import Row
from playbooks.model.cilium.agent.tables import Table
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Scope, Way

_SINCE = (1, 15)


@dataclass(frozen=True, slots=True)
class Device:
    """One network device."""

    name: str
    """Such as `eth0`."""
    index: int
    """A device that was made anew has another one."""
    is_selected: bool
    """Whether the agent attaches its programs for traffic from outside."""
    reason: str
    """Why it is not selected; text does not tell."""
    type: str
    """`device`, `veth`, `vxlan`, `bond` …"""
    mtu: int | None
    """Bytes."""
    addresses: tuple[str, ...]
    """Its addresses."""
    oper_status: str
    """`up`, `down`, `unknown` …; empty when not told."""


@dataclass(frozen=True, slots=True)
class NodeServingAddress:
    """One address of the node."""

    address: str
    """The address."""
    device: str
    """Its device; `*` for the address that speaks for the node."""
    serves_node_ports: bool
    """Whether NodePort services are reached on it."""
    is_primary: bool
    """Whether it is the first choice of its device."""


@dataclass(frozen=True, slots=True)
class RouteMtu:
    """Packet sizes towards one prefix."""

    prefix: str
    """Such as `0.0.0.0/0`."""
    device_mtu: int
    """What the device takes."""
    route_mtu: int
    """What is left for pods under tunnel and encryption headers."""


@dataclass(frozen=True, kw_only=True)
class AgentDevices(Fact):
    """The table `devices` of one agent."""

    items: tuple[Device, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def get(self, name: str) -> Device | None:
        """The device of a name."""
        return next((item for item in self.items if item.name == name), None)

    @property
    def selected(self) -> tuple[Device, ...]:
        """The devices that the agent attaches its programs to."""
        return tuple(item for item in self.items if item.is_selected)


@dataclass(frozen=True, kw_only=True)
class AgentNodeAddresses(Fact):
    """The table `node-addresses` of one agent."""

    items: tuple[NodeServingAddress, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


@dataclass(frozen=True, kw_only=True)
class AgentMtu(Fact):
    """The table `mtu` of one agent."""

    items: tuple[RouteMtu, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Address(msgspec.Struct, frozen=True, rename="pascal"):
    addr: str = ""


class _Device(msgspec.Struct, frozen=True, rename="pascal"):
    name: str
    index: int
    selected: bool
    not_selected_reason: str = ""
    type: str = ""
    mtu: int | None = msgspec.field(default=None, name="MTU")
    addrs: tuple[_Address, ...] = ()
    oper_status: str = ""


class _NodeAddress(msgspec.Struct, frozen=True, rename="pascal"):
    addr: str
    node_port: bool
    primary: bool
    device_name: str = ""


class _Mtu(msgspec.Struct, frozen=True):
    prefix: str = msgspec.field(name="Prefix")
    device_mtu: int = msgspec.field(name="DeviceMTU")
    route_mtu: int = msgspec.field(name="RouteMTU")


def _device(one: _Device) -> Device:
    addresses = tuple(address.addr for address in one.addrs if address.addr)
    return Device(
        one.name,
        one.index,
        one.selected,
        one.not_selected_reason,
        one.type,
        one.mtu,
        addresses,
        one.oper_status,
    )


def _device_row(row: Row) -> Device:
    addresses = tuple(part.strip() for part in row.text("Addresses").split(",") if part.strip())
    return Device(
        row.text("Name"),
        row.number("Index"),
        row.is_true("Selected"),
        "",
        row.text("Type"),
        row.number_if("MTU"),
        addresses,
        row.text("OperStatus"),
    )


def _address(one: _NodeAddress) -> NodeServingAddress:
    return NodeServingAddress(one.addr, one.device_name, one.node_port, one.primary)


def _address_row(row: Row) -> NodeServingAddress:
    return NodeServingAddress(
        row.text("Address"), row.text("DeviceName"), row.is_true("NodePort"), row.is_true("Primary")
    )


def _mtu(one: _Mtu) -> RouteMtu:
    return RouteMtu(one.prefix, one.device_mtu, one.route_mtu)


def _mtu_row(row: Row) -> RouteMtu:
    return RouteMtu(row.text("Prefix"), row.number("DeviceMTU"), row.number("RouteMTU"))


DEVICES = Table(
    "devices",
    _Device,
    ("Name", "Index", "Selected", "Type", "MTU", "Addresses"),
    _device,
    _device_row,
    AgentDevices,
    _SINCE,
)
NODE_ADDRESSES = Table(
    "node-addresses",
    _NodeAddress,
    ("Address", "NodePort", "Primary", "DeviceName"),
    _address,
    _address_row,
    AgentNodeAddresses,
    _SINCE,
)
MTU = Table("mtu", _Mtu, ("Prefix", "DeviceMTU", "RouteMTU"), _mtu, _mtu_row, AgentMtu)
AgentDevices.ways = DEVICES.ways()
AgentNodeAddresses.ways = NODE_ADDRESSES.ways()
AgentMtu.ways = MTU.ways()
