"""Nodes: heartbeats, leases, taints and conditions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from playbooks.practice import agents, operator
from playbooks.practice.catalog import LEASES, NODES
from playbooks.practice.naming import stable
from playbooks.practice.objects import Json, micro_stamp, name_of, stamp, uid_of
from playbooks.practice.ownership import Writer

if TYPE_CHECKING:
    from datetime import datetime

    from playbooks.practice.world import World

TAINT = {"effect": "NoSchedule", "key": "node.cilium.io/agent-not-ready"}
"""What the operator puts on a node while its agent is not ready."""
_HEARTBEAT = {"MemoryPressure", "DiskPressure", "PIDPressure", "Ready"}


def reconcile(world: World) -> None:
    """Let the operator taint nodes without a ready agent, and free the others."""
    if not operator.has_registered(world):
        return
    for node in world.store.all(NODES):
        if name_of(node) not in world.network.nodes:
            continue
        run = world.agents.get(name_of(node))
        is_ready = run is not None and run.is_ready
        taints = [taint for taint in node["spec"].get("taints") or () if taint["key"] != TAINT["key"]]
        if not is_ready:
            taints.append(dict(TAINT))
        if taints != (node["spec"].get("taints") or []):
            spec = {key: value for key, value in node["spec"].items() if key != "taints"}
            node = world.put(
                NODES, {**node, "spec": {**spec, "taints": taints} if taints else spec}, operator.WRITER
            )
        if agents.is_up(world, name_of(node)):
            _say_up(world, node)


def beat(world: World) -> None:
    """Renew what kubelets and the control plane renew all the time."""
    for node in world.store.all(NODES):
        name = name_of(node)
        offset = stable(name, 0, 9_999_999) / 1_000_000
        renewed = _last(world, 10.0, offset)
        _renew(world, "kube-node-lease", name, renewed, Writer("kubelet"))
        heard = stamp(_last(world, 60.0, offset))
        conditions = [
            {**entry, "lastHeartbeatTime": heard} if entry["type"] in _HEARTBEAT else entry
            for entry in node["status"]["conditions"]
        ]
        world.put_status(NODES, node, {**node["status"], "conditions": conditions}, "kubelet")
    for lease in ("kube-controller-manager", "kube-scheduler"):
        _renew(world, "kube-system", lease, _last(world, 2.0, 0.3), Writer(lease))
    for item in world.store.all(LEASES, "kube-system"):
        if name_of(item).startswith("apiserver-"):
            _renew(world, "kube-system", name_of(item), _last(world, 10.0, 1.1), Writer("kube-apiserver"))


def node_object(
    name: str, ips: tuple[str, ...], image: str, *, is_control_plane: bool, boot_id: str, machine: str
) -> Json:
    """A node as its kubelet registers it."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
        "kubernetes.io/os": "linux",
    }
    spec: Json = {}
    if is_control_plane:
        labels["node-role.kubernetes.io/control-plane"] = ""
        spec["taints"] = [{"effect": "NoSchedule", "key": "node-role.kubernetes.io/control-plane"}]
    size = {"cpu": "4", "hugepages-1Gi": "0", "hugepages-2Mi": "0", "pods": "110"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "annotations": {
                "node.alpha.kubernetes.io/ttl": "0",
                "volumes.kubernetes.io/controller-managed-attach-detach": "true",
            },
            "labels": labels,
            "name": name,
        },
        "spec": spec,
        "status": {
            "addresses": [
                *({"address": ip, "type": "InternalIP"} for ip in ips),
                {"address": name, "type": "Hostname"},
            ],
            "allocatable": {**size, "ephemeral-storage": "97143520Ki", "memory": "16077120Ki"},
            "capacity": {**size, "ephemeral-storage": "105481156Ki", "memory": "16179520Ki"},
            "conditions": [],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": 10250}},
            "images": [{"names": [image], "sizeBytes": 745677607}] if image else [],
            "nodeInfo": {
                "architecture": "amd64",
                "bootID": boot_id,
                "containerRuntimeVersion": "containerd://2.1.4",
                "kernelVersion": "6.12.43",
                "kubeProxyVersion": "",
                "kubeletVersion": "v1.34.4",
                "machineID": machine,
                "operatingSystem": "linux",
                "osImage": "Debian GNU/Linux 13 (trixie)",
                "systemUUID": machine,
            },
        },
    }


def healthy_conditions(now: str) -> list[Json]:
    """The conditions of a node whose kubelet is well."""
    rows = (
        ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
        ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
        ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
        ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
    )
    return [
        {
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
            "message": message,
            "reason": reason,
            "status": status,
            "type": title,
        }
        for title, status, reason, message in rows
    ]


def _say_up(world: World, node: Json) -> None:
    conditions = node["status"]["conditions"]
    if any(entry["type"] == "NetworkUnavailable" for entry in conditions):
        return
    now = stamp(world.now)
    up = {
        "lastHeartbeatTime": now,
        "lastTransitionTime": now,
        "message": "Cilium is running on this node",
        "reason": "CiliumIsUp",
        "status": "False",
        "type": "NetworkUnavailable",
    }
    status = {**node["status"], "conditions": [up, *conditions]}
    world.put_status(NODES, node, status, operator.WRITER.manager)


def _last(world: World, period: float, offset: float) -> datetime:
    """The last time before now that is `offset` into a period."""
    return world.now - timedelta(seconds=(world.now.timestamp() - offset) % period)


def _renew(world: World, namespace: str, name: str, renewed: datetime, writer: Writer) -> None:
    lease = world.store.get(LEASES, namespace, name)
    if lease is not None and lease["spec"]["renewTime"] != micro_stamp(renewed):
        world.put(LEASES, {**lease, "spec": {**lease["spec"], "renewTime": micro_stamp(renewed)}}, writer)


def new_lease(
    name: str, namespace: str, holder: str, seconds: int, now: datetime, owner: Json | None = None
) -> Json:
    """A lease that somebody begins to hold."""
    metadata: Json = {"name": name, "namespace": namespace}
    spec: Json = {"holderIdentity": holder, "leaseDurationSeconds": seconds, "renewTime": micro_stamp(now)}
    if owner is not None:
        metadata["ownerReferences"] = [
            {"apiVersion": "v1", "kind": "Node", "name": name_of(owner), "uid": uid_of(owner)}
        ]
    else:
        spec |= {"acquireTime": micro_stamp(now), "leaseTransitions": 0}
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
