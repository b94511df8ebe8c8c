"""The policies that an agent computed, one for each identity of its endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.cilium.agent.columns import Row
from playbooks.model.cilium.agent.tables import Table
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of
from playbooks.model.fact import Fact, Scope, Unreadable, Way

_RESERVED = {
    "host": 1,
    "world": 2,
    "unmanaged": 3,
    "health": 4,
    "init": 5,
    "remote-node": 6,
    "kube-apiserver": 7,
    "ingress": 8,
    "world-ipv4": 9,
    "world-ipv6": 10,
}
"""Identities that text shows by name."""


@dataclass(frozen=True, slots=True)
class Computation:
    """The policy of one identity."""

    identity: int
    """The identity."""
    revision: int
    """Of the policy that it was computed from."""
    error: str
    """Why it could not be computed; empty when it could."""


@dataclass(frozen=True, kw_only=True)
class AgentComputations(Fact):
    """The table `policy-computations` of one agent, seen in 1.20."""

    items: tuple[Computation, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Computation(msgspec.Struct, frozen=True, rename="pascal"):
    identity: int
    revision: int
    err: object = None


def _computation(one: _Computation) -> Computation:
    # An error of Go may have no form in JSON but an empty object.
    said = one.err if isinstance(one.err, str) else "not told" if one.err is not None else ""
    return Computation(one.identity, one.revision, said)


def _row(row: Row) -> Computation:
    name = row.text("Identity")
    identity = _RESERVED.get(name, number_of(name))
    if identity is None:
        raise Unreadable(f"not an identity: {name[:40]!r}")
    return Computation(identity, row.number("Revision"), row.text("Err"))


COMPUTATIONS = Table(
    "policy-computations",
    _Computation,
    ("Identity", "Revision", "Err"),
    _computation,
    _row,
    AgentComputations,
)
AgentComputations.ways = COMPUTATIONS.ways()
