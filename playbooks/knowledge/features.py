"""How Cilium's refusals call features, and the options behind them."""

from __future__ import annotations

import re
from collections.abc import Iterator

OFF = frozenset({"", "false", "0", "no", "off", "disabled", "none"})
"""Values that switch an option off."""

_PHRASES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"ipv4 or ipv6 addressing", ("enable-ipv4", "enable-ipv6")),
    (r"host firewall", ("enable-host-firewall",)),
    (r"wireguard", ("enable-wireguard",)),
    (r"ipsec\b", ("enable-ipsec",)),
    (r"l7 proxy", ("enable-l7-proxy",)),
    (r"bpf masquerad|bpf-based masquerad", ("enable-bpf-masquerade",)),
    (r"ip-masq-agent", ("enable-ip-masq-agent",)),
    (r"egress gateway", ("enable-egress-gateway", "enable-ipv4-egress-gateway")),
    (r"ciliumendpointslice", ("enable-cilium-endpoint-slice",)),
    (r"bandwidth manager", ("enable-bandwidth-manager",)),
    (r"xdp acceleration", ("bpf-lb-acceleration",)),
    (r"ipam (mode|backend)", ("ipam",)),
    (r"srv6", ("enable-srv6",)),
    (r"netkit", ("datapath-mode",)),
    (r"tunnel(ing| mode)|direct routing mode", ("routing-mode",)),
    (r"ct tables? ", ("bpf-ct-global-tcp-max", "bpf-ct-global-any-max")),
    (r"nat tables? ", ("bpf-nat-global-max",)),
    (r"policymap", ("bpf-policy-map-max",)),
    (r"lbmap", ("bpf-lb-map-max",)),
    (r"authmap", ("bpf-auth-map-max",)),
    (r"dynamic (map )?size ratio", ("bpf-map-dynamic-size-ratio",)),
    (r"distributed lru", ("bpf-distributed-lru",)),
    (r"bpf events default config", ("bpf-events-default-rate-limit", "bpf-events-default-burst-limit")),
    (r"\bmtu\b", ("mtu",)),
    (r"node cidr size|cidr mask|mask size", ("cluster-pool-ipv4-mask-size", "cluster-pool-ipv6-mask-size")),
    (r"label prefix", ("labels",)),
    (r"node ?port", ("kube-proxy-replacement", "enable-node-port")),
    (r"vtep", ("enable-vtep",)),
)
_COMPILED = tuple((re.compile(pattern, re.IGNORECASE), options) for pattern, options in _PHRASES)


def options_meant(text: str) -> Iterator[tuple[str, ...]]:
    """For each feature that a text calls by its common name, the options that switch it."""
    for pattern, options in _COMPILED:
        if pattern.search(text):
            yield options
