"""What the ConfigMap asks for beside what an agent runs with, for keys whose running value can be seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.cilium.agents import Agent
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.node_configs import NodeConfigs
from playbooks.model.cilium.options import AgentOptions
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.fact import Fact, Scene, Scope
from playbooks.model.finding import Evidence
from playbooks.model.kube.meta import ManagedFields
from playbooks.model.kube.nodes import Node, Nodes

OVERRIDE = "config.cilium.io/"
"""Prefix of node annotations that override a key for one node."""
TRUE = frozenset({"true", "1", "t", "yes", "on", "strict", "enabled"})
_FALSE = frozenset({"false", "0", "f", "no", "off", "disabled"})

_FIELDS: dict[str, str] = {
    "auto-direct-node-routes": "EnableAutoDirectRouting",
    "bpf-ct-global-any-max": "CTMapEntriesGlobalAny",
    "bpf-ct-global-tcp-max": "CTMapEntriesGlobalTCP",
    "cluster-id": "ClusterID",
    "cluster-name": "ClusterName",
    "debug": "Debug",
    "disable-endpoint-crd": "DisableCiliumEndpointCRD",
    "enable-bgp-control-plane": "EnableBGPControlPlane",
    "enable-cilium-endpoint-slice": "EnableCiliumEndpointSlice",
    "enable-egress-gateway": "EnableEgressGateway",
    "enable-endpoint-routes": "EnableEndpointRoutes",
    "enable-health-checking": "EnableHealthChecking",
    "enable-host-legacy-routing": "EnableHostLegacyRouting",
    "enable-ipv4": "EnableIPv4",
    "enable-ipv6": "EnableIPv6",
    "enable-l2-announcements": "EnableL2Announcements",
    "enable-l7-proxy": "EnableL7Proxy",
    "enable-local-redirect-policy": "EnableLocalRedirectPolicy",
    "enable-policy": "EnablePolicy",
    "enable-sctp": "EnableSCTP",
    "identity-allocation-mode": "IdentityAllocationMode",
    "ipam": "IPAM",
    "monitor-aggregation": "MonitorAggregation",
    "policy-audit-mode": "PolicyAuditMode",
    "routing-mode": "RoutingMode",
}
"""Keys of cilium-config that the agent takes over as they are, and its field for each.

Keys whose value the agent derives from the kernel or from other keys are left out.
"""
_DYNAMIC = {"bpf-ct-global-any-max": "262144", "bpf-ct-global-tcp-max": "524288"}
"""Sizes that mean nothing beside a dynamic ratio: the defaults."""

TOGETHER = frozenset(
    {"cluster-id", "cluster-name", "identity-allocation-mode", "ipam", "routing-mode", "tunnel-protocol"}
)
"""Keys on which all agents must agree: where they do not, nodes cannot talk to each other."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One key."""

    key: str
    """The key in the ConfigMap."""
    wanted: str
    """What it says there, or what was said for this node alone."""
    running: str
    """What the agent runs with."""
    proof: Evidence
    """Where the running value was seen."""
    is_overridden: bool
    """Whether it is said for this node alone, and not in the ConfigMap."""

    @property
    def is_same(self) -> bool:
        """Whether both mean the same."""
        return same(self.wanted, self.running)


@dataclass(frozen=True, kw_only=True)
class RunningSettings(Fact):
    """The comparable keys of one node."""

    items: tuple[Setting, ...]
    """Keys that the ConfigMap holds and whose running value is known."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (
        CiliumConfig,
        Nodes,
        NodeConfigs,
        AgentStatus,
        AgentOptions,
    )
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> RunningSettings | Gap:
        """Compare the ConfigMap with the agent's options, and with its status where these tell nothing."""
        config, nodes, configs = scene.get(CiliumConfig), scene.get(Nodes), scene.get(NodeConfigs)
        status, options = scene.get(AgentStatus), scene.get(AgentOptions)
        if isinstance(config, Gap):
            return config
        known = options if isinstance(options, AgentOptions) else status
        if isinstance(known, Gap):
            return known
        node = None if isinstance(nodes, Gap) else nodes.get(scene.node)
        running = {
            **(dict(_of_status(status)) if isinstance(status, AgentStatus) else {}),
            **(dict(_of_options(options)) if isinstance(options, AgentOptions) else {}),
        }
        own = _overridden(config, node, None if isinstance(configs, Gap) else configs)
        items = _settings(config.values, own, running)
        return cls(provenance=replace(known.provenance, way="ConfigMap beside agent"), items=tuple(items))

    @property
    def differing(self) -> tuple[Setting, ...]:
        """Keys with which the agent does not run as it is asked to."""
        return tuple(item for item in self.items if not item.is_same)


