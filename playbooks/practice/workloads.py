"""DaemonSets, Deployments and ReplicaSets: from what is wanted to pods."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from playbooks.practice import admission, scheduling
from playbooks.practice.catalog import (
    CILIUM_ENDPOINTS,
    DAEMON_SETS,
    DEPLOYMENTS,
    ENDPOINTS,
    PODS,
    REPLICA_SETS,
    REVISIONS,
    SERVICES,
    SLICES,
    Kind,
)  # fmt: skip
from playbooks.practice.events import Reporter, emit
from playbooks.practice.naming import template_hash
from playbooks.practice.objects import (
    Json,
    labels_of,
    name_of,
    namespace_of,
    owner_of,
    owner_reference,
    stamp,
    uid_of,
    with_metadata,
)  # fmt: skip
from playbooks.practice.ownership import Writer

if TYPE_CHECKING:
    from playbooks.practice.world import World

CONTROLLER = Writer("kube-controller-manager")
_DAEMONS, _SETS, _DEPLOYMENTS = (
    Reporter("daemonset-controller"),
    Reporter("replicaset-controller"),
    Reporter("deployment-controller"),
)
_OWNERS: dict[str, Kind] = {
    "DaemonSet": DAEMON_SETS, "Deployment": DEPLOYMENTS, "ReplicaSet": REPLICA_SETS, "Pod": PODS,
    "Service": SERVICES,
}  # fmt: skip


def reconcile(world: World) -> None:
    """Bring pods into line with what owns them."""
    collect(world)
    owned = _pods_by_owner(world)
    for daemon_set in world.store.all(DAEMON_SETS):
        _daemon_set(world, daemon_set, owned.get(uid_of(daemon_set), []))
    sets: dict[str, list[Json]] = {}
    for replica_set in world.store.all(REPLICA_SETS):
        owner = owner_of(replica_set)
        if owner:
            sets.setdefault(owner["uid"], []).append(replica_set)
    for deployment in world.store.all(DEPLOYMENTS):
        _deployment(world, deployment, sets.get(uid_of(deployment), []), owned)
    for replica_set in world.store.all(REPLICA_SETS):
        _replica_set(world, replica_set, owned.get(uid_of(replica_set), []))
    scheduling.bind(world)


def collect(world: World) -> None:
    """Delete what has lost its owner."""
    for kind in (REPLICA_SETS, PODS, CILIUM_ENDPOINTS, SLICES, ENDPOINTS, REVISIONS):
        for item in world.store.all(kind):
            references = item["metadata"].get("ownerReferences") or ()
            if references and not any(_lives(world, item, reference) for reference in references):
                world.remove(kind, namespace_of(item), name_of(item))


def is_ready(pod: Json) -> bool:
    """Whether the pod's condition says ready."""
    conditions = pod.get("status", {}).get("conditions") or ()
    return any(entry["type"] == "Ready" and entry["status"] == "True" for entry in conditions)


def _lives(world: World, item: Json, reference: Json) -> bool:
    kind = _OWNERS.get(reference["kind"])
    if kind is None:
        return True
    owner = world.store.get(kind, namespace_of(item), reference["name"])
    return owner is not None and uid_of(owner) == reference["uid"]


def _pods_by_owner(world: World) -> dict[str, list[Json]]:
    owned: dict[str, list[Json]] = {}
    for pod in world.store.all(PODS):
        owner = owner_of(pod)
        if owner:
            owned.setdefault(owner["uid"], []).append(pod)
    return owned


def _hash_of(world: World, owner: Json) -> str:
    key = (uid_of(owner), int(owner["metadata"]["generation"]))
    if key not in world.template_hashes:
        world.template_hashes[key] = template_hash(json.dumps(owner["spec"]["template"], sort_keys=True))
    return world.template_hashes[key]


