"""The closed vocabulary by which one finding explains another."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class ConditionKind(StrEnum):
    """A state of the cluster that causes other faults."""

    AGENT_DOWN = "agent down"
    AGENT_SILENT = "agent does not answer"
    AGENT_CONFIG_REFUSED = "agent configuration refused"
    API_SERVER_UNREACHABLE = "API server unreachable from the node"
    OPERATOR_DOWN = "operator down"
    CRDS_MISSING = "CRDs missing"
    KVSTORE_DOWN = "kvstore down"
    NODE_UNREACHABLE = "node unreachable"
    NODE_NOT_READY = "node not ready"
    NODE_UNFIT = "node lacks what the agent needs"
    RELAY_DOWN = "relay down"
    ENVOY_DOWN = "Envoy down"
    IPAM_EXHAUSTED = "no address left"
    SECRET_MISSING = "secret missing"
    PERMISSION_MISSING = "permission missing"
    ENDPOINT_NOT_REGENERATED = "endpoint not regenerated"
    POD_UNMANAGED = "pod without an endpoint"
    MAP_FULL = "map full"
    ADDRESS_UNKNOWN = "address without its identity"
    POLICY_DEFAULT_DENY = "default deny"
    POLICY_AT_FAULT = "policy at fault"
    POLICY_MISSES_POD = "policy selects nobody instead of the pod"
    PEER_DOWN = "remote cluster down"
    COREDNS_DOWN = "CoreDNS down"


# What a log line that names its own cause must say to be explained by a condition; none = never by text.
_EXPLAINS: dict[ConditionKind, str] = {
    ConditionKind.API_SERVER_UNREACHABLE: (
        r"api-?server|kubernetes subsystem|(k8s|kubernetes) client|:443|:6443|https?://\S+/(api|apis|version|healthz|livez)\b"
    ),
    ConditionKind.OPERATOR_DOWN: r"cilium operator|waiting for .*crd|crd:|heartbeat|crds? .*not|\.cilium\.io",
    ConditionKind.CRDS_MISSING: r"crd|customresourcedefinition|\.cilium\.io",
    ConditionKind.KVSTORE_DOWN: r"kvstore|etcd|quorum",
    ConditionKind.AGENT_DOWN: r"cilium\.sock|agent (is )?(not )?running|hubble|peer",
    ConditionKind.AGENT_SILENT: r"cilium\.sock|context deadline exceeded",
    ConditionKind.AGENT_CONFIG_REFUSED: (
        r"invalid|unknown|unsupported|unrecogni[sz]ed|incorrect|illegal|malformed|conflict|missing unit"
        r"|pars(e|ing)|not (a )?(valid|supported|allowed)|out of range|too (big|small|large)|smaller than"
        r"|must|cannot|mutually exclusive|requires?\b|incompatible|combination|only (supported|valid)"
    ),
    ConditionKind.IPAM_EXHAUSTED: r"range is full|no more ips|no available ip|ipam|out of|pod ?cidr",
    ConditionKind.SECRET_MISSING: r"secret|keys?\b|configmap",
    ConditionKind.PERMISSION_MISSING: r"forbidden|cannot (get|list|watch|create|update|patch)",
    ConditionKind.NODE_UNFIT: (
        r"already in use|file exists|address family|does not exist|no such device|routing device|not found"
        r"|not supported|kernel|operation not permitted|read-only"
    ),
    ConditionKind.NODE_UNREACHABLE: r"no route to host|i/o timeout|unreachable",
    ConditionKind.MAP_FULL: r"map is full|no space left|argument list too long|max entries limit",
    ConditionKind.ENDPOINT_NOT_REGENERATED: r"regenerat|compil|program|verifier|endpoint",
    ConditionKind.PEER_DOWN: r"remote|cluster|etcd",
    ConditionKind.COREDNS_DOWN: r"dns|lookup|no such host",
}


@dataclass(frozen=True, slots=True, order=True)
class Condition:
    """One instance: a kind, and where it holds."""

    kind: ConditionKind
    """What holds."""
    where: str = ""
    """The node, cluster or endpoint; empty for the whole cluster."""
    detail: str = ""
    """What tells two instances in one place apart, such as a map's name."""

    def fits(self, text: str) -> bool:
        """Whether a cause stated in so many words can be this condition."""
        pattern = _EXPLAINS.get(self.kind)
        return bool(pattern and re.search(pattern, text, re.IGNORECASE))
