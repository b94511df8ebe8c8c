"""Many pods at once, for measuring: one of each Deployment starts as any pod does, the others are alike."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from playbooks.practice.catalog import CILIUM_ENDPOINTS, DEPLOYMENTS, NAMESPACES, PODS, REPLICA_SETS
from playbooks.practice.objects import Json, owner_of, owner_reference
from playbooks.practice.ownership import Writer
from playbooks.practice.runs import Container, PodRun

if TYPE_CHECKING:
    from playbooks.practice.world import World

NAMESPACE = "crowd"
"""Where they are."""
_EACH = 250
_ROOM = 200
_WRITER = Writer("kubectl-client-side-apply")


def plan(world: World, pods: int) -> None:
    """Deploy one pod for every Deployment that the crowd will have. Raises `ValueError` for too many pods."""
    room = _ROOM * len(world.network.nodes)
    if pods > room:
        raise ValueError(f"{pods} pods do not fit on {len(world.network.nodes)} nodes, which take {room}")
    if pods <= 0:
        return
    world.put(NAMESPACES, _namespace(), Writer("kube-apiserver"))
    for number in range(-(-pods // _EACH)):
        world.put(DEPLOYMENTS, _deployment(f"crowd-{number:03}"), _WRITER)


def fill(world: World, pods: int) -> None:
    """Add the likes of what was planned until the crowd has so many pods."""
    nodes = list(world.network.nodes)
    originals = [run for run in world.runs.values() if run.namespace == NAMESPACE]
    left = pods - len(originals)
    for original in originals:
        count = min(left, _EACH - 1)
        left -= count
        for number in range(count):
            _add(world, original, nodes[number % len(nodes)])
        _resize(world, original, count + 1)
    world.store.dirty.clear()


def _add(world: World, original: PodRun, node: str) -> None:
    endpoint = world.network.attach(node, NAMESPACE, name := _name(world, original), world.now)
    if endpoint is None:
        raise ValueError(f"no address is left on {node}")
    before = world.store.get(PODS, NAMESPACE, original.name)
    assert before is not None
    host = world.network.hosts[node]
    status = {
        **before["status"],
        "hostIP": host.first,
        "hostIPs": [{"ip": ip} for ip in host.every],
        "podIP": endpoint.ip,
        "podIPs": [{"ip": ip} for ip in endpoint.addresses.every],
    }
    metadata = {**before["metadata"], "name": name, "uid": world.names.uid()}
    spec = {**before["spec"], "nodeName": node}
    pod = world.store.put(PODS, {**before, "metadata": metadata, "spec": spec, "status": status})
    endpoint.created = original.sandboxed or world.now
    containers = {key: _copied(container) for key, container in original.containers.items()}
    run = replace(original, pod=pod, node=node, ips=endpoint.addresses.every, containers=containers)
    world.runs[run.uid] = run
    published = world.store.get(CILIUM_ENDPOINTS, NAMESPACE, original.name)
    if published is not None:
        networking = {"addressing": [endpoint.addresses.keyed()], "node": host.first}
        owners = [owner_reference(pod, is_controller=False)]
        metadata = {
            **published["metadata"],
            "name": name,
            "uid": world.names.uid(),
            "ownerReferences": owners,
        }
        status = {**published["status"], "id": endpoint.id, "networking": networking}
        status["external-identifiers"] = {"cni-attachment-id": endpoint.attachment}
        world.store.put(CILIUM_ENDPOINTS, {**published, "metadata": metadata, "status": status})


def _name(world: World, original: PodRun) -> str:
    while True:
        name = f"{original.name.rpartition('-')[0]}-{world.names.suffix()}"
        if world.store.get(PODS, NAMESPACE, name) is None:
            return name


def _copied(container: Container) -> Container:
    run = replace(container.run, noticed=dict(container.run.noticed)) if container.run else None
    return replace(container, run=run, previous=None)


def _resize(world: World, original: PodRun, count: int) -> None:
    owner = owner_of(original.pod)
    assert owner is not None
    replica_set = world.store.get(REPLICA_SETS, NAMESPACE, owner["name"])
    assert replica_set is not None
    above = owner_of(replica_set)
    assert above is not None
    deployment = world.store.get(DEPLOYMENTS, NAMESPACE, above["name"])
    assert deployment is not None
    for kind, item in ((REPLICA_SETS, replica_set), (DEPLOYMENTS, deployment)):
        counted = {key: count for key, value in item["status"].items() if value == 1 and "eplicas" in key}
        spec, status = {**item["spec"], "replicas": count}, {**item["status"], **counted}
        world.store.put(kind, {**item, "spec": spec, "status": status})


def _namespace() -> Json:
    labels = {"kubernetes.io/metadata.name": NAMESPACE}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"labels": labels, "name": NAMESPACE},
        "spec": {"finalizers": ["kubernetes"]},
        "status": {"phase": "Active"},
    }


def _deployment(name: str) -> Json:
    container: Json = {"args": ["http", "8080"], "image": "practice.local/shop:1", "name": "crowd"}
    template: Json = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"labels": {"app": name}, "name": name, "namespace": NAMESPACE},
        "spec": {
            "progressDeadlineSeconds": 600,
            "replicas": 1,
            "revisionHistoryLimit": 10,
            "selector": {"matchLabels": {"app": name}},
            "strategy": {
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
                "type": "RollingUpdate",
            },
            "template": template,
        },
    }
