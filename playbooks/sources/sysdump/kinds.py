"""Which file of a sysdump holds which kind of object."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playbooks.model.request import Resource

_CORE = ("nodes", "pods", "services", "endpoints", "events", "namespaces")
_WHOLE = {
    **{("", plural): f"k8s-{plural}.yaml" for plural in _CORE},
    ("networking.k8s.io", "networkpolicies"): "k8s-networkpolicies.yaml",
    ("networking.k8s.io", "ingresses"): "ciliumingresses.yaml",
    ("networking.k8s.io", "ingressclasses"): "ingressclasses.yaml",
    ("discovery.k8s.io", "endpointslices"): "k8s-endpointslices.yaml",
    ("coordination.k8s.io", "leases"): "k8s-leases.yaml",
    # The collector spells it so.
    ("gateway.networking.k8s.io", "tcproutes"): "gatewayapi-tcroutes.yaml",
}
_WHOLE_GROUPS = {"cilium.io": "{}.yaml", "gateway.networking.k8s.io": "gatewayapi-{}.yaml"}
_PARTS = {
    ("", "configmaps"): "cilium-configmap.yaml",
    ("apps", "daemonsets"): "cilium-daemonset.yaml",
    ("apps", "deployments"): "cilium-operator-deployment.yaml",
    ("apps", "statefulsets"): "cilium-spire-server-statefulset.yaml",
    ("batch", "cronjobs"): "hubble-generate-certs-cronjob.yaml",
}
"""Kinds of which only Cilium's own objects are collected, each in a file; here the one that matters most."""


@dataclass(frozen=True, slots=True)
class Holding:
    """Where a kind's objects are."""

    names: tuple[str, ...]
    """Names of files, without the stamp."""
    is_whole: bool
    """Whether they are all objects of the cluster; else only those that belong to Cilium."""


def holding_of(resource: Resource, files: Iterable[str]) -> Holding:
    """Where the objects of a kind are, among the files that there are; no name when none is collected."""
    key = (resource.group, resource.plural)
    if name := _WHOLE.get(key):
        return Holding((name,), is_whole=True)
    if pattern := _WHOLE_GROUPS.get(resource.group):
        return Holding((pattern.format(resource.plural),), is_whole=True)
    if first := _PARTS.get(key):
        ending = first[first.rindex("-") :]
        found = sorted(name for name in files if name.endswith(ending))
        return Holding(tuple(sorted(found, key=lambda name: name != first)) or (first,), is_whole=False)
    return Holding((), is_whole=True)
