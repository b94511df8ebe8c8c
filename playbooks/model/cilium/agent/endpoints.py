"""The endpoints of a node, as its agent has them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.answer import Answer
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agent.endpoint import (
    AddressPair,
    Endpoint,
    EndpointStatus,
    Networking,
    PolicyStatus,
    SecurityIdentity,
)
from playbooks.model.cilium.agent.realized import EndpointPolicy
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of, rows_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_COLUMNS = ("ENDPOINT", "POLICY (ingress)", "POLICY (egress)", "IDENTITY", "IPv6", "IPv4", "STATUS")
_LABELS = "LABELS (source:key[=value])"
_ENFORCED = {"Disabled": "", "Enabled": "on", "Disabled (Audit)": "audit"}


@dataclass(frozen=True, kw_only=True)
class AgentEndpoints(Fact):
    """`cilium-dbg endpoint list` of one node."""

    items: tuple[Endpoint, ...]
    """In the order of the agent; the host's and the health endpoint are among them."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def get(self, endpoint: int) -> Endpoint | None:
        """The endpoint of a number."""
        return next((item for item in self.items if item.id == endpoint), None)

    def at(self, address: str) -> Endpoint | None:
        """The endpoint that has an address."""
        return next((item for item in self.items if address in item.addresses), None)

    @property
    def of_pods(self) -> Iterator[Endpoint]:
        """Endpoints of pods: those whose labels tell a namespace."""
        return (item for item in self.items if item.namespace)


def _decode_json(answer: Answer) -> AgentEndpoints:
    items = rows_of(answer, Endpoint)
    return AgentEndpoints(provenance=Provenance.of(answer.request, answer.end), items=items)


def _decode_text(answer: Answer) -> AgentEndpoints:
    lines = text_of(answer).split("\n")
    if len(lines) > 1 and set(lines[1].split()) == {"ENFORCEMENT"}:
        del lines[1]
    items = tuple(_endpoint(row) for row in rows_in(lines, (*_COLUMNS, _LABELS), goes_on=True))
    return AgentEndpoints(provenance=Provenance.of(answer.request, answer.end), items=items)


def _endpoint(row: Row) -> Endpoint:
    enabled = _enforcement(row.text("POLICY (ingress)"), row.text("POLICY (egress)"))
    pair = AddressPair(row.text("IPv4"), row.text("IPv6"))
    identity = number_of(row.text("IDENTITY"))
    return Endpoint(
        row.number("ENDPOINT"),
        EndpointStatus(
            row.text("STATUS"),
            SecurityIdentity(identity, row.lines(_LABELS)) if identity is not None else None,
            Networking((pair,) if pair != AddressPair() else ()),
            PolicyStatus(realized=EndpointPolicy(policy_enabled=enabled)),
        ),
    )


def _enforcement(ingress: str, egress: str) -> str:
    for word in (ingress, egress):
        if word not in _ENFORCED:
            raise Unreadable(f"a policy is neither enabled nor disabled: {word[:40]!r}")
    modes = {_ENFORCED[ingress], _ENFORCED[egress]} - {""}
    if len(modes) > 1:
        return ""
    both = {"ingress": _ENFORCED[ingress], "egress": _ENFORCED[egress]}
    directions = [direction for direction, mode in both.items() if mode]
    name = "both" if len(directions) == 2 else (*directions, "none")[0]
    return f"audit-{name}" if modes == {"audit"} else name


AgentEndpoints.ways = (
    answered("agent's endpoints", asks("cilium-dbg", "endpoint", "list", "-o", "json"), _decode_json),
    answered("agent's endpoints as text", asks("cilium-dbg", "endpoint", "list"), _decode_text),
)
