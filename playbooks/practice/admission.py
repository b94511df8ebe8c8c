"""What an API server and its controllers add to a pod before it runs."""

from __future__ import annotations

import copy

from playbooks.practice.naming import Names
from playbooks.practice.objects import Json, name_of, owner_reference

_PRIORITIES = {"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}
_EVICTIONS = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
_DAEMON_KEYS = ("disk-pressure", "memory-pressure", "pid-pressure", "unschedulable", "network-unavailable")


def pod_from(template: Json, owner: Json, name: str, names: Names, labels: dict[str, str]) -> Json:
    """A pod that a controller makes from a template."""
    metadata: Json = {
        "generateName": f"{name_of(owner)}-",
        "labels": {**(template["metadata"].get("labels") or {}), **labels},
        "name": name,
        "namespace": owner["metadata"]["namespace"],
        "ownerReferences": [owner_reference(owner)],
    }
    if template["metadata"].get("annotations"):
        metadata["annotations"] = dict(template["metadata"]["annotations"])
    pod: Json = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": copy.deepcopy(template["spec"]),
    }
    return admitted(pod, names)


def admitted(pod: Json, names: Names) -> Json:
    """The pod with its defaults."""
    spec: Json = copy.deepcopy(pod["spec"])
    spec.setdefault("dnsPolicy", "ClusterFirst")
    spec.setdefault("enableServiceLinks", True)
    spec.setdefault("preemptionPolicy", "PreemptLowerPriority")
    spec.setdefault("priority", _PRIORITIES.get(spec.get("priorityClassName", ""), 0))
    spec.setdefault("restartPolicy", "Always")
    spec.setdefault("schedulerName", "default-scheduler")
    spec.setdefault("securityContext", {})
    spec.setdefault("serviceAccountName", "default")
    spec.setdefault("serviceAccount", spec["serviceAccountName"])
    spec.setdefault("terminationGracePeriodSeconds", 30)
    spec["tolerations"] = _tolerations(pod, spec)
    for container in [*spec.get("initContainers", ()), *spec["containers"]]:
        container.setdefault("imagePullPolicy", "IfNotPresent")
        container.setdefault("resources", {})
        container.setdefault("terminationMessagePath", "/dev/termination-log")
        container.setdefault("terminationMessagePolicy", "File")
    if spec.get("automountServiceAccountToken", True):
        _mount_account(spec, f"kube-api-access-{names.suffix()}")
    return {**pod, "spec": spec}


def daemon_affinity(node: str) -> Json:
    """What binds a daemon's pod to its node."""
    field = {"key": "metadata.name", "operator": "In", "values": [node]}
    terms = [{"matchFields": [field]}]
    return {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}


def _tolerations(pod: Json, spec: Json) -> list[Json]:
    given = list(spec.get("tolerations") or ())
    is_daemon = any(owner["kind"] == "DaemonSet" for owner in pod["metadata"].get("ownerReferences") or ())
    if is_daemon:
        extra = [{"effect": "NoExecute", "key": key, "operator": "Exists"} for key in _EVICTIONS]
        extra += [
            {"effect": "NoSchedule", "key": f"node.kubernetes.io/{key}", "operator": "Exists"}
            for key in _DAEMON_KEYS
        ]
        return given + [entry for entry in extra if entry not in given]
    have = {entry.get("key") for entry in given}
    if any(entry.get("operator") == "Exists" and "key" not in entry for entry in given):
        return given
    return given + [
        {"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300}
        for key in _EVICTIONS
        if key not in have
    ]


def _mount_account(spec: Json, volume: str) -> None:
    mount = {"mountPath": "/var/run/secrets/kubernetes.io/serviceaccount", "name": volume, "readOnly": True}
    for container in [*spec.get("initContainers", ()), *spec["containers"]]:
        mounts = container.setdefault("volumeMounts", [])
        if not any(entry["mountPath"] == mount["mountPath"] for entry in mounts):
            mounts.append(dict(mount))
    sources: list[Json] = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}], "name": "kube-root-ca.crt"}},
        {
            "downwardAPI": {
                "items": [
                    {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}, "path": "namespace"}
                ]
            }
        },
    ]
    spec.setdefault("volumes", []).append(
        {"name": volume, "projected": {"defaultMode": 420, "sources": sources}}
    )
