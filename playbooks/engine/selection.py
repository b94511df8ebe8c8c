"""Which nodes' agents are asked: all of them in small clusters, the telling ones in large ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase

from playbooks.model.answer import Gap, GapKind
from playbooks.model.cilium.agents import Agents
from playbooks.model.kube.nodes import Nodes

ALL_UP_TO = 100
"""Nodes up to which every agent is asked without being told to."""
CONTROLS = 5
"""Healthy nodes that are asked beside the sick ones, for comparison."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The nodes of a run."""

    nodes: tuple[str, ...] = ()
    """Nodes that count."""
    asked: frozenset[str] = frozenset()
    """Those whose agents are asked."""
    sick: frozenset[str] = frozenset()
    """Those with a symptom: asked first."""

    def refusal(self) -> Callable[[str], Gap | None]:
        """For a node, why it is not asked."""
        return lambda node: None if node in self.asked else _not_asked(node, len(self.asked), len(self.nodes))


def _not_asked(node: str, asked: int, total: int) -> Gap:
    return Gap(
        GapKind.TOO_COSTLY,
        f"{asked} of {total} nodes were asked; {node} was not",
        node=node,
        remedy="ask them all with --all-nodes, or choose some with --node",
    )


def select(
    agents: Agents,
    nodes: Nodes | Gap,
    globs: tuple[str, ...],
    *,
    all_nodes: bool,
    wanted: frozenset[str] = frozenset(),
) -> Selection:
    """Choose nodes by the person's globs and by how many there are; those of a target are always asked."""
    chosen = tuple(name for name in agents.nodes if _matches(name, globs))
    sick = frozenset(name for name in chosen if _is_sick(name, agents, nodes))
    if all_nodes or globs or len(chosen) <= ALL_UP_TO:
        return Selection(chosen, frozenset(chosen), sick)
    sound = [name for name in chosen if name not in sick]
    # Evenly spread controls meet more pools and zones than the first five names would.
    stride = max(1, len(sound) // CONTROLS)
    controls = frozenset(sound[::stride][:CONTROLS])
    return Selection(chosen, sick | controls | (wanted & frozenset(chosen)), sick)


def unmatched(names: Iterable[str], globs: tuple[str, ...]) -> tuple[str, ...]:
    """The globs that match no node at all."""
    names = tuple(names)
    return tuple(glob for glob in globs if not any(fnmatchcase(name, glob) for name in names))


def _matches(name: str, globs: tuple[str, ...]) -> bool:
    return not globs or any(fnmatchcase(name, glob) for glob in globs)


def _is_sick(name: str, agents: Agents, nodes: Nodes | Gap) -> bool:
    agent = agents.by_node.get(name)
    status = agent.status if agent else None
    if status is None or not status.ready or status.restart_count > 0:
        return True
    node = None if isinstance(nodes, Gap) else nodes.get(name)
    ready = node.condition("Ready") if node else None
    return ready is not None and ready.status != "True"
