"""Settings of the kernel that an agent wants, and whether it could set them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.cilium.agent.columns import Row
from playbooks.model.cilium.agent.tables import Table
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Scope, Way


@dataclass(frozen=True, slots=True)
class Sysctl:
    """One setting."""

    name: str
    """With dots, such as `net.ipv4.conf.all.rp_filter`."""
    value: str
    """What the agent wants; the kernel may hold something else by now."""
    status: str
    """Done, Pending, Refreshing or Error."""
    error: str
    """Why it could not be set; empty when it could."""


@dataclass(frozen=True, kw_only=True)
class AgentSysctls(Fact):
    """The table `sysctl` of one agent."""

    items: tuple[Sysctl, ...]
    """In the order of the table."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Status(msgspec.Struct, frozen=True):
    kind: str = ""
    error: str = ""


class _Sysctl(msgspec.Struct, frozen=True, rename="pascal"):
    name: tuple[str, ...]
    val: str
    status: _Status = _Status()


def _sysctl(one: _Sysctl) -> Sysctl:
    return Sysctl(".".join(one.name), one.val, one.status.kind, one.status.error)


def _row(row: Row) -> Sysctl:
    # `Done (2.7m ago)`; an error stands behind its word.
    status, _, rest = row.text("Status").partition(" ")
    error = rest.strip() if status.rstrip(":") == "Error" else ""
    return Sysctl(row.text("Name"), row.text("Value"), status.rstrip(":"), error)


SYSCTL = Table("sysctl", _Sysctl, ("Name", "Value", "Status"), _sysctl, _row, AgentSysctls, (1, 16))
AgentSysctls.ways = SYSCTL.ways()
