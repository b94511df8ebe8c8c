"""The services of an agent by its API: each frontend with its backends."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of, rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_ADDRESS = re.compile(
    r"^(?:\[(?P<v6>[0-9a-fA-F:.]+)\]|(?P<v4>[0-9.]+)):(?P<port>\d{1,5})(?:/(?P<protocol>\w+))?"
)
_BACKEND = re.compile(r"^\d+ => (?P<address>\S+)(?: \((?P<state>[\w-]+)\))?$")


class Frontend(msgspec.Struct, frozen=True):
    """Where a service is reached."""

    ip: str = ""
    port: int | None = None
    protocol: str = ""
    """`TCP`, `UDP`, `ANY` …; lower case in older versions."""
    scope: str = ""
    """`external` or `internal`."""

    @property
    def address(self) -> str:
        """`ip:port/PROTOCOL`, without the protocol where it is not told."""
        return address_of(self.ip, self.port, self.protocol)


class ServiceBackend(msgspec.Struct, frozen=True, rename="camel"):
    """One backend of a frontend."""

    ip: str = ""
    port: int | None = None
    protocol: str = ""
    """Told since 1.17."""
    state: str = ""
    """active, terminating, terminating-not-serving, quarantined or maintenance; empty when not told."""
    preferred: bool | None = None
    weight: int | None = None
    node_name: str = ""

    @property
    def address(self) -> str:
        """`ip:port/PROTOCOL`, without the protocol where it is not told."""
        return address_of(self.ip, self.port, self.protocol)

    @property
    def is_active(self) -> bool:
        """Whether it gets new connections."""
        return self.state in ("active", "")


class Flags(msgspec.Struct, frozen=True, rename="camel"):
    """What kind of frontend it is."""

    type: str = ""
    name: str = ""
    namespace: str = ""
    cluster: str = ""
    ext_traffic_policy: str = ""
    int_traffic_policy: str = ""
    nat_policy: str = ""
    health_check_node_port: int | None = None


class ServiceSpec(msgspec.Struct, frozen=True, rename="kebab"):
    """A frontend with its backends."""

    id: int | None = None
    frontend_address: Frontend | None = None
    backend_addresses: tuple[ServiceBackend, ...] | None = None
    """Left out by the agent when there is none."""
    flags: Flags | None = None


class Realized(msgspec.Struct, frozen=True):
    """What is in force."""

    realized: ServiceSpec | None = None


class AgentService(msgspec.Struct, frozen=True):
    """One frontend with its backends."""

    spec: ServiceSpec
    status: Realized | None = None

    @property
    def address(self) -> str:
        """`ip:port/PROTOCOL` of the frontend; empty when not told."""
        return self.spec.frontend_address.address if self.spec.frontend_address else ""

    @property
    def type(self) -> str:
        """`ClusterIP`, `NodePort` …; empty when not told."""
        return self.spec.flags.type if self.spec.flags else ""

    @property
    def backends(self) -> tuple[ServiceBackend, ...]:
        """Its backends."""
        return self.spec.backend_addresses or ()

    @property
    def name(self) -> str:
        """`namespace/name` of the service; empty when not told."""
        flags = self.spec.flags
        return f"{flags.namespace}/{flags.name}" if flags and flags.name else ""


def address_of(ip: str, port: int | None, protocol: str) -> str:
    """An address as newer versions write it."""
    host = f"[{ip}]" if ":" in ip else ip
    return "".join((host, f":{port}" if port is not None else "", f"/{protocol.upper()}" if protocol else ""))


@dataclass(frozen=True, kw_only=True)
class AgentServices(Fact):
    """`cilium-dbg service list` of one node."""

    items: tuple[AgentService, ...]
    """One for each frontend; a service has several."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def of(self, namespace: str, name: str) -> Iterator[AgentService]:
        """The frontends of a service; none where the way tells no names."""
        return iter(self._by_name.get(f"{namespace}/{name}", ()))

    @cached_property
    def _by_name(self) -> Mapping[str, list[AgentService]]:
        found: dict[str, list[AgentService]] = {}
        for item in self.items:
            found.setdefault(item.name, []).append(item)
        return found


def _decode_json(answer: Answer) -> AgentServices:
    items = rows_of(answer, AgentService)
    return AgentServices(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_text(answer: Answer) -> AgentServices:
    columns = ("ID", "Frontend", "Service Type", "Backend")
    rows = rows_in(text_of(answer).split("\n"), columns, goes_on=True)
    items = tuple(map(_service, rows))
    return AgentServices(provenance=Provenance.of(answer.request, answer.end), items=items)


def _service(row: Row) -> AgentService:
    backends = tuple(map(_backend, row.lines("Backend")))
    ip, port, protocol = _parsed(row.text("Frontend"))
    scope = "internal" if row.text("Frontend").endswith("/i") else ""
    flags = Flags(row.text("Service Type"))
    return AgentService(
        ServiceSpec(row.number("ID"), Frontend(ip, port, protocol, scope), backends or None, flags)
    )


def _backend(text: str) -> ServiceBackend:
    match = _BACKEND.match(text)
    if not match:
        raise Unreadable(f"not a backend: {text[:80]!r}")
    ip, port, protocol = _parsed(match["address"])
    return ServiceBackend(ip, port, protocol, match["state"] or "")


def _parsed(address: str) -> tuple[str, int | None, str]:
    match = _ADDRESS.match(address)
    if not match:
        raise Unreadable(f"not an address with a port: {address[:80]!r}")
    return match["v6"] or match["v4"], number_of(match["port"]), match["protocol"] or ""


AgentServices.ways = (
    answered("agent's services", asks("cilium-dbg", "service", "list", "-o", "json"), _decode_json),
    answered("agent's services as text", asks("cilium-dbg", "service", "list"), _decode_text),
)
