"""What went wrong inside of agents, behind everybody's back; a new agent of the node begins anew."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playbooks.practice.world import World


@dataclass(slots=True)
class Tampering:
    """Faults of agents that no object tells of, by the uid of the agent's pod."""

    unknown: set[tuple[str, tuple[str, str]]] = field(default_factory=set)
    """Pods, by namespace and name, of whose addresses an agent has not heard."""
    leads: dict[str, int] = field(default_factory=dict)
    """The port to which the rules of an agent's node lead questions for names, where it is an old one."""

    stalled: set[str] = field(default_factory=set)
    """Agents that do not come to an end when they make endpoints."""
    foreign: set[str] = field(default_factory=set)
    """Nodes whose container runtime asks another network plugin than Cilium's, which no agent can help."""

    def forget(self, world: World, node: str, pod: tuple[str, str]) -> None:
        """Let the agent of a node not know a pod."""
        self.unknown.add((world.agents[node].uid, pod))

    def knows(self, world: World, node: str, pod: tuple[str, str]) -> bool:
        """Whether the agent of a node knows whose a pod's address is."""
        run = world.agents.get(node)
        return run is None or (run.uid, pod) not in self.unknown

    def mislead(self, world: World, node: str, port: int) -> None:
        """Let a node's rules lead questions for names to a port."""
        self.leads[world.agents[node].uid] = port

    def stall(self, world: World, node: str) -> None:
        """Let the agent of a node not come to an end when it makes endpoints."""
        self.stalled.add(world.agents[node].uid)

    def is_stalled(self, world: World, node: str) -> bool:
        """Whether it does not."""
        run = world.agents.get(node)
        return run is not None and run.uid in self.stalled

    def leads_astray(self, world: World, node: str) -> int:
        """The port that nobody listens at, to which a node leads questions for names; 0 for none."""
        run = world.agents.get(node)
        return self.leads.get(run.uid, 0) if run is not None else 0
