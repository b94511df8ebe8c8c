"""Options that know only certain values."""

from __future__ import annotations

import difflib

_SWITCH = ("true", "false")
_VALUES: dict[str, tuple[str, ...]] = {
    "tunnel-protocol": ("vxlan", "geneve"),
    "routing-mode": ("tunnel", "native"),
    "underlay-protocol": ("ipv4", "ipv6", "auto"),
    "datapath-mode": ("veth", "netkit", "netkit-l2"),
    "ipam": (
        *("cluster-pool", "kubernetes", "multi-pool", "crd", "eni", "azure", "alibabacloud"),
        "delegated-plugin",
    ),
    "identity-allocation-mode": (*("crd", "kvstore", "doublewrite-readkvstore", "doublewrite-readcrd"),),
    "identity-management-mode": ("agent", "operator", "both"),
    "kube-proxy-replacement": _SWITCH,
    "bpf-lb-mode": ("snat", "dsr", "hybrid"),
    "bpf-lb-dsr-dispatch": ("opt", "geneve", "ipip"),
    "bpf-lb-algorithm": ("random", "maglev"),
    "bpf-lb-acceleration": ("disabled", "native", "best-effort"),
    "service-no-backend-response": ("reject", "drop"),
    "enable-policy": ("default", "always", "never"),
    "policy-cidr-match-mode": ("nodes",),
    "policy-deny-response": ("none", "icmp"),
    "monitor-aggregation": ("none", "low", "medium", "maximum"),
    "cni-chaining-mode": ("none", "aws-cni", "flannel", "generic-veth", "portmap"),
    "tofqdns-dns-reject-response-code": ("refused", "nameError"),
    "max-connected-clusters": ("255", "511"),
    "default-lb-service-ipam": ("lbipam", "nodeipam", "none"),
}


def likely(key: str, value: str) -> str:
    """The value that was probably meant; empty when there is no telling."""
    known = _VALUES.get(key) or (_SWITCH if key.startswith("enable-") else ())
    close = difflib.get_close_matches(value.strip().lower()[:60], known, n=1, cutoff=0.6)
    return close[0] if close and close[0] != value else ""