def _daemon_set(world: World, daemon_set: Json, pods: list[Json]) -> None:
    spec = daemon_set["spec"]
    template = spec["template"]
    revision = _hash_of(world, daemon_set)
    name, namespace = name_of(daemon_set), namespace_of(daemon_set)
    generation = str(daemon_set["metadata"]["generation"])
    if world.store.get(REVISIONS, namespace, f"{name}-{revision}") is None:
        _revision(world, daemon_set, revision)
    wanted = scheduling.daemon_nodes(world, template)
    by_node = {scheduling.node_of_daemon(pod): pod for pod in pods}
    for node in wanted:
        if node not in by_node:
            labels = {"controller-revision-hash": revision, "pod-template-generation": generation}
            pod = admission.pod_from(
                template, daemon_set, f"{name}-{world.names.suffix()}", world.names, labels
            )
            pod["spec"].setdefault("affinity", {})["nodeAffinity"] = admission.daemon_affinity(node)
            world.put(PODS, pod, CONTROLLER)
            emit(world, daemon_set, "SuccessfulCreate", f"Created pod: {name_of(pod)}", _DAEMONS)
    old = [pod for pod in pods if labels_of(pod).get("controller-revision-hash") != revision]
    unavailable = len(wanted) - sum(map(is_ready, pods))
    allowed = int(spec.get("updateStrategy", {}).get("rollingUpdate", {}).get("maxUnavailable", 1))
    for pod in sorted(old, key=is_ready):
        if is_ready(pod) and unavailable >= allowed:
            break
        unavailable += is_ready(pod)
        world.remove(PODS, namespace, name_of(pod))
        emit(world, daemon_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", _DAEMONS)
    _daemon_status(world, daemon_set, len(wanted), pods, revision)


def _daemon_status(world: World, daemon_set: Json, wanted: int, pods: list[Json], revision: str) -> None:
    ready = sum(map(is_ready, pods))
    status: Json = {
        "currentNumberScheduled": len(pods),
        "desiredNumberScheduled": wanted,
        "numberMisscheduled": 0,
        "numberReady": ready,
        "observedGeneration": daemon_set["metadata"]["generation"],
        "updatedNumberScheduled": sum(
            labels_of(pod).get("controller-revision-hash") == revision for pod in pods
        ),
    }
    if ready:
        status["numberAvailable"] = ready
    if wanted > ready:
        status["numberUnavailable"] = wanted - ready
    now = world.store.get(DAEMON_SETS, namespace_of(daemon_set), name_of(daemon_set))
    world.put_status(DAEMON_SETS, now or daemon_set, status, CONTROLLER.manager)


def _revision(world: World, daemon_set: Json, revision: str) -> None:
    namespace = namespace_of(daemon_set)
    number = 1 + max(
        (
            item["revision"]
            for item in world.store.all(REVISIONS, namespace)
            if (owner_of(item) or {}).get("uid") == uid_of(daemon_set)
        ),
        default=0,
    )
    item: Json = {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "labels": {
                **daemon_set["spec"]["selector"]["matchLabels"],
                "controller-revision-hash": revision,
            },
            "name": f"{name_of(daemon_set)}-{revision}",
            "namespace": namespace,
            "ownerReferences": [owner_reference(daemon_set)],
        },
        "data": {"spec": {"template": {**daemon_set["spec"]["template"], "$patch": "replace"}}},
        "revision": number,
    }
    world.put(REVISIONS, item, CONTROLLER)


def _deployment(world: World, deployment: Json, sets: list[Json], owned: dict[str, list[Json]]) -> None:
    digest = _hash_of(world, deployment)
    wanted = int(deployment["spec"].get("replicas", 1))
    name = f"{name_of(deployment)}-{digest}"
    current = next((item for item in sets if name_of(item) == name), None)
    if current is None:
        current = _new_set(world, deployment, name, digest, 1 + max(map(_revision_of, sets), default=0))
        sets = [*sets, current]
    if current["spec"]["replicas"] != wanted:
        _scale_set(world, deployment, current, wanted)
    pods = owned.get(uid_of(current), [])
    ready = sum(map(is_ready, pods))
    for old in sets:
        if old is not current and old["spec"]["replicas"] and (ready >= wanted or not wanted):
            _scale_set(world, deployment, old, 0)
    every = [pod for item in sets for pod in owned.get(uid_of(item), [])]
    _deployment_status(world, deployment, current, every, pods)


def _revision_of(replica_set: Json) -> int:
    return int(replica_set["metadata"].get("annotations", {}).get("deployment.kubernetes.io/revision", "1"))


def _new_set(world: World, deployment: Json, name: str, digest: str, revision: int) -> Json:
    template = deployment["spec"]["template"]
    labels = {**(template["metadata"].get("labels") or {}), "pod-template-hash": digest}
    metadata = {**template["metadata"], "labels": labels}
    item: Json = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "labels": labels,
            "name": name,
            "namespace": namespace_of(deployment),
            "ownerReferences": [owner_reference(deployment)],
        },
        "spec": {
            "replicas": 0,
            "selector": {
                "matchLabels": {**deployment["spec"]["selector"]["matchLabels"], "pod-template-hash": digest}
            },
            "template": {**template, "metadata": metadata},
        },
        "status": {"replicas": 0},
    }
    made = world.put(REPLICA_SETS, item, CONTROLLER)
    notes = deployment["metadata"].get("annotations") or {}
    if notes.get("deployment.kubernetes.io/revision") != str(revision):
        notes = {**notes, "deployment.kubernetes.io/revision": str(revision)}
        world.put(DEPLOYMENTS, with_metadata(deployment, annotations=notes), CONTROLLER)
    return made


