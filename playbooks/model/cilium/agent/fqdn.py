"""DNS as an agent saw it: the names that endpoints looked up, and the selectors that wait for names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health_response import time_of
from playbooks.model.cilium.wire import number_of, rows_of, struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Way


class Lookup(msgspec.Struct, frozen=True, rename="kebab"):
    """One answer of DNS that an endpoint got."""

    fqdn: str
    """With the dot at its end."""
    ips: tuple[str, ...] | None = None
    endpoint_id: int | None = None
    source: str = ""
    """`lookup` for one within its time to live, `connection` for one kept for a connection."""
    ttl: int | None = None
    """Seconds."""
    lookup_time: str = ""
    expiration_time: str = ""

    @property
    def expires_at(self) -> datetime | None:
        """When it runs out, if it is told."""
        return time_of(self.expiration_time)


class NameSelector(msgspec.Struct, frozen=True, rename="camel"):
    """A name or pattern in a policy."""

    selector_string: str = ""
    """`MatchName: api.example.com, MatchPattern: `."""
    regex_string: str = ""
    """What names are compared with."""


@dataclass(frozen=True, kw_only=True)
class AgentLookups(Fact):
    """`cilium-dbg fqdn cache list` of one node."""

    items: tuple[Lookup, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def of(self, endpoint: int) -> Iterator[Lookup]:
        """What one endpoint looked up."""
        return (item for item in self.items if item.endpoint_id == endpoint)


@dataclass(frozen=True, kw_only=True)
class AgentNameSelectors(Fact):
    """`cilium-dbg fqdn names` of one node."""

    items: tuple[NameSelector, ...]
    """Of all policies; empty when none speaks of names."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Names(msgspec.Struct, frozen=True):
    selectors: tuple[NameSelector, ...] = msgspec.field(default=(), name="FQDNPolicySelectors")


def _decode_json(answer: Answer) -> AgentLookups:
    items = rows_of(answer, Lookup)
    return AgentLookups(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_text(answer: Answer) -> AgentLookups:
    columns = ("Endpoint", "Source", "FQDN", "TTL", "ExpirationTime", "IPs")
    items = tuple(map(_lookup, rows_in(text_of(answer).split("\n"), columns)))
    return AgentLookups(provenance=Provenance.of(answer.request, answer.end), items=items)


def _lookup(row: Row) -> Lookup:
    return Lookup(
        row.text("FQDN"),
        tuple(part.strip() for part in row.text("IPs").split(",") if part.strip()),
        row.number("Endpoint"),
        row.text("Source"),
        number_of(row.text("TTL")),
        expiration_time=row.text("ExpirationTime"),
    )


def _decode_names(answer: Answer) -> AgentNameSelectors:
    names = struct_of(answer, _Names)
    return AgentNameSelectors(provenance=Provenance.of(answer.request, answer.end), items=names.selectors)


_LIST = ("cilium-dbg", "fqdn", "cache", "list")
AgentLookups.ways = (
    answered("agent's DNS cache", asks(*_LIST, "-o", "json"), _decode_json),
    answered("agent's DNS cache as text", asks(*_LIST), _decode_text),
)
AgentNameSelectors.ways = (answered("agent's names", asks("cilium-dbg", "fqdn", "names"), _decode_names),)
