"""Cluster health: how the agent of one node reaches every node and its health endpoint."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from playbooks.model.answer import Answer, Gap
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.health_response import Address, HealthResponse, Peer, time_of
from playbooks.model.cilium.health_text import read_health
from playbooks.model.cilium.wire import refusal, struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Scene, Scope, Way, decoding
from playbooks.model.request import Request


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


def _json(scene: Scene) -> Request | Gap | AgentHealth:
    return _ask(scene, "-o", "json")


def _text(scene: Scene) -> Request | Gap | AgentHealth:
    return _ask(scene, "--verbose")


def _ask(scene: Scene, *flags: str) -> Request | Gap | AgentHealth:
    config = scene.get(CiliumConfig)
    if not isinstance(config, Gap) and not config.is_on("enable-health-checking", default=True):
        origin = replace(config.provenance, node=scene.node)
        return AgentHealth(
            provenance=origin, local="", peers=(), missed=frozenset(), round_at=None, interval="", is_off=True
        )
    agents = scene.get(Agents)
    agent = agents if isinstance(agents, Gap) else agents.on(scene.node)
    return agent if isinstance(agent, Gap) else agent.command("cilium-health", "status", *flags)


def _decode_json(answer: Answer) -> AgentHealth | Gap:
    return refusal(answer) or _fact(answer, struct_of(answer, HealthResponse))


def _decode_text(answer: Answer) -> AgentHealth | Gap:
    return refusal(answer) or _fact(answer, read_health(text_of(answer)))


def _fact(answer: Answer, response: HealthResponse) -> AgentHealth:
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


AgentHealth.ways = (
    decoding("health daemon", _json, _decode_json),
    decoding("health daemon as text", _text, _decode_text),
)
