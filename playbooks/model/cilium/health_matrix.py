"""Who reaches whom, from the probes of all agents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health import AgentHealth
from playbooks.model.cilium.health_response import Address, Peer
from playbooks.model.cilium.status_controllers import seconds_of
from playbooks.model.fact import Fleet

_FRESH = 600.0
"""Seconds for which a probe says something about now."""
_SETTLED = 300.0
"""Seconds after which an agent must have probed its peers, and its peers it."""
_FEW = 2
"""Peers that an agent must miss before the agent itself is suspected."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What one agent finds at one other node, lately."""

    observer: str
    """The node that probed."""
    target: str
    """The node that was probed."""
    host: Address | None
    """Its own address, unless it failed and was not probed lately."""
    endpoint: Address | None
    """Its health endpoint, unless it failed and was not probed lately."""

    @property
    def is_host_lost(self) -> bool:
        """Whether the node answered on no protocol."""
        return self.host is not None and self.host.is_silent

    @property
    def is_endpoint_lost(self) -> bool:
        """Whether the health endpoint answered on no protocol."""
        return self.endpoint is not None and self.endpoint.is_silent

    @property
    def is_lost(self) -> bool:
        """Whether either is silent: two failed probes, never one."""
        return self.is_host_lost or self.is_endpoint_lost

    @property
    def proof(self) -> str:
        """The failed probes in one line."""
        every = (("node", self.host), ("health endpoint", self.endpoint))
        return "; ".join(
            f"{what} {address.ip} {protocol}: {probe.status}"
            for what, address in every
            if address
            for protocol, probe in address.failures
        )


def sights(healths: Fleet[AgentHealth], agents: Agents) -> tuple[Sight, ...]:
    """What agents that have settled find at other nodes, as far as anybody misses anybody.

    Between a thousand nodes there are a million probes; those of a sound pair are not looked at twice.
    """
    targets = set().union(*(health.missed for _, health in healths))
    found = []
    for node, health in healths if targets else ():
        agent = agents.by_node.get(node)
        if agent is None or not agent.has_run_for(_SETTLED, health.taken_at):
            continue
        for peer in health.neighbours:
            if (health.missed or peer.name in targets) and _counts(peer, health, agents):
                found.append(_sight(node, health, peer))
    return tuple(found)


def own_sight(health: AgentHealth, node: str, agents: Agents) -> Sight | None:
    """What a settled agent finds at its own node."""
    own = next((peer for peer in health.peers if peer.name == health.local), None)
    agent = agents.by_node.get(node)
    if own is None or agent is None or not agent.has_run_for(_SETTLED, health.taken_at):
        return None
    return _sight(node, health, own)


def blind(every: Iterable[Sight]) -> Mapping[str, tuple[Sight, ...]]:
    """Agents that reach none of their peers, while these are reached by others; with what they miss."""
    by_observer: dict[str, list[Sight]] = {}
    reached: dict[str, set[str]] = {}
    for sight in every:
        by_observer.setdefault(sight.observer, []).append(sight)
        if not sight.is_lost:
            reached.setdefault(sight.target, set()).add(sight.observer)
    return {
        observer: tuple(seen)
        for observer, seen in by_observer.items()
        if len(seen) >= _FEW
        and all(sight.is_lost for sight in seen)
        and sum(bool(reached.get(sight.target)) for sight in seen) * 2 > len(seen)
    }


def _counts(peer: Peer, health: AgentHealth, agents: Agents) -> bool:
    """Whether a peer is a node of now that had time to settle; nodes that are gone linger in the list."""
    agent = agents.by_node.get(peer.node)
    if agent is None or not agent.is_running:
        return peer.node in agents.nodes
    return agent.has_run_for(_SETTLED, health.taken_at)


def _sight(node: str, health: AgentHealth, peer: Peer) -> Sight:
    host, endpoint = peer.host_address, peer.endpoint_address
    return Sight(node, peer.node, _fresh(host, health), _fresh(endpoint, health))


def _fresh(address: Address | None, health: AgentHealth) -> Address | None:
    if address is None or not address.is_failing:
        # An old success counts as one: it can only keep a fault from being told.
        return address
    probed = health.probed(address)
    if probed is None:
        return None
    age = (health.taken_at - probed).total_seconds()
    return address if age <= max(_FRESH, 3 * seconds_of(health.interval)) else None