def _scale_set(world: World, deployment: Json, replica_set: Json, wanted: int) -> None:
    have = replica_set["spec"]["replicas"]
    world.put(REPLICA_SETS, {**replica_set, "spec": {**replica_set["spec"], "replicas": wanted}}, CONTROLLER)
    verb = "up" if wanted > have else "down"
    message = f"Scaled {verb} replica set {name_of(replica_set)} from {have} to {wanted}"
    emit(world, deployment, "ScalingReplicaSet", message, _DEPLOYMENTS)


def _deployment_status(
    world: World, deployment: Json, current: Json, pods: list[Json], updated: list[Json]
) -> None:
    deployment = world.store.get(DEPLOYMENTS, namespace_of(deployment), name_of(deployment)) or deployment
    wanted = int(deployment["spec"].get("replicas", 1))
    ready = sum(map(is_ready, pods))
    status: Json = {"observedGeneration": deployment["metadata"]["generation"]}
    numbers = {
        "replicas": len(pods),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "updatedReplicas": len(updated),
        "unavailableReplicas": max(wanted - ready, 0),
    }
    status |= {key: number for key, number in numbers.items() if number}
    rolling = deployment["spec"].get("strategy", {}).get("rollingUpdate", {})
    missing = _share(rolling.get("maxUnavailable", "25%"), wanted)
    is_available, is_done = ready >= wanted - missing, ready >= wanted and len(updated) >= wanted
    conditions = [
        (
            "Available",
            is_available,
            "MinimumReplicasAvailable" if is_available else "MinimumReplicasUnavailable",
            "Deployment has minimum availability."
            if is_available
            else "Deployment does not have minimum availability.",
        ),
        (
            "Progressing",
            True,
            "NewReplicaSetAvailable" if is_done else "ReplicaSetUpdated",
            f'ReplicaSet "{name_of(current)}" {"has successfully progressed" if is_done else "progresses"}.',
        ),
    ]
    before = {entry["type"]: entry for entry in deployment.get("status", {}).get("conditions") or ()}
    status["conditions"] = [_condition(world, before.get(row[0]), *row) for row in conditions]
    world.put_status(DEPLOYMENTS, deployment, status, CONTROLLER.manager)


def _share(value: object, wanted: int) -> int:
    text = str(value)
    return wanted * int(text[:-1]) // 100 if text.endswith("%") else int(text)


def _condition(
    world: World, before: Json | None, type: str, is_true: bool, reason: str, message: str
) -> Json:
    status = "True" if is_true else "False"
    now = stamp(world.now)
    is_same = before is not None and before["status"] == status
    if before is not None and is_same and before["reason"] == reason and before["message"] == message:
        return before
    return {
        "lastTransitionTime": before["lastTransitionTime"] if before and is_same else now,
        "lastUpdateTime": now,
        "message": message,
        "reason": reason,
        "status": status,
        "type": type,
    }


def _replica_set(world: World, replica_set: Json, pods: list[Json]) -> None:
    wanted = int(replica_set["spec"]["replicas"])
    name, namespace = name_of(replica_set), namespace_of(replica_set)
    for _ in range(wanted - len(pods)):
        template = replica_set["spec"]["template"]
        pod = admission.pod_from(template, replica_set, f"{name}-{world.names.suffix()}", world.names, {})
        world.put(PODS, pod, CONTROLLER)
        emit(world, replica_set, "SuccessfulCreate", f"Created pod: {name_of(pod)}", _SETS)
    for pod in (
        sorted(pods, key=lambda pod: (is_ready(pod), pod["metadata"]["creationTimestamp"]))[
            : len(pods) - wanted
        ]
        if len(pods) > wanted
        else ()
    ):
        world.remove(PODS, namespace, name_of(pod))
        emit(world, replica_set, "SuccessfulDelete", f"Deleted pod: {name_of(pod)}", _SETS)
    ready = sum(map(is_ready, pods))
    status: Json = {"observedGeneration": replica_set["metadata"]["generation"], "replicas": len(pods)}
    if pods:
        status["fullyLabeledReplicas"] = len(pods)
    if ready:
        status |= {"readyReplicas": ready, "availableReplicas": ready}
    now = world.store.get(REPLICA_SETS, namespace, name)
    world.put_status(REPLICA_SETS, now or replica_set, status, CONTROLLER.manager)
