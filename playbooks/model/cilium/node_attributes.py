"""By what nodes differ: pool, zone, kernel and the like; what the sick ones have in common."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Scene
from playbooks.model.kube.nodes import Node, Nodes

POOL_LABELS = (
    "cloud.google.com/gke-nodepool",
    "eks.amazonaws.com/nodegroup",
    "alpha.eksctl.io/nodegroup-name",
    "karpenter.sh/nodepool",
    "kubernetes.azure.com/agentpool",
    "agentpool",
    "doks.digitalocean.com/node-pool",
    "node.openshift.io/machine-config-pool",
    "cluster.x-k8s.io/deployment-name",
)
"""Labels that name a node's pool, the first that is there counts."""
_ROLE = "node-role.kubernetes.io/"
_AGES = ((3600, "under 1h"), (86_400, "under 1d"), (7 * 86_400, "under 7d"), (30 * 86_400, "under 30d"))
_OLD = "30d and more"


class Attribute(StrEnum):
    """By what nodes are told apart."""

    POOL = "pool"
    ZONE = "zone"
    ROLE = "role"
    INSTANCE_TYPE = "instance type"
    ARCHITECTURE = "architecture"
    KERNEL = "kernel"
    OS_IMAGE = "OS image"
    RUNTIME = "container runtime"
    KUBELET = "kubelet version"
    AGENT_VERSION = "agent version"
    AGENT_STARTED = "agent start"
    AGE = "age"


@dataclass(frozen=True, slots=True)
class Contrast:
    """A value that all of some nodes have, and few or none of the others."""

    attribute: Attribute
    """By what they differ."""
    value: str
    """What the chosen nodes have."""
    others: tuple[str, ...]
    """Other nodes that have it too."""


@dataclass(frozen=True, kw_only=True)
class NodeAttributes(Fact):
    """What each node is, in words that are equal for nodes that are alike."""

    by_node: Mapping[str, Mapping[Attribute, str]]
    """By node; an attribute that is not told is absent."""
    needs: ClassVar[tuple[type[Fact], ...]] = (Nodes, Agents)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> NodeAttributes | Gap:
        """Read them off nodes and agent pods."""
        nodes, agents = scene.get(Nodes), scene.get(Agents)
        if isinstance(nodes, Gap):
            return nodes
        known = None if isinstance(agents, Gap) else agents
        by_node = {node.name: dict(_attributes(node, known, nodes.taken_at)) for node in nodes.items}
        return cls(provenance=replace(nodes.provenance, way="nodes and agent pods"), by_node=by_node)

    def groups(self, attribute: Attribute) -> Mapping[str, tuple[str, ...]]:
        """The nodes of each value."""
        found: dict[str, list[str]] = defaultdict(list)
        for node, attributes in self.by_node.items():
            if attribute in attributes:
                found[attributes[attribute]].append(node)
        return {value: tuple(nodes) for value, nodes in sorted(found.items())}

    def contrasts(self, chosen: Iterable[str]) -> tuple[Contrast, ...]:
        """What these nodes have in common and not all others have, the sharpest first."""
        names = frozenset(chosen)
        mine = [self.by_node.get(node, {}) for node in names]
        found = []
        for attribute in Attribute:
            values = {attributes.get(attribute) for attributes in mine}
            value = next(iter(values)) if len(values) == 1 else None
            if value is None:
                continue
            rest = [node for node in self.by_node if node not in names]
            others = tuple(node for node in rest if self.by_node[node].get(attribute) == value)
            if len(others) < len(rest):
                found.append(Contrast(attribute, value, others))
        return tuple(sorted(found, key=lambda one: len(one.others)))


def _attributes(node: Node, agents: Agents | None, now: datetime) -> Iterator[tuple[Attribute, str]]:
    meta, info = node.metadata, node.status.node_info
    agent = agents.by_node.get(node.name) if agents else None
    told = {
        Attribute.POOL: next((meta.label(key) for key in POOL_LABELS if meta.label(key)), ""),
        Attribute.ZONE: meta.label("topology.kubernetes.io/zone")
        or meta.label("failure-domain.beta.kubernetes.io/zone"),
        Attribute.ROLE: _roles(node),
        Attribute.INSTANCE_TYPE: meta.label("node.kubernetes.io/instance-type")
        or meta.label("beta.kubernetes.io/instance-type"),
        Attribute.ARCHITECTURE: info.architecture,
        Attribute.KERNEL: info.kernel_version,
        Attribute.OS_IMAGE: info.os_image,
        Attribute.RUNTIME: info.container_runtime_version,
        Attribute.KUBELET: info.kubelet_version,
        Attribute.AGENT_VERSION: agent.version if agent else "",
        Attribute.AGENT_STARTED: _age(agent.started_at if agent else None, now),
        Attribute.AGE: _age(meta.creation_timestamp, now),
    }
    return ((attribute, value) for attribute, value in told.items() if value)


def _roles(node: Node) -> str:
    labels = node.metadata.labels or {}
    return ",".join(sorted(key.removeprefix(_ROLE) for key in labels if key.startswith(_ROLE)))


def _age(since: datetime | None, now: datetime) -> str:
    """How old something is, in few steps: nodes of one age are alike though no two are equal."""
    if since is None:
        return ""
    seconds = (now - since).total_seconds()
    return next((words for limit, words in _AGES if seconds < limit), _OLD)
