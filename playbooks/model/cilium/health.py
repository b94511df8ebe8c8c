"""Cluster health: how the agent of one node reaches every node and its health endpoint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer, Gap
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.status_response import real_time
from playbooks.model.cilium.wire import refusal, struct_of
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Way, decoding
from playbooks.model.request import Request


class Probe(msgspec.Struct, frozen=True):
    """One protocol towards one address."""

    status: str = ""
    """Why it failed; empty when it did not."""
    last_probed: str = msgspec.field(default="", name="lastProbed")
    """When it was last tried; empty when never, or before 1.18."""

    @property
    def time(self) -> datetime | None:
        """When it was last tried, if that is told."""
        return time_of(self.last_probed)


class Address(msgspec.Struct, frozen=True):
    """One probed address."""

    ip: str = ""
    icmp: Probe | None = None
    http: Probe | None = None

    @property
    def failures(self) -> tuple[tuple[str, Probe], ...]:
        """The protocols that failed."""
        tried = (("ICMP", self.icmp), ("HTTP", self.http))
        return tuple((name, probe) for name, probe in tried if probe and probe.status)

    @property
    def is_failing(self) -> bool:
        """Whether a protocol failed."""
        return bool((self.icmp and self.icmp.status) or (self.http and self.http.status))

    @property
    def is_silent(self) -> bool:
        """Whether both protocols were tried and both failed."""
        return len(self.failures) == 2


class Target(msgspec.Struct, frozen=True, rename="kebab"):
    """A node's own address, or its health endpoint's."""

    primary_address: Address | None = None


class Peer(msgspec.Struct, frozen=True, rename="kebab"):
    """What the agent finds when it probes one node; the node itself is among them."""

    name: str = ""
    """`cluster/node`."""
    host: Target | None = None
    health_endpoint: Target | None = None

    @property
    def cluster(self) -> str:
        """The cluster that the node belongs to; empty when the name does not tell."""
        return self.name.rpartition("/")[0]

    @property
    def node(self) -> str:
        """The node's name."""
        return self.name.rpartition("/")[2]

    @property
    def is_failing(self) -> bool:
        """Whether any probe of the node failed."""
        host, endpoint = self.host_address, self.endpoint_address
        return bool((host and host.is_failing) or (endpoint and endpoint.is_failing))

    @property
    def host_address(self) -> Address | None:
        """How the node's own address answered."""
        return self.host.primary_address if self.host else None

    @property
    def endpoint_address(self) -> Address | None:
        """How the health endpoint on the node answered: this takes the way of pod traffic."""
        return self.health_endpoint.primary_address if self.health_endpoint else None


class Local(msgspec.Struct, frozen=True):
    """Who probed."""

    name: str = ""


class HealthResponse(msgspec.Struct, frozen=True):
    """The answer of the health daemon."""

    local: Local = Local()
    nodes: tuple[Peer, ...] = ()
    """Empty before the first round of probes."""
    timestamp: str = ""
    interval: str = msgspec.field(default="", name="probeInterval")


@dataclass(frozen=True, kw_only=True)
class AgentHealth(Fact):
    """`cilium-health status` of one node."""

    local: str
    """`cluster/node` of who probed."""
    peers: tuple[Peer, ...]
    """Empty before the first round of probes, which is no fault."""
    missed: frozenset[str]
    """Full names of the other nodes of which a probe failed."""
    round_at: datetime | None
    """When the last round of probes began, if that is told."""
    interval: str
    """How far rounds are apart, since 1.18; they grow with the cluster."""
    is_off: bool = False
    """Whether the configuration switches health checks off: then nobody is asked."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents, CiliumConfig)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def neighbours(self) -> tuple[Peer, ...]:
        """The other nodes of the same cluster."""
        cluster = self.local.rpartition("/")[0]
        return tuple(peer for peer in self.peers if peer.name != self.local and peer.cluster == cluster)

    def probed(self, address: Address) -> datetime | None:
        """When an address was last probed: since 1.18 it says so itself, before only the round does."""
        times = [probe.time for probe in (address.icmp, address.http) if probe and probe.time]
        return max(times, default=self.round_at)


def time_of(text: str) -> datetime | None:
    """A time that may be empty, zero or unreadable: then it is unknown."""
    try:
        return real_time(datetime.fromisoformat(text))
    except ValueError:
        return None


def _ask(scene: Scene) -> Request | Gap | AgentHealth:
    config = scene.get(CiliumConfig)
    if not isinstance(config, Gap) and not config.is_on("enable-health-checking", default=True):
        origin = replace(config.provenance, node=scene.node)
        return AgentHealth(
            provenance=origin, local="", peers=(), missed=frozenset(), round_at=None, interval="", is_off=True
        )
    agents = scene.get(Agents)
    agent = agents if isinstance(agents, Gap) else agents.on(scene.node)
    return agent if isinstance(agent, Gap) else agent.command("cilium-health", "status", "-o", "json")


def _decode(answer: Answer) -> AgentHealth | Gap:
    refused = refusal(answer)
    if refused:
        return refused
    response = struct_of(answer, HealthResponse)
    return AgentHealth(
        provenance=Provenance.of(answer.request, answer.end),
        local=response.local.name,
        peers=response.nodes,
        missed=frozenset(
            peer.name for peer in response.nodes if peer.is_failing and peer.name != response.local.name
        ),
        round_at=time_of(response.timestamp),
        interval=response.interval,
    )


AgentHealth.ways = (decoding("health daemon", _ask, _decode),)
