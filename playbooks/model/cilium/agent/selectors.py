"""The selectors of all policies with the identities that each selects now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agent.realized import PolicyName
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of, rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way


@dataclass(frozen=True, slots=True)
class PeerSelector:
    """One selector."""

    selector: str
    """As the agent writes it."""
    identities: tuple[int, ...]
    """Whom it selects; empty when nobody."""
    users: int | None
    """How often policies of endpoints use it."""
    policies: tuple[PolicyName, ...] | None
    """The policies that it stands in; nothing when not told, as before 1.15.

    Text leaves out their kinds, and clusterwide policies.
    """


@dataclass(frozen=True, kw_only=True)
class AgentSelectors(Fact):
    """`cilium-dbg policy selectors` of one node."""

    items: tuple[PeerSelector, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class Label(msgspec.Struct, frozen=True):
    """A label with its source."""

    key: str = ""
    value: str = ""
    source: str = ""

    def __str__(self) -> str:
        """As agents write it elsewhere."""
        return f"{self.source}:{self.key}={self.value}"


class _Mapping(msgspec.Struct, frozen=True):
    selector: str
    identities: tuple[int, ...] | None = None
    users: int | None = None
    labels: tuple[tuple[Label, ...], ...] | None = None


def _decode_json(answer: Answer) -> AgentSelectors:
    items = tuple(map(_selector, rows_of(answer, _Mapping)))
    return AgentSelectors(provenance=Provenance.of(answer.request, answer.end), items=items)


def _selector(one: _Mapping) -> PeerSelector:
    policies = None if one.labels is None else policies_of(one.labels)
    return PeerSelector(one.selector.strip(), one.identities or (), one.users, policies)


def policies_of(every: tuple[tuple[Label, ...], ...]) -> tuple[PolicyName, ...]:
    """The policies that lists of labels name, each once."""
    named = (PolicyName.of(tuple(map(str, labels))) for labels in every)
    return tuple(dict.fromkeys(name for name in named if name))


def _decode_text(answer: Answer) -> AgentSelectors:
    rows = rows_in(text_of(answer).split("\n"), ("SELECTOR", "USERS", "IDENTITIES"), goes_on=True)
    items = tuple(map(_row, rows))
    return AgentSelectors(provenance=Provenance.of(answer.request, answer.end), items=items)


def _row(row: Row) -> PeerSelector:
    numbers = [number_of(line) for line in row.lines("IDENTITIES")]
    identities = tuple(number for number in numbers if number is not None)
    if len(identities) < len(numbers):
        raise Unreadable(f"a selector selects what is no identity: {row.text('IDENTITIES')[:80]!r}")
    labels = row.text("LABELS")
    policies = tuple(_name(part) for part in labels.split(",")) if labels else None
    return PeerSelector(row.text("SELECTOR"), identities, row.number("USERS"), policies)


def _name(text: str) -> PolicyName:
    namespace, _, name = text.strip().rpartition("/")
    return PolicyName("", namespace, name)


_LIST = ("cilium-dbg", "policy", "selectors")
AgentSelectors.ways = (
    answered("agent's selectors", asks(*_LIST, "-o", "json"), _decode_json),
    answered("agent's selectors as text", asks(*_LIST), _decode_text),
)
