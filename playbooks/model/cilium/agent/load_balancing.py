"""Frontends and backends as the agent's state holds them, with whether they reached the datapath."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec

from playbooks.model.cilium.agent.columns import Row
from playbooks.model.cilium.agent.tables import Table
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health_response import time_of
from playbooks.model.cilium.wire import number_of
from playbooks.model.fact import Fact, Scope, Way

_STATES = {0: "active", 4: "maintenance"}
"""Numbers that mean the same in every version that uses them; one was put in between."""


@dataclass(frozen=True, slots=True)
class StateFrontend:
    """One row of the table `frontends`."""

    address: str
    """`ip:port/PROTOCOL`, with `/i` for the internal scope."""
    type: str
    """`ClusterIP`, `NodePort` …"""
    service: str
    """`namespace/name`."""
    port_name: str
    """Name of the service's port; empty for none."""
    backends: tuple[str, ...]
    """Addresses of the backends that it leads to."""
    status: str
    """Done, Pending, Refreshing or Error: whether it is in the datapath."""
    error: str
    """Why it is not; empty when there is no reason."""
    redirect_to: str
    """The service that traffic is led to instead; empty for none."""
    id: int | None
    """Its number in the maps; text does not tell it."""
    changed_at: datetime | None
    """When the status was reached; text tells only ages."""

    @property
    def is_in_datapath(self) -> bool:
        """Whether the datapath holds it as it is here."""
        return self.status == "Done"


@dataclass(frozen=True, slots=True)
class StateBackend:
    """One row of the table `backends`: a backend of one service."""

    service: str
    """`namespace/name`; empty where the version keeps backends by address only."""
    address: str
    """`ip:port/PROTOCOL`."""
    state: str
    """active, terminating, quarantined, maintenance …; empty when not told."""
    node: str
    """Where it runs; empty when not told."""
    port_names: tuple[str, ...]
    """The service's ports that it serves."""
    source: str
    """Who told of it: `k8s`, `clustermesh` …"""
    is_unhealthy: bool | None
    """Whether a health check found it dead; nothing when not told."""


@dataclass(frozen=True, kw_only=True)
class AgentFrontends(Fact):
    """The table `frontends` of one agent."""

    items: tuple[StateFrontend, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def of(self, namespace: str, name: str) -> Iterator[StateFrontend]:
        """The frontends of a service."""
        return (item for item in self.items if item.service == f"{namespace}/{name}")


@dataclass(frozen=True, kw_only=True)
class AgentBackends(Fact):
    """The table `backends` of one agent."""

    items: tuple[StateBackend, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def of(self, namespace: str, name: str) -> Iterator[StateBackend]:
        """The backends of a service."""
        return (item for item in self.items if item.service == f"{namespace}/{name}")


class _Status(msgspec.Struct, frozen=True, rename="kebab"):
    kind: str = ""
    error: str = ""
    updated_at: str = ""


class _Backend(msgspec.Struct, frozen=True, rename="pascal"):
    address: str
    service_name: str = ""
    port_names: tuple[str, ...] = ()
    node_name: str = ""
    source: str = ""
    state: int | None = None
    unhealthy: bool | None = None


class _Frontend(msgspec.Struct, frozen=True, rename="pascal"):
    address: str
    type: str = ""
    service_name: str = ""
    port_name: str = ""
    status: _Status = _Status()
    backends: tuple[_Backend, ...] = ()
    id: int | None = msgspec.field(default=None, name="ID")
    redirect_to: str = ""


def _frontend(one: _Frontend) -> StateFrontend:
    return StateFrontend(
        one.address,
        one.type,
        one.service_name,
        one.port_name,
        tuple(backend.address for backend in one.backends),
        one.status.kind,
        one.status.error,
        one.redirect_to,
        one.id,
        time_of(one.status.updated_at),
    )


def _frontend_row(row: Row) -> StateFrontend:
    return StateFrontend(
        row.text("Address"),
        row.text("Type"),
        row.text("ServiceName"),
        row.text("PortName"),
        _listed(row.text("Backends")),
        row.text("Status"),
        row.text("Error"),
        row.text("RedirectTo"),
        number_of(row.text("ID")),
        None,
    )


def _backend(one: _Backend) -> StateBackend:
    return StateBackend(
        one.service_name,
        one.address,
        _STATES.get(one.state, "") if one.state is not None else "",
        one.node_name,
        one.port_names,
        one.source,
        one.unhealthy,
    )


def _backend_row(row: Row) -> StateBackend:
    return StateBackend(
        row.text("Service"),
        row.text("Address"),
        row.text("State"),
        row.text("NodeName"),
        _listed(row.text("PortNames")),
        row.text("Source"),
        None,
    )


def _listed(cell: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in cell.split(",") if part.strip())


FRONTENDS = Table(
    "frontends",
    _Frontend,
    ("Address", "Type", "ServiceName", "Backends", "Status"),
    _frontend,
    _frontend_row,
    AgentFrontends,
)
BACKENDS = Table("backends", _Backend, ("Address",), _backend, _backend_row, AgentBackends)
AgentFrontends.ways = FRONTENDS.ways()
AgentBackends.ways = BACKENDS.ways()
