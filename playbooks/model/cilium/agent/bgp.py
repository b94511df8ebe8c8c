"""BGP as an agent speaks it: its sessions, and the routes that it announces."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer, Gap
from playbooks.model.cilium.agent.commands import asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.wire import refusal, rows_of
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Way, decoding
from playbooks.model.request import Request
from playbooks.model.text import decoded

_OFF = "BGP Control Plane is disabled"
_SWITCH = "enable-bgp-control-plane"
_ROUTES_SINCE = (1, 15)


class PeerFamily(msgspec.Struct, frozen=True):
    """Routes of one address family with a peer; zeros are left out by the agent."""

    afi: str = ""
    safi: str = ""
    received: int = 0
    accepted: int = 0
    advertised: int = 0


class BgpSession(msgspec.Struct, frozen=True, rename="kebab"):
    """A session with one peer."""

    local_asn: int | None = None
    peer_asn: int | None = None
    peer_address: str = ""
    peer_port: int | None = None
    session_state: str = ""
    """`established`, `active`, `idle` …"""
    uptime_nanoseconds: int | None = None
    """Since when it is established."""
    families: tuple[PeerFamily, ...] | None = None
    configured_hold_time_seconds: int | None = None
    applied_hold_time_seconds: int | None = None
    tcp_password_enabled: bool | None = None
    """Told since 1.15."""
    name: str = ""
    """Told since 1.20."""

    @property
    def is_established(self) -> bool:
        """Whether routes are exchanged."""
        return self.session_state.lower() == "established"


class BgpPath(msgspec.Struct, frozen=True, rename="kebab"):
    """One way to a prefix."""

    best: bool = False
    stale: bool = False
    age_nanoseconds: int | None = None


class BgpRoute(msgspec.Struct, frozen=True, rename="kebab"):
    """One prefix."""

    prefix: str = ""
    router_asn: int | None = None
    neighbor: str = ""
    """The peer that it is announced to; told since 1.16."""
    paths: tuple[BgpPath, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class AgentBgpSessions(Fact):
    """`cilium-dbg bgp peers` of one node; asked only where the configuration does not say that it is off."""

    is_on: bool
    """Whether the agent speaks BGP at all."""
    items: tuple[BgpSession, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, CiliumConfig)
    ways: ClassVar[tuple[Way, ...]]


@dataclass(frozen=True, kw_only=True)
class AgentBgpRoutes(Fact):
    """Routes that an agent announces to its peers, of one address family."""

    is_on: bool
    """Whether the agent speaks BGP at all."""
    items: tuple[BgpRoute, ...]
    """In the order of the agent."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)


@dataclass(frozen=True, kw_only=True)
class AgentBgpRoutesV4(AgentBgpRoutes):
    """`cilium-dbg bgp routes advertised ipv4 unicast` of one node."""

    ways: ClassVar[tuple[Way, ...]]


@dataclass(frozen=True, kw_only=True)
class AgentBgpRoutesV6(AgentBgpRoutes):
    """`cilium-dbg bgp routes advertised ipv6 unicast` of one node."""

    ways: ClassVar[tuple[Way, ...]]


_ask_peers = asks("cilium-dbg", "bgp", "peers", "-o", "json")


def _ask_sessions(scene: Scene) -> Request | Gap | Fact:
    config = scene.get(CiliumConfig)
    if isinstance(config, CiliumConfig) and not config.is_on(_SWITCH):
        return AgentBgpSessions(provenance=config.provenance, is_on=False, items=())
    return _ask_peers(scene)


def _is_off(answer: Answer) -> bool:
    # 1.20 says so and ends well, also where JSON was asked for; older versions end with an error.
    said = f"{decoded(answer.body[:4096])}\n{decoded(answer.end.stderr[:4096])}"
    return not said.lstrip().startswith(("[", "{")) and _OFF in said


def _sessions(answer: Answer) -> AgentBgpSessions | Gap:
    provenance = Provenance.of(answer.request, answer.end)
    if _is_off(answer):
        return AgentBgpSessions(provenance=provenance, is_on=False, items=())
    refused = refusal(answer)
    return refused or AgentBgpSessions(provenance=provenance, is_on=True, items=rows_of(answer, BgpSession))


def _routes(kind: type[AgentBgpRoutes]) -> Callable[[Answer], AgentBgpRoutes | Gap]:
    def decode(answer: Answer) -> AgentBgpRoutes | Gap:
        provenance = Provenance.of(answer.request, answer.end)
        if _is_off(answer):
            return kind(provenance=provenance, is_on=False, items=())
        refused = refusal(answer)
        return refused or kind(provenance=provenance, is_on=True, items=rows_of(answer, BgpRoute))

    return decode


def _ways(kind: type[AgentBgpRoutes], family: str) -> tuple[Way, ...]:
    argv = ("cilium-dbg", "bgp", "routes", "advertised", family, "unicast", "-o", "json")
    return (decoding(f"agent's BGP routes, {family}", asks(*argv, since=_ROUTES_SINCE), _routes(kind)),)


AgentBgpSessions.ways = (decoding("agent's BGP sessions", _ask_sessions, _sessions),)
AgentBgpRoutesV4.ways = _ways(AgentBgpRoutesV4, "ipv4")
AgentBgpRoutesV6.ways = _ways(AgentBgpRoutesV6, "ipv6")