def asked(config: CiliumConfig, node: Node | None, overrides: NodeConfigs | None, key: str) -> str:
    """What a node is asked to do: what was said for this node goes before the ConfigMap."""
    return _overridden(config, node, overrides).get(key, config.get(key)).strip()


def _overridden(config: CiliumConfig, node: Node | None, overrides: NodeConfigs | None) -> dict[str, str]:
    """Keys that a CiliumNodeConfig or an annotation sets for one node."""
    found: dict[str, str] = {}
    labels, annotations = (node.metadata.labels or {}, node.metadata.annotations or {}) if node else ({}, {})
    for item in overrides.items if overrides else ():
        selector = item.spec.node_selector
        is_ours = item.metadata.namespace == config.metadata.namespace
        if is_ours and selector is not None and selector.matches(labels):
            found.update(item.spec.defaults or {})
    annotated = {key.removeprefix(OVERRIDE): value for key, value in annotations.items() if OVERRIDE in key}
    return {**found, **annotated}


def last_write(config: CiliumConfig) -> ManagedFields | None:
    """The newest write of the ConfigMap's keys, else of anything in it, as far as managedFields tells."""
    writes = [
        entry
        for entry in config.metadata.managed_fields or ()
        if entry.time and entry.fields_v1 and entry.fields_v1.data is not None
    ]
    return max(writes, key=lambda entry: str(entry.time), default=config.metadata.last_change)


def has_read(agent: Agent | None, config: CiliumConfig) -> bool | None:
    """Whether an agent started after the last write of the ConfigMap; nothing where times are not known."""
    change = last_write(config)
    if agent is None or agent.started_at is None or change is None or change.time is None:
        return None
    return agent.started_at >= change.time


def same(one: str, other: str) -> bool:
    """Whether two values mean the same, however they are written."""
    return _plain(one) == _plain(other)


def _plain(value: str) -> str:
    word = value.strip().lower()
    return "true" if word in TRUE else "false" if word in _FALSE else word


_Seen = tuple[str, Evidence]


def _of_options(options: AgentOptions) -> Iterator[tuple[str, _Seen]]:
    for key, name in _FIELDS.items():
        value = options.values.get(name)
        if value is not None:
            yield key, (value, options.evidence(f"{name}: {value}"))


def _of_status(status: AgentStatus) -> Iterator[tuple[str, _Seen]]:
    routing, hubble = status.response.routing, status.response.hubble
    if routing and routing.inter_host_routing_mode:
        mode = routing.inter_host_routing_mode.lower()
        yield "routing-mode", (mode, status.evidence(f"routing.inter-host-routing-mode: {mode}"))
        if mode == "tunnel" and routing.tunnel_protocol:
            proof = status.evidence(f"routing.tunnel-protocol: {routing.tunnel_protocol}")
            yield "tunnel-protocol", (routing.tunnel_protocol, proof)
    if hubble and hubble.state:
        is_on = str(hubble.state.lower() != "disabled").lower()
        yield "enable-hubble", (is_on, status.evidence(f"hubble.state: {hubble.state}"))


def _settings(
    values: Mapping[str, str], own: Mapping[str, str], running: Mapping[str, _Seen]
) -> Iterator[Setting]:
    for key, (value, proof) in running.items():
        wanted = own.get(key, values.get(key, "")).strip()
        if wanted and not _is_derived(key, wanted, values):
            yield Setting(key, wanted, value, proof, key in own)


def _is_derived(key: str, wanted: str, values: Mapping[str, str]) -> bool:
    if key in _DYNAMIC:
        return wanted == _DYNAMIC[key]
    return key == "tunnel-protocol" and values.get("routing-mode", "tunnel") != "tunnel"
