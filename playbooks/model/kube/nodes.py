"""Nodes: ready or not, tainted or not, and what they run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.fact import Fact, Way
from playbooks.model.finding import Ref
from playbooks.model.kube.meta import KubeCondition, Meta, Object, listing
from playbooks.model.kube.resources import NODES
from playbooks.model.request import Objects


class Taint(Object, frozen=True):
    """A taint."""

    key: str = ""
    value: str = ""
    effect: str = ""


class NodeSpec(Object, frozen=True):
    """A node as asked for."""

    taints: tuple[Taint, ...] | None = None
    pod_cidrs: tuple[str, ...] | None = msgspec.field(default=None, name="podCIDRs")
    provider_id: str = msgspec.field(default="", name="providerID")
    unschedulable: bool = False


class NodeInfo(Object, frozen=True):
    """What a node runs on."""

    kernel_version: str = ""
    os_image: str = ""
    architecture: str = ""
    operating_system: str = ""
    kubelet_version: str = ""
    container_runtime_version: str = ""


class NodeAddress(Object, frozen=True):
    """An address of a node."""

    type: str = ""
    address: str = ""


class NodeStatus(Object, frozen=True):
    """A node as it is."""

    conditions: tuple[KubeCondition, ...] | None = None
    addresses: tuple[NodeAddress, ...] | None = None
    node_info: NodeInfo = NodeInfo()


class Node(Object, frozen=True):
    """A node."""

    metadata: Meta
    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    @property
    def ref(self) -> Ref:
        """As a subject."""
        return Ref("Node", self.name, node=self.name)

    def condition(self, kind: str) -> KubeCondition | None:
        """A condition, if the node has it."""
        return next((c for c in self.status.conditions or () if c.type == kind), None)

    def taint(self, key: str) -> Taint | None:
        """A taint by its key, if the node has it."""
        return next((t for t in self.spec.taints or () if t.key == key), None)

    @property
    def is_ready(self) -> bool:
        """Whether its Ready condition is True."""
        ready = self.condition("Ready")
        return ready is not None and ready.status == "True"

    @property
    def operating_system(self) -> str:
        """`linux`, `windows` …, from the status or the label."""
        return self.status.node_info.operating_system or self.metadata.label("kubernetes.io/os")


@dataclass(frozen=True, kw_only=True)
class Nodes(Fact):
    """All nodes of the cluster."""

    items: tuple[Node, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]

    def get(self, name: str) -> Node | None:
        """A node by name."""
        return next((node for node in self.items if node.name == name), None)


Nodes.ways = (
    listing(
        "nodes",
        lambda scene: Objects(NODES),
        Node,
        lambda provenance, items: Nodes(provenance=provenance, items=items),
    ),
)
