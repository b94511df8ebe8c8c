"""Who is at one end of a call: a pod, a node or somebody outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from playbooks.practice.catalog import SLICES
from playbooks.practice.objects import owner_of

if TYPE_CHECKING:
    from playbooks.practice.runs import PodRun
    from playbooks.practice.world import World

HOST, WORLD, HEALTH, REMOTE_NODE, API_SERVER, INGRESS = 1, 2, 4, 6, 7, 8
"""Reserved identities."""
_WORLD_OF_FAMILY = {"IPv4": 9, "IPv6": 10}


@dataclass(frozen=True, slots=True)
class Party:
    """One end of a call, as the agents of a cluster know it."""

    ip: str
    """Its address."""
    identity: int
    """Security identity."""
    labels: tuple[str, ...]
    """Labels of the identity."""
    node: str = ""
    """The node it is on; empty outside of the cluster."""
    endpoint: int = 0
    """Number of the endpoint on its node; 0 for what is none."""
    namespace: str = ""
    """The pod's namespace."""
    pod: str = ""
    """The pod's name."""
    workload: str = ""
    """Name of what owns the pod."""
    workload_kind: str = ""
    """Its kind."""
    interface: str = ""
    """Device of the endpoint on its node."""
    interface_index: int = 0
    """Index of that device."""
    names: tuple[str, ...] = ()
    """DNS names that lead to it."""
    cluster: str = ""
    """The other cluster of the mesh that it is in; empty for our own."""

    @property
    def is_endpoint(self) -> bool:
        """Whether policies apply to it."""
        return self.endpoint > 0

    @property
    def is_outside(self) -> bool:
        """Whether it is no part of the cluster."""
        return not self.node


def pod_party(world: World, run: PodRun, ip: str = "") -> Party | None:
    """A pod with an endpoint, at the address that is meant; nothing for other pods."""
    endpoint = world.network.endpoints.get((run.namespace, run.name))
    if endpoint is None:
        return None
    known = world.policies.census.known(run)
    kind, name = _workload(run)
    return Party(
        ip or endpoint.ip,
        known.identity,
        known.labels,
        run.node,
        endpoint.id,
        run.namespace,
        run.name,
        name,
        kind,
        endpoint.interface,
        endpoint.index,
    )


def node_party(world: World, node: str, ip: str, viewer: str) -> Party:
    """A node, as the agent of another node (or its own) knows it."""
    item = world.store.get(SLICES, "default", "kubernetes")
    serving = {one for endpoint in (item or {}).get("endpoints") or () for one in endpoint["addresses"]}
    serves = ip in serving
    if node == viewer:
        return Party(ip, HOST, ("reserved:host", *(("reserved:kube-apiserver",) if serves else ())), node)
    if serves:
        return Party(ip, API_SERVER, ("reserved:kube-apiserver", "reserved:remote-node"), node)
    return Party(ip, REMOTE_NODE, ("reserved:remote-node",), node)


def outside_party(world: World, ip: str, names: tuple[str, ...]) -> Party:
    """Somebody who is no part of the cluster."""
    families = world.profile.families
    family = "IPv6" if ":" in ip else "IPv4"
    if len(families) > 1:
        label = f"reserved:world-{family.lower()}"
        return Party(ip, _WORLD_OF_FAMILY[family], (label,), names=names)
    return Party(ip, WORLD, ("reserved:world",), names=names)


def _workload(run: PodRun) -> tuple[str, str]:
    owner = owner_of(run.pod)
    if owner is None:
        return "Pod", run.name
    if owner["kind"] == "ReplicaSet":
        return "Deployment", str(owner["name"]).rpartition("-")[0]
    return str(owner["kind"]), str(owner["name"])
