"""The nodes that an agent knows, and the numbers under which its maps know them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_HEXADECIMAL = re.compile(r"^0x[0-9a-f]{1,16}$")


class NodeAddress(msgspec.Struct, frozen=True, rename="kebab"):
    """One address of a node."""

    ip: str = ""
    alloc_range: str = ""
    """The node's range for pods; empty when not told."""


class Addressing(msgspec.Struct, frozen=True):
    """Addresses of a node by family."""

    ipv4: NodeAddress | None = None
    ipv6: NodeAddress | None = None


class KnownNode(msgspec.Struct, frozen=True, rename="kebab"):
    """One node as an agent knows it."""

    name: str
    """`cluster/node`."""
    primary_address: Addressing | None = None
    secondary_addresses: tuple[NodeAddress, ...] | None = None
    health_endpoint_address: Addressing | None = None
    source: str = ""
    """`local`, `custom-resource`, `kvstore`, `clustermesh`; told since 1.15."""

    @property
    def cluster(self) -> str:
        """Its cluster; empty when the name does not tell."""
        return self.name.rpartition("/")[0]

    @property
    def node(self) -> str:
        """Its name within the cluster."""
        return self.name.rpartition("/")[2]

    @property
    def addresses(self) -> tuple[str, ...]:
        """Its own addresses, the primary ones first."""
        primary = self.primary_address or Addressing()
        every = (primary.ipv4, primary.ipv6, *(self.secondary_addresses or ()))
        return tuple(address.ip for address in every if address and address.ip)

    @property
    def pod_cidrs(self) -> tuple[str, ...]:
        """Its ranges for pods, as far as they are told."""
        primary = self.primary_address or Addressing()
        every = (primary.ipv4, primary.ipv6)
        return tuple(address.alloc_range for address in every if address and address.alloc_range)


class NodeNumber(msgspec.Struct, frozen=True):
    """The number under which maps know a node."""

    id: int
    ips: tuple[str, ...] = ()
    """Addresses of the node."""


@dataclass(frozen=True, kw_only=True)
class AgentNodes(Fact):
    """`cilium-dbg node list` of one node; nodes of other clusters of a mesh are among them."""

    items: tuple[KnownNode, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def get(self, node: str) -> KnownNode | None:
        """The node of a name within the agent's own cluster, or else within any."""
        named = [item for item in self.items if item.node == node]
        own = next((item.cluster for item in self.items if item.source == "local"), "")
        return next((item for item in named if item.cluster == own), named[0] if named else None)


@dataclass(frozen=True, kw_only=True)
class AgentNodeNumbers(Fact):
    """`cilium-dbg nodeid list` of one node."""

    items: tuple[NodeNumber, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _decode_json(answer: Answer) -> AgentNodes:
    items = rows_of(answer, KnownNode)
    return AgentNodes(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_text(answer: Answer) -> AgentNodes:
    columns = ("Name", "IPv4 Address", "Endpoint CIDR", "IPv6 Address", "Endpoint CIDR#2")
    items = tuple(_node(row) for row in rows_in(text_of(answer).split("\n"), columns))
    return AgentNodes(provenance=Provenance.of(answer.request, answer.end), items=items)


def _node(row: Row) -> KnownNode:
    ipv4 = NodeAddress(row.text("IPv4 Address"), row.text("Endpoint CIDR"))
    ipv6 = NodeAddress(row.text("IPv6 Address"), row.text("Endpoint CIDR#2"))
    if not row.text("Name"):
        raise Unreadable("a node without a name")
    return KnownNode(row.text("Name"), Addressing(ipv4, ipv6), source=row.text("Source"))


def _decode_numbers_json(answer: Answer) -> AgentNodeNumbers:
    items = rows_of(answer, NodeNumber)
    return AgentNodeNumbers(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_numbers_text(answer: Answer) -> AgentNodeNumbers:
    rows = rows_in(text_of(answer).split("\n"), ("NODE ID", "IP ADDRESSES"), goes_on=True)
    items = tuple(NodeNumber(_number(row.text("NODE ID")), row.lines("IP ADDRESSES")) for row in rows)
    return AgentNodeNumbers(provenance=Provenance.of(answer.request, answer.end), items=items)


def _number(text: str) -> int:
    if not _HEXADECIMAL.match(text):
        raise Unreadable(f"not a number of a node: {text[:40]!r}")
    return int(text, 16)


AgentNodes.ways = (
    answered("agent's nodes", asks("cilium-dbg", "node", "list", "-o", "json"), _decode_json),
    answered("agent's nodes as text", asks("cilium-dbg", "node", "list"), _decode_text),
)
AgentNodeNumbers.ways = (
    answered(
        "agent's node numbers", asks("cilium-dbg", "nodeid", "list", "-o", "json"), _decode_numbers_json
    ),
    answered("agent's node numbers as text", asks("cilium-dbg", "nodeid", "list"), _decode_numbers_text),
)
