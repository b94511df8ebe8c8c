"""Envoy is not ready on a node."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import (
    Finding,
    Fix,
    NotApplicable,
    Ongoing,
    Risk,
    Severity,
    capture,
    finding,
    step,
)
from playbooks.model.kube.complaints import complaint_of, standing_of, unready_since
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.moments import lasts
from playbooks.model.rule import Case, fault

_LABELS = {"k8s-app": "cilium-envoy"}
_LASTING = timedelta(seconds=120)
"""Envoy needs so long at most to start and to get its configuration."""


@fault(
    "AGT073",
    step="peers",
    cases=(Case("envoy-unready", proof="W", twin="the same DaemonSet with every pod ready"),),
)
def envoy_not_ready(
    installation: Installation, daemon_sets: DaemonSets, pods: Pods
) -> Iterator[Finding | NotApplicable]:
    """Envoy is not ready on a node.

    Since 1.16 Envoy runs in pods of its own, one on each node, and gets its listeners from the agent of that
    node. Traffic under layer 7 rules, ingresses and gateways passes through it; all other traffic does not.
    """
    workload = next(
        (
            item
            for item in daemon_sets.items
            if item.metadata.namespace == installation.namespace
            and item.spec.template.metadata.has_labels(_LABELS)
        ),
        None,
    )
    if workload is None:
        yield NotApplicable("Envoy does not run in pods of its own")
        return
    for pod in pods.matching(_LABELS, installation.namespace):
        if not pod.is_ready and not pod.is_going and lasts(unready_since(pod), pods.taken_at, _LASTING):
            yield _finding(pod, pods)


def _finding(pod: Pod, pods: Pods) -> Finding:
    node, meta = pod.spec.node_name, pod.metadata
    kinds = (
        ConditionKind.AGENT_DOWN,
        ConditionKind.AGENT_SILENT,
        ConditionKind.NODE_NOT_READY,
        ConditionKind.NODE_UNREACHABLE,
    )
    return finding(
        Severity.WARN,
        pod.ref,
        f"{pod.ref} is not ready on {node}",
        evidence=(pods.evidence(standing_of(pod)),),
        asserts=(Condition(ConditionKind.ENVOY_DOWN, node),),
        because_of=[Condition(kind, node) for kind in kinds],
        stated_cause=complaint_of(pod),
        impact="traffic of the node under layer 7 rules, ingresses and gateways fails",
        first_seen=unready_since(pod),
        last_seen=pods.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                "Remove what Envoy's log and events name.",
                why="Envoy becomes ready by itself when it can start and the agent answers it.",
                risk=Risk.LOW,
                steps=(
                    capture(
                        f"Save the log of {pod.ref}.",
                        kubectl("-n", meta.namespace, "logs", meta.name, "--tail=500") + " > envoy.log",
                    ),
                    step("Read its events.", kubectl("-n", meta.namespace, "describe", "pod", meta.name)),
                ),
                undo="Nothing is changed by looking.",
                verify=f"{pod.ref} is ready.",
            ),
        ),
        same_as="envoy",
    )
