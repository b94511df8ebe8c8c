"""The identities that an agent knows, and how many of its endpoints use each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Way

LOCAL = 1 << 24
"""Numbers from here on are known on one node only: CIDRs and DNS names."""
_RESERVED = 256


class Identity(msgspec.Struct, frozen=True):
    """One identity."""

    id: int
    labels: tuple[str, ...] | None = None
    """`source:key=value` in no order; nothing when not told."""

    @property
    def is_reserved(self) -> bool:
        """Whether its number means the same everywhere."""
        return self.id < _RESERVED

    @property
    def is_local(self) -> bool:
        """Whether its number means something on this node only."""
        return self.id >= LOCAL


class IdentityUse(msgspec.Struct, frozen=True, rename="camel"):
    """An identity with the endpoints that use it."""

    identity: Identity
    ref_count: int | None = None
    """How many endpoints of the node use it."""


@dataclass(frozen=True, kw_only=True)
class AgentIdentities(Fact):
    """`cilium-dbg identity list` of one node: identities of the whole cluster as this agent knows them."""

    items: tuple[Identity, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @cached_property
    def by_id(self) -> Mapping[int, Identity]:
        """By number."""
        return {item.id: item for item in self.items}


@dataclass(frozen=True, kw_only=True)
class AgentIdentityUse(Fact):
    """`cilium-dbg identity list --endpoints` of one node: identities of its own endpoints."""

    items: tuple[IdentityUse, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _decode_json(answer: Answer) -> AgentIdentities:
    items = rows_of(answer, Identity)
    return AgentIdentities(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_text(answer: Answer) -> AgentIdentities:
    rows = rows_in(text_of(answer).split("\n"), ("ID", "LABELS"), goes_on=True)
    items = tuple(map(_identity, rows))
    return AgentIdentities(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_use_json(answer: Answer) -> AgentIdentityUse:
    items = rows_of(answer, IdentityUse)
    return AgentIdentityUse(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_use_text(answer: Answer) -> AgentIdentityUse:
    rows = rows_in(text_of(answer).split("\n"), ("ID", "LABELS", "REFCOUNT"), goes_on=True)
    items = tuple(IdentityUse(_identity(row), row.number("REFCOUNT")) for row in rows)
    return AgentIdentityUse(provenance=Provenance.of(answer.request, answer.end), items=items)


def _identity(row: Row) -> Identity:
    return Identity(row.number("ID"), row.lines("LABELS"))


_LIST = ("cilium-dbg", "identity", "list")
AgentIdentities.ways = (
    answered("agent's identities", asks(*_LIST, "-o", "json"), _decode_json),
    answered("agent's identities as text", asks(*_LIST), _decode_text),
)
AgentIdentityUse.ways = (
    answered("agent's used identities", asks(*_LIST, "--endpoints", "-o", "json"), _decode_use_json),
    answered("agent's used identities as text", asks(*_LIST, "--endpoints"), _decode_use_text),
)
