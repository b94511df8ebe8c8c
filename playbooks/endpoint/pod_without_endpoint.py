"""A pod runs without an endpoint of Cilium."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.ceps import ClusterEndpoints
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.cilium.settings import TRUE
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Change, Fleet
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


def _candidate(pods: Pods, published: ClusterEndpoints) -> bool:
    return bool(_bare(pods, published))


@fault(
    "END001",
    step="managed",
    cases=(
        Case(
            "LAB-20",
            proof="R",
            twin="LAB-20 with the pod's endpoint in the agent's list and its CiliumEndpoint",
        ),
        Case(
            "EP-07",
            proof="R",
            twin="LAB-20 with the pod's endpoint in the agent's list and its CiliumEndpoint",
        ),
    ),
    candidate=_candidate,
)
def pod_without_endpoint(
    pods: Change[Pods],
    published: Change[ClusterEndpoints],
    agents: Agents,
    config: CiliumConfig | None,
    endpoints: Fleet[AgentEndpoints],
) -> Iterator[Finding | CouldNotLook | NotApplicable]:
    """A pod runs without an endpoint of Cilium.

    A pod that was there before Cilium, or whose endpoint was lost, keeps its address and its process. No
    program of Cilium stands at its door: policies do not hold for it, Hubble shows it as `world`, and what is
    sent to it is dropped as `Stale or unroutable IP`. Nothing says so: the agent is healthy, for it knows
    nothing of the pod; `cilium status` counts `Cluster Pods` less `managed by Cilium`. Only a new pod gets an
    endpoint. Pods in the network of their node never have one.
    """
    if config is not None and config.get("disable-endpoint-crd").lower() in TRUE:
        yield NotApplicable("endpoints are not published here (disable-endpoint-crd)")
        return
    before = {_key(pod) for pod in _bare(pods.before, published.before)}
    bare = [pod for pod in _bare(pods.after, published.after) if _key(pod) in before]
    bare = [pod for pod in bare if _has_agent(pod, agents)]
    where = published.after.provenance
    if bare and (where.is_truncated or where.namespace or not published.after.items):
        yield CouldNotLook("not all endpoints could be listed, so a missing one proves nothing")
        return
    for pod in bare:
        known = endpoints.facts.get(pod.spec.node_name)
        if known is None:
            yield CouldNotLook(f"the agent of {pod.spec.node_name} did not list its endpoints")
        elif known.at(pod.status.pod_ip) is None:
            yield _finding(pod, pods, published, known, agents)


def _bare(pods: Pods, published: ClusterEndpoints) -> list[Pod]:
    managed = {(item.namespace, item.name) for item in published.items}
    return [pod for pod in pods.items if _needs_one(pod, pods) and _key(pod) not in managed]


def _key(pod: Pod) -> tuple[str, str]:
    return pod.metadata.namespace, pod.metadata.name


def _needs_one(pod: Pod, pods: Pods) -> bool:
    """Whether the pod has a network of its own and is past its start."""
    if pod.spec.host_network or pod.is_going or pod.status.phase != "Running" or not pod.status.pod_ip:
        return False
    return lasts(pod.status.start_time, pods.taken_at, _YOUNG)


def _has_agent(pod: Pod, agents: Agents) -> bool:
    agent = agents.by_node.get(pod.spec.node_name)
    return agent is not None and agent.is_running


def _alternatives(pod: Pod, agents: Agents) -> tuple[str, ...]:
    agent = agents.by_node.get(pod.spec.node_name)
    began, installed = pod.status.start_time, agent.pod.metadata.creation_timestamp if agent else None
    if began and installed and began >= installed:
        return ()
    return (
        "It was there before Cilium: then every pod of the node that is as old has none either.",
        "Its endpoint was lost later: then the agent's log names it, with `disconnect` or `delete`.",
    )


def _finding(
    pod: Pod,
    pods: Change[Pods],
    published: Change[ClusterEndpoints],
    known: AgentEndpoints,
    agents: Agents,
) -> Finding:
    meta = pod.metadata
    return finding(
        Severity.ERROR,
        pod.ref,
        f"{pod.ref} runs without an endpoint",
        evidence=(
            pods.after.evidence(f"{pod.ref}: podIP {pod.status.pod_ip}, hostNetwork false"),
            published.after.evidence(f"{len(published.after.items)} endpoints, none of that pod"),
            known.evidence(f"{len(known.items)} endpoints, none with {pod.status.pod_ip}"),
        ),
        asserts=(Condition(ConditionKind.POD_UNMANAGED, f"{pod.metadata.namespace}/{pod.metadata.name}"),),
        because_of=(Condition(ConditionKind.AGENT_SILENT, pod.spec.node_name),),
        alternatives=_alternatives(pod, agents),
        impact="policies do not hold for it, and what others send to it is dropped",
        first_seen=pods.before.taken_at,
        last_seen=known.taken_at,
        ongoing=Ongoing.YES,
        owner=meta.managed_by,
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
