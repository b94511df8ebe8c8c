"""`config`: the options that an agent runs with."""

from __future__ import annotations

from collections.abc import Callable

from playbooks.practice import manifests
from playbooks.practice.commands.view import AgentView
from playbooks.practice.objects import Json, stamp


def _flag(text: str) -> bool:
    return text == "true"


# Options that the agent takes over from the ConfigMap as they are.
_TAKEN: dict[str, tuple[str, Callable[[str], object]]] = {
    "cluster-name": ("ClusterName", str),
    "cluster-id": ("ClusterID", int),
    "routing-mode": ("RoutingMode", str),
    "datapath-mode": ("DatapathMode", str),
    "ipam": ("IPAM", str),
    "enable-ipv4": ("EnableIPv4", _flag),
    "enable-ipv6": ("EnableIPv6", _flag),
    "enable-ipv4-masquerade": ("EnableIPv4Masquerade", _flag),
    "enable-bpf-masquerade": ("EnableBPFMasquerade", _flag),
    "enable-l7-proxy": ("EnableL7Proxy", _flag),
    "enable-host-firewall": ("EnableHostFirewall", _flag),
    "enable-l2-announcements": ("EnableL2Announcements", _flag),
    "enable-policy": ("EnablePolicy", str),
    "enable-tcx": ("EnableTCX", _flag),
    "debug": ("Debug", _flag),
    "identity-allocation-mode": ("IdentityAllocationMode", str),
    "monitor-aggregation": ("MonitorAggregation", str),
    "max-connected-clusters": ("MaxConnectedClusters", int),
    "preallocate-bpf-maps": ("PreAllocateMaps", _flag),
    "external-envoy-proxy": ("ExternalEnvoyProxy", _flag),
    "auto-direct-node-routes": ("EnableAutoDirectRouting", _flag),
    "disable-endpoint-crd": ("DisableCiliumEndpointCRD", _flag),
    "enable-cilium-clusterwide-network-policy": ("EnableCiliumClusterwideNetworkPolicy", _flag),
    "enable-cilium-endpoint-slice": ("EnableCiliumEndpointSlice", _flag),
    "enable-cilium-network-policy": ("EnableCiliumNetworkPolicy", _flag),
    "enable-endpoint-health-checking": ("EnableEndpointHealthChecking", _flag),
    "enable-endpoint-routes": ("EnableEndpointRoutes", _flag),
    "enable-health-checking": ("EnableHealthChecking", _flag),
    "enable-local-node-route": ("EnableLocalNodeRoute", _flag),
    "enable-sctp": ("EnableSCTP", _flag),
    "local-router-ipv4": ("LocalRouterIPv4", str),
}


def document(view: AgentView) -> Json:
    """All options, read-only ones and realized ones."""
    options: Json = manifests.table("agent-options")
    for key, (name, read) in _TAKEN.items():
        if key in view.config:
            options[name] = read(view.config[key])
    options["Devices"] = view.config.get("devices", "eth0").split()
    options["CreationTime"] = stamp(view.started)
    options["options"]["PolicyAuditMode"] = "Enabled" if view.is_on("policy-audit-mode") else "Disabled"
    return dict(sorted(options.items()))


def text(view: AgentView) -> str:
    """All options as text."""
    lines = ["#### Read-only configurations ####"]
    realized = document(view)
    for key, value in realized.items():
        if key == "options":
            continue
        if isinstance(value, dict):
            lines.append(key)
            lines += [f"  {inner}: {_shown(entry)}" for inner, entry in value.items()]
        else:
            lines.append(f"{key:<34}: {_shown(value)}")
    lines.append("#### Read-write configurations ####")
    lines += [f"{key:<34}: {value}" for key, value in realized["options"].items()]
    return "\n".join(lines) + "\n"


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{' '.join(map(str, value))}]"
    return "<nil>" if value is None else str(value)
