"""Addresses of services that a node answers for on its links."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.cilium.agent.columns import Row
from playbooks.model.cilium.agent.tables import Table
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Scope, Way


@dataclass(frozen=True, slots=True)
class Announced:
    """One address on one link."""

    address: str
    """Of a service."""
    device: str
    """Where the node answers for it."""


@dataclass(frozen=True, kw_only=True)
class AgentAnnounced(Fact):
    """The table `l2-announce` of one agent; empty where nothing is announced or the feature is off."""

    items: tuple[Announced, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Announced(msgspec.Struct, frozen=True):
    ip: str = msgspec.field(name="IP")
    network_interface: str = msgspec.field(name="NetworkInterface")


def _announced(one: _Announced) -> Announced:
    return Announced(one.ip, one.network_interface)


def _row(row: Row) -> Announced:
    return Announced(row.text("IP"), row.text("NetworkInterface"))


L2_ANNOUNCE = Table(
    "l2-announce", _Announced, ("IP", "NetworkInterface"), _announced, _row, AgentAnnounced, (1, 15)
)
AgentAnnounced.ways = L2_ANNOUNCE.ways()
