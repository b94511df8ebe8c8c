"""What one agent knows: the world seen from one node."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from playbooks.practice import agents
from playbooks.practice.catalog import PODS
from playbooks.practice.naming import stable
from playbooks.practice.network import Endpoint, NodeNetwork
from playbooks.practice.objects import Json
from playbooks.practice.policies import lockdown
from playbooks.practice.runs import PodRun

if TYPE_CHECKING:
    from playbooks.practice.world import World


@dataclass(frozen=True, slots=True)
class LocalEndpoint:
    """An endpoint as its agent lists it."""

    endpoint: Endpoint | None
    """Its addresses; none for the host."""
    id: int
    """Number on the node."""
    identity: int
    """Security identity."""
    labels: tuple[str, ...]
    """Labels that make the identity."""
    namespace: str = ""
    """The pod's namespace."""
    pod: str = ""
    """The pod's name."""
    is_restored: bool = False
    """Whether the agent found it when it started."""
    template_hash: str = ""
    """The pod's template hash."""
    ports: tuple[tuple[str, int, str], ...] = ()
    """Named ports: name, number, protocol."""
    failing: datetime | None = None
    """Since when its policy does not fit into its map, so that it cannot be regenerated."""

    @property
    def title(self) -> str:
        """The pod as `namespace/name`; `/` for the host and health."""
        return f"{self.namespace}/{self.pod}"


@dataclass(frozen=True)
class AgentView:
    """One agent that is up."""

    world: World
    """The world."""
    run: PodRun
    """The agent's pod."""

    @property
    def now(self) -> datetime:
        """The time."""
        return self.world.now

    @property
    def node(self) -> str:
        """The node's name."""
        return self.run.node

    @property
    def name(self) -> str:
        """The node's name in the mesh."""
        return f"{self.world.cluster}/{self.node}"

    @property
    def version(self) -> str:
        """Cilium's version."""
        return self.world.profile.version

    def is_on(self, key: str, *, default: bool = False) -> bool:
        """Whether an option is on in the configuration that the agent runs with."""
        return self.config.get(key, str(default)).lower() == "true"

    @property
    def network(self) -> NodeNetwork:
        """The node's addresses."""
        return self.world.network.nodes[self.node]

    @property
    def config(self) -> dict[str, str]:
        """The configuration that the agent runs with."""
        return self.run.config

    @cached_property
    def started(self) -> datetime:
        """When the agent's program had come up."""
        container = agents.container_of(self.run)
        assert container.run is not None
        return container.run.noticed.get("definitions", container.run.started)

    @cached_property
    def boot(self) -> str:
        """What differs in every run of the agent."""
        container = agents.container_of(self.run)
        assert container.run is not None
        return container.run.container_id

    @property
    def uptime(self) -> float:
        """Seconds since the agent came up."""
        return (self.now - self.started).total_seconds()

    def last(self, period: float, what: str) -> tuple[datetime, int]:
        """When something periodic last happened, and how often it did by now."""
        offset = stable(f"{self.boot}{what}", 0, 999) / 1000 * min(period, 5.0)
        count = max(int((self.uptime - offset) // period), 0)
        return self.started + timedelta(seconds=offset + count * period), count + 1

    @cached_property
    def endpoints(self) -> tuple[LocalEndpoint, ...]:
        """Local endpoints by number."""
        found = [
            LocalEndpoint(None, self.network.host_id, 1, ("reserved:host",), is_restored=True),
        ]
        if self.network.health is not None:
            health = self.network.health
            found.append(LocalEndpoint(health, health.id, 4, ("reserved:health",)))
        current = agents.container_of(self.run).run
        for run in self.world.policies.census.pods(self.node):
            endpoint = self.world.network.endpoints[run.namespace, run.name]
            known = self.world.policies.census.known(run)
            ports = agents.named_ports(run.pod)
            found.append(
                LocalEndpoint(
                    endpoint,
                    endpoint.id,
                    known.identity,
                    known.labels,
                    run.namespace,
                    run.name,
                    endpoint.created < self.started,
                    run.pod["metadata"].get("labels", {}).get("pod-template-hash", ""),
                    tuple((port["name"], port["containerPort"], port["protocol"]) for port in ports),
                    lockdown.since(current, endpoint.id) if current else None,
                )
            )
        return tuple(sorted(found, key=lambda entry: entry.id))

    @property
    def revision(self) -> int:
        """The revision of the policies."""
        return self.world.policies.shelf.revision(self.started)

    @property
    def pod_count(self) -> int:
        """How many pods of the node the agent sees."""
        pods: list[Json] = self.world.store.all(PODS)
        return sum(pod["spec"].get("nodeName") == self.node for pod in pods)
