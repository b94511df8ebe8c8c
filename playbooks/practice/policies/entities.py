"""Entities: names in policies for ends that have no labels of their own."""

from __future__ import annotations

from playbooks.practice.policies.peers import Labelled

CLUSTER = "k8s:io.cilium.k8s.policy.cluster"
"""The label that names a pod's cluster."""
NAMES = (
    "all", "world", "world-ipv4", "world-ipv6", "cluster", "host", "init", "ingress", "unmanaged",
    "remote-node", "health", "none", "kube-apiserver",
)  # fmt: skip
"""All of them."""
_OF_CLUSTER = ("host", "remote-node", "init", "ingress", "health", "unmanaged", "kube-apiserver")


def reserved(name: str) -> Labelled:
    """Who has a reserved label."""
    return Labelled(((f"reserved:{name}", ""),))


def selectors(entity: str, cluster: str, *, is_newest: bool) -> tuple[Labelled, ...]:
    """Whom an entity stands for; the newest version knows identities that stand for many."""
    if entity == "all":
        return (Labelled(),)
    if entity == "world":
        found = tuple(map(reserved, ("world", "world-ipv4", "world-ipv6")))
        return (*found, reserved("aggregate-world")) if is_newest else found
    if entity == "cluster":
        of_many = (reserved("aggregate-cluster"),) if is_newest else ()
        return (*map(reserved, _OF_CLUSTER), *of_many, Labelled(((CLUSTER, cluster),)))
    return (reserved(entity),)
