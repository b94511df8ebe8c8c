"""Kube-proxy where it can be seen: its DaemonSet and its pods."""

from __future__ import annotations

from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.workloads import DaemonSet, DaemonSets

_LABELS = ({"k8s-app": "kube-proxy"}, {"component": "kube-proxy"})
_NAME = "kube-proxy"


def proxy_pods(pods: Pods) -> tuple[Pod, ...]:
    """Pods of kube-proxy that run, by its labels or its name."""
    return tuple(
        pod
        for pod in pods.items
        if not pod.is_going
        and pod.spec.node_name
        and (
            any(pod.metadata.has_labels(labels) for labels in _LABELS)
            or any(one.name == _NAME for one in pod.spec.containers or ())
        )
    )


def proxy_workload(daemon_sets: DaemonSets) -> DaemonSet | None:
    """The DaemonSet of kube-proxy, if there is one."""
    return next((one for one in daemon_sets.items if one.metadata.name == _NAME), None)
