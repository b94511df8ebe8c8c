"""Pods run without an endpoint of Cilium."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.settings import TRUE
from playbooks.model.finding import (
    CouldNotLook,
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
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.moments import lasts
from playbooks.model.rule import Case, fault

_YOUNG = timedelta(minutes=2)
"""A new pod's endpoint is published after some seconds; a busy API server makes it wait."""


@fault(
    "AGT071",
    step="peers",
    cases=(
        Case("LAB-20", proof="R", twin="LAB-20 with a CiliumEndpoint for the pod"),
        Case("EP-07", proof="W", twin="the practice world, whose pods all have an endpoint"),
    ),
)
def pods_not_managed(
    pods: Pods, endpoints: ClusterEndpoints, agents: Agents, config: CiliumConfig | None
) -> Iterator[Finding | CouldNotLook | NotApplicable]:
    """Pods run without an endpoint of Cilium.

    A pod that was there before Cilium, or whose endpoint was lost, keeps its address and its process. No
    program of Cilium stands at its door: policies do not hold for it, Hubble does not see it, and others may
    not reach it. Only a new pod gets an endpoint. Pods in the network of their node never have one.
    """
    if config is not None and config.get("disable-endpoint-crd").lower() in TRUE:
        yield NotApplicable("endpoints are not published here (disable-endpoint-crd)")
        return
    managed = {(item.namespace, item.name) for item in endpoints.items}
    bare = [pod for pod in pods.items if _needs_one(pod, pods, agents) and _key(pod) not in managed]
    if not bare:
        return
    where = endpoints.provenance
    if where.is_truncated or where.namespace or not managed:
        yield CouldNotLook("not all endpoints could be listed, so a missing one proves nothing")
        return
    for pod in bare:
        yield _finding(pod, pods, endpoints)


def _key(pod: Pod) -> tuple[str, str]:
    return pod.metadata.namespace, pod.metadata.name


def _needs_one(pod: Pod, pods: Pods, agents: Agents) -> bool:
    """Whether the pod has a network of its own, is past its start, and an agent could manage it."""
    if pod.spec.host_network or pod.is_going or pod.status.phase != "Running" or not pod.status.pod_ip:
        return False
    agent = agents.by_node.get(pod.spec.node_name)
    is_old = lasts(pod.status.start_time, pods.taken_at, _YOUNG)
    return is_old and agent is not None and agent.is_running


def _finding(pod: Pod, pods: Pods, endpoints: ClusterEndpoints) -> Finding:
    meta = pod.metadata
    return finding(
        Severity.INFO,
        pod.ref,
        f"{pod.ref} runs without an endpoint",
        evidence=(
            pods.evidence(f"{pod.ref}: podIP {pod.status.pod_ip}, hostNetwork false"),
            endpoints.evidence(f"{len(endpoints.items)} endpoints, none of {meta.namespace}/{meta.name}"),
        ),
        impact="policies do not hold for it, and others may not reach it",
        last_seen=endpoints.taken_at,
        ongoing=Ongoing.YES,
        owner=meta.managed_by or (meta.controller.kind if meta.controller else ""),
        fixes=(
            Fix.cure(
                f"Replace {pod.ref}.",
                why="An endpoint is made when a pod is made.",
                risk=Risk.MEDIUM,
                steps=(
                    capture(
                        "Save what the pod looks like.",
                        kubectl("-n", meta.namespace, "get", "pod", meta.name, "-o", "yaml") + " > pod.yaml",
                    ),
                    step(
                        "Delete it, if a controller makes a new one.",
                        kubectl("-n", meta.namespace, "delete", "pod", meta.name),
                    ),
                ),
                undo="Apply the saved manifest, if nothing made a new pod.",
                verify="A CiliumEndpoint with the new pod's name is there.",
            ),
        ),
        same_as="unmanaged",
    )
