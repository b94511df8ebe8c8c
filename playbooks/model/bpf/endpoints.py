"""The endpoint map: addresses of this node that packets are delivered to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from playbooks.model.bpf.dumps import Rows, address_in, dumped, number_in, pairs_in
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way


@dataclass(frozen=True, slots=True)
class MapEndpoint:
    """One address in the map."""

    address: str
    """The address."""
    is_host: bool
    """Whether it is the node's own: no endpoint is told then."""
    id: int | None
    """The endpoint's number on the node."""
    identity: int | None
    """Its identity; nothing when not told."""
    interface_index: int | None
    """The device on the host's side; nothing when not told."""
    mac: str
    """Of the endpoint; empty when not told."""
    node_mac: str
    """Of the device on the host's side; empty when not told."""
    flags: int | None
    """1 host, 2 in the host's network, 4 and 8 not masqueraded for IPv4 and IPv6."""


@dataclass(frozen=True, kw_only=True)
class EndpointMap(Fact):
    """`cilium-dbg bpf endpoint list` of one node."""

    items: tuple[MapEndpoint, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @cached_property
    def by_address(self) -> Mapping[str, MapEndpoint]:
        """By address."""
        return {item.address: item for item in self.items}


def _make(provenance: Provenance, rows: Rows) -> EndpointMap:
    return EndpointMap(provenance=provenance, items=tuple(map(_endpoint, rows, rows.values())))


def _endpoint(key: str, lines: tuple[str, ...]) -> MapEndpoint:
    address, mark, number = key.rpartition(":")
    if not mark or len(lines) != 1:
        raise Unreadable(f"not an entry of the endpoint map: {key[:80]!r}")
    number_in(number)
    address = address_in(address.partition("@")[0].strip("[]"))
    value = lines[0].strip()
    if value == "(localhost)":
        return MapEndpoint(address, True, None, None, None, "", "", None)
    told = pairs_in(value)
    if "id" not in told:
        raise Unreadable(f"an entry of the endpoint map names no endpoint: {value[:80]!r}")
    identity, device, flags = (
        number_in(told[name]) if name in told else None for name in ("sec_id", "ifindex", "flags")
    )
    macs = told.get("mac", ""), told.get("nodemac", "")
    return MapEndpoint(address, False, number_in(told["id"]), identity, device, *macs, flags)


EndpointMap.ways = dumped(
    "endpoint map",
    ("cilium-dbg", "bpf", "endpoint", "list"),
    ("IP ADDRESS", "LOCAL ENDPOINT INFO"),
    _make,
)
