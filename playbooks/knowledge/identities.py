"""The identities that mean the same in every cluster."""

from __future__ import annotations

RESERVED = (
    "unknown",
    "host",
    "world",
    "unmanaged",
    "health",
    "init",
    "remote-node",
    "kube-apiserver",
    "ingress",
    "world-ipv4",
    "world-ipv6",
    "aggregate-cluster",
    "aggregate-cluster-mesh",
    "aggregate-world",
    "aggregate-remote-node",
)
"""Their names by number; what follows `reserved:` in a label. The last four stand for many."""
