"""Per-node overrides of the agent's configuration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from playbooks.model.fact import Fact, Way
from playbooks.model.kube.meta import Meta, Object, objects
from playbooks.model.kube.resources import NODE_CONFIGS, NODE_CONFIGS_V2ALPHA1
from playbooks.model.kube.selectors import Selector


class NodeConfigSpec(Object, frozen=True):
    """Values for nodes that a selector chooses."""

    node_selector: Selector | None = None
    defaults: dict[str, str] | None = None


class NodeConfig(Object, frozen=True):
    """An override of `cilium-config` for some nodes."""

    metadata: Meta
    spec: NodeConfigSpec = NodeConfigSpec()


@dataclass(frozen=True, kw_only=True)
class NodeConfigs(Fact):
    """All CiliumNodeConfigs."""

    items: tuple[NodeConfig, ...]
    """In the order of the API."""
    ways: ClassVar[tuple[Way, ...]]


NodeConfigs.ways = (
    objects("node configurations", NODE_CONFIGS, NodeConfig, NodeConfigs),
    objects("node configurations v2alpha1", NODE_CONFIGS_V2ALPHA1, NodeConfig, NodeConfigs),
)
