"""Which pod goes to which node."""

from __future__ import annotations

from typing import TYPE_CHECKING

from playbooks.practice import events
from playbooks.practice.catalog import NODES, PODS
from playbooks.practice.objects import Json, labels_of, matches, name_of, owner_of
from playbooks.practice.ownership import Writer

if TYPE_CHECKING:
    from playbooks.practice.world import World

_SCHEDULER = Writer("kube-scheduler")
_REPORTER = events.Reporter("default-scheduler")


def daemon_nodes(world: World, template: Json) -> list[str]:
    """Nodes on which a daemon is wanted."""
    selector = template["spec"].get("nodeSelector")
    return [
        name_of(node)
        for node in world.store.all(NODES)
        if matches(selector, labels_of(node))
        and _tolerates(template["spec"], node)
        and _is_liked(template["spec"], node)
    ]


def node_of_daemon(pod: Json) -> str:
    """The node that a daemon's pod was made for."""
    required = pod["spec"]["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    return str(required["nodeSelectorTerms"][0]["matchFields"][0]["values"][0])


def bind(world: World) -> None:
    """Give every pod without a node one, or say why not."""
    waiting = [pod for pod in world.store.all(PODS) if not pod["spec"].get("nodeName")]
    if not waiting:
        return
    nodes = world.store.all(NODES)
    load = dict.fromkeys(map(name_of, nodes), 0)
    for pod in world.store.all(PODS):
        if pod["spec"].get("nodeName") in load:
            load[pod["spec"]["nodeName"]] += 1
    for pod in waiting:
        fitting = [name_of(node) for node in _candidates(world, pod, nodes) if _fits(world, pod, node)]
        if not fitting:
            _refuse(world, pod, len(nodes))
            continue
        node = min(fitting, key=lambda name: (load[name], name))
        load[node] += 1
        bound = {**pod, "spec": {**pod["spec"], "nodeName": node}}
        events.scheduled(world, world.put(PODS, bound, _SCHEDULER), node)


def _candidates(world: World, pod: Json, nodes: list[Json]) -> list[Json]:
    """The node that a daemon's pod was made for, else all."""
    owner = owner_of(pod)
    if owner is None or owner["kind"] != "DaemonSet":
        return nodes
    node = world.store.get(NODES, "", node_of_daemon(pod))
    return [node] if node is not None else []


def _fits(world: World, pod: Json, node: Json) -> bool:
    spec = pod["spec"]
    affinity = spec.get("affinity") or {}
    if node["spec"].get("unschedulable") and "nodeAffinity" not in affinity:
        return False
    if not _is_liked(spec, node):
        return False
    if not matches(spec.get("nodeSelector"), labels_of(node)) or not _tolerates(spec, node):
        return False
    for term in (affinity.get("podAntiAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or ():
        if any(
            other["spec"].get("nodeName") == name_of(node)
            and matches(term["labelSelector"], labels_of(other))
            for other in world.store.all(PODS, pod["metadata"]["namespace"])
        ):
            return False
    return True


def _is_liked(spec: Json, node: Json) -> bool:
    """Whether the node satisfies one of the terms of the node affinity that is required."""
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(_fits_term(term, node) for term in required["nodeSelectorTerms"])


def _fits_term(term: Json, node: Json) -> bool:
    fields = {"metadata.name": name_of(node)}
    return all(
        _fits_expression(expression, values)
        for key, values in (("matchFields", fields), ("matchExpressions", labels_of(node)))
        for expression in term.get(key) or ()
    )


def _fits_expression(expression: Json, values: dict[str, str]) -> bool:
    value, listed = values.get(expression["key"]), expression.get("values") or ()
    match expression["operator"]:
        case "In":
            return value in listed
        case "NotIn":
            return value not in listed
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
    return False


def _tolerates(spec: Json, node: Json) -> bool:
    tolerations = spec.get("tolerations") or ()
    for taint in node["spec"].get("taints") or ():
        if taint["effect"] not in ("NoSchedule", "NoExecute"):
            continue
        if not any(
            toleration.get("key", taint["key"]) == taint["key"]
            and toleration.get("effect", taint["effect"]) == taint["effect"]
            for toleration in tolerations
        ):
            return False
    return True


def _refuse(world: World, pod: Json, total: int) -> None:
    message = f"0/{total} nodes are available: {total} node(s) had untolerated taint(s) or did not match."
    conditions = [
        {
            "lastProbeTime": None,
            "lastTransitionTime": pod["metadata"]["creationTimestamp"],
            "message": message,
            "reason": "Unschedulable",
            "status": "False",
            "type": "PodScheduled",
        }
    ]
    status: Json = {"conditions": conditions, "phase": "Pending", "qosClass": "BestEffort"}
    if pod.get("status") != status:
        world.put_status(PODS, pod, status, "kube-scheduler")
        events.emit(world, pod, "FailedScheduling", message, _REPORTER, is_warning=True)
