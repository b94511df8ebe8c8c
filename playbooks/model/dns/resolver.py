"""How a pod is told to resolve names, as far as its own object says it."""

from __future__ import annotations

from dataclasses import dataclass

from playbooks.model.kube.pods import Pod


@dataclass(frozen=True, slots=True)
class Resolver:
    """The resolver of a pod as configured."""

    policy: str
    """`ClusterFirst`, `ClusterFirstWithHostNet`, `Default` or `None`."""
    asks_cluster: bool
    """Whether the kubelet hands the cluster's DNS to it."""
    nameservers: tuple[str, ...] | None
    """All that it asks; nothing where the kubelet gives some: its `clusterDNS` and the node's file are not
    seen through the API."""
    added: tuple[str, ...]
    """Nameservers that the pod itself names."""
    searches: tuple[str, ...]
    """Search domains that the pod itself names."""
    options: tuple[tuple[str, str], ...]
    """Options that the pod itself names, such as `ndots`."""

    @property
    def ndots(self) -> int | None:
        """Dots that make a name absolute; nothing where the pod does not say: the kubelet gives 5."""
        value = dict(self.options).get("ndots", "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 4 else None


def resolver_of(pod: Pod) -> Resolver:
    """How a pod resolves names."""
    policy, config = pod.spec.dns_policy or "ClusterFirst", pod.spec.dns_config
    # In the host's network ClusterFirst means the node's resolver.
    asks_cluster = policy == "ClusterFirstWithHostNet" or (
        policy == "ClusterFirst" and not pod.spec.host_network
    )
    added = (config.nameservers if config else None) or ()
    searches = (config.searches if config else None) or ()
    options = tuple((one.name, one.value or "") for one in (config.options if config else None) or ())
    return Resolver(policy, asks_cluster, added if policy == "None" else None, added, searches, options)
