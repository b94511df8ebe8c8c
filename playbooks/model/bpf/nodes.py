"""The maps about other nodes: their numbers, and the tunnels to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.bpf.dumps import Rows, address_in, dumped, entries_of, lines_of, mapped, number_in
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way


@dataclass(frozen=True, slots=True)
class MapNode:
    """One address of a node."""

    id: int
    """The node's number on this node."""
    address: str
    """One of its addresses."""
    spi: int | None
    """The IPsec key for it, 0 for none; nothing before 1.16."""


@dataclass(frozen=True, kw_only=True)
class NodeMap(Fact):
    """`cilium-dbg bpf nodeid list` of one node."""

    items: tuple[MapNode, ...]
    """In no order; a node has several addresses."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Node(msgspec.Struct, frozen=True):
    id: int = msgspec.field(name="ID")
    address: str = msgspec.field(name="Address")
    spi: int | None = msgspec.field(default=None, name="SPI")


def _decode_json(answer: Answer) -> NodeMap:
    nodes = entries_of(answer, _Node)
    items = tuple(MapNode(node.id, address_in(node.address), node.spi) for node in nodes)
    return NodeMap(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_text(answer: Answer) -> NodeMap:
    lines = lines_of(answer)
    rows = rows_in(lines, ("NODE ID", "IP ADDRESSES")) if lines else ()
    return NodeMap(provenance=Provenance.of(answer.request, answer.end), items=tuple(map(_node, rows)))


def _node(row: Row) -> MapNode:
    return MapNode(
        number_in(row.text("NODE ID")), address_in(row.text("IP ADDRESSES")), number_of(row.text("SPI"))
    )


@dataclass(frozen=True, kw_only=True)
class TunnelMap(Fact):
    """`cilium-dbg bpf tunnel list` of one node, up to 1.17."""

    nodes: Mapping[str, str]
    """The node's address by the address of its pods' network."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _tunnels(provenance: Provenance, rows: Rows) -> TunnelMap:
    if any(not lines or not lines[0].split() for lines in rows.values()):
        raise Unreadable("a network leads to no node")
    nodes = {_network(key): _network(lines[0].split()[0]) for key, lines in rows.items()}
    return TunnelMap(provenance=provenance, nodes=nodes)


def _network(text: str) -> str:
    # Behind the address may stand a colon and a number, which an IPv6 address may seem to end with.
    bare = text.partition("@")[0]
    try:
        return address_in(bare)
    except Unreadable:
        return address_in(bare.rpartition(":")[0].strip("[]"))


_NODE_IDS = ("cilium-dbg", "bpf", "nodeid", "list")
NodeMap.ways = (
    mapped("node map", asks(*_NODE_IDS, "-o", "json"), _decode_json),
    mapped("node map as text", asks(*_NODE_IDS), _decode_text),
)
TunnelMap.ways = dumped(
    "tunnel map", ("cilium-dbg", "bpf", "tunnel", "list"), ("TUNNEL", "VALUE"), _tunnels, until=(1, 17)
)
