"""Hubble Relay is not ready."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import (
    Evidence,
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
from playbooks.model.kube.workloads import Deployment, Deployments
from playbooks.model.moments import is_recent, lasts
from playbooks.model.rule import Case, fault

_LABEL = "hubble-relay"
_LASTING = timedelta(seconds=60)
"""Relay turns unready for some seconds whenever its peers restart."""
_BACK_OFF = timedelta(minutes=6)
"""Kubelet starts what ended again and again within five minutes; then Relay needs a moment."""


@fault(
    "AGT072",
    step="peers",
    cases=(
        Case("LAB-05", proof="R", twin="LAB-05 with a Relay pod that is ready"),
        Case("CN-17", proof="W", twin="the practice world with Relay ready"),
    ),
)
def relay_not_ready(
    installation: Installation, deployments: Deployments, pods: Pods, agents: Agents
) -> Iterator[Finding | NotApplicable]:
    """Hubble Relay is not ready.

    Relay asks every agent for its flows and answers as one. It learns of the agents from the one on its own
    node, through the service hubble-peer, and calls itself unhealthy when it is connected to none. So it
    follows the agents: it is down with them and comes back by itself, though kubelet may let it wait for
    five minutes more after it had ended many times. Its restarts alone mean nothing.
    """
    relay = deployments.labelled("k8s-app", _LABEL, installation.namespace)
    if relay is None:
        yield NotApplicable("Hubble Relay is not installed")
        return
    if relay.status.ready_replicas >= relay.wanted:
        return
    unready = [
        pod
        for pod in pods.matching({"k8s-app": _LABEL}, installation.namespace)
        if not pod.is_ready and not pod.is_going
    ]
    nodes = _behind(unready, agents)
    is_explained = bool(unready and nodes) and all(_is_looping(agents, node) for node in nodes)
    if is_explained or _is_lasting(relay, unready, pods.taken_at):
        is_coming = not nodes and _is_coming(unready, agents, pods.taken_at)
        yield _finding(relay, unready, nodes, deployments, pods, is_coming=is_coming)


def _behind(unready: list[Pod], agents: Agents) -> list[str]:
    """Nodes whose agent is not ready, and on which Relay depends."""
    down = [
        node for node in agents.nodes if node not in agents.by_node or not agents.by_node[node].pod.is_ready
    ]
    if len(down) == len(agents.nodes):
        return down
    own = {pod.spec.node_name for pod in unready}
    return [node for node in down if node in own]


def _is_looping(agents: Agents, node: str) -> bool:
    """Whether an agent has failed to start before: what is unready with it will not be ready in seconds."""
    agent = agents.by_node.get(node)
    return bool(agent and agent.status and agent.status.restart_count and not agent.status.ready)


def _is_lasting(relay: Deployment, unready: list[Pod], now: datetime) -> bool:
    if not unready:
        return lasts(relay.metadata.creation_timestamp, now, _LASTING) and relay.status.replicas == 0
    return all(lasts(unready_since(pod), now, _LASTING) for pod in unready)


def _is_coming(unready: list[Pod], agents: Agents, now: datetime) -> bool:
    """Whether the agents of the nodes where Relay waits in back-off came back after it went, and lately."""
    return bool(unready) and all(_waits_for_kubelet(pod, agents, now) for pod in unready)


def _waits_for_kubelet(pod: Pod, agents: Agents, now: datetime) -> bool:
    agent, since = agents.by_node.get(pod.spec.node_name), unready_since(pod)
    ready = agent.pod.condition_of("Ready") if agent else None
    if complaint_of(pod) or ready is None or ready.status != "True" or since is None:
        return False
    came = ready.last_transition_time
    return came is not None and came >= since and is_recent(came, now, _BACK_OFF)


def _finding(
    relay: Deployment,
    unready: list[Pod],
    nodes: list[str],
    deployments: Deployments,
    pods: Pods,
    *,
    is_coming: bool = False,
) -> Finding:
    ready, wanted = relay.status.ready_replicas, relay.wanted
    starts = [since for pod in unready if (since := unready_since(pod))]
    kinds = (ConditionKind.AGENT_DOWN, ConditionKind.AGENT_SILENT)
    own = [pod.spec.node_name for pod in unready if pod.spec.node_name]
    proofs: list[Evidence] = [deployments.evidence(f"{relay.ref}: {ready} of {wanted} replicas are ready")]
    return finding(
        Severity.INFO if ready or is_coming else Severity.WARN,
        relay.ref,
        f"{relay.ref} has {ready} of {wanted} replicas ready"
        + (", and its agent has just come back" if is_coming else ""),
        evidence=[*proofs, *(pods.evidence(standing_of(pod)) for pod in unready[:3])],
        asserts=() if ready else (Condition(ConditionKind.RELAY_DOWN),),
        because_of=[
            *(Condition(kind, node) for node in nodes for kind in kinds),
            *(Condition(ConditionKind.NODE_NOT_READY, node) for node in own),
            Condition(ConditionKind.SECRET_MISSING),
        ],
        stated_cause=next(filter(None, map(complaint_of, unready)), ""),
        impact="Hubble's command and its UI see no flows; traffic goes on" if not ready else "",
        first_seen=min(starts, default=None),
        last_seen=pods.taken_at,
        ongoing=Ongoing.YES,
        owner=relay.metadata.managed_by,
        fixes=(
            Fix.cure(
                "Remove what Relay's log and events name.",
                why="Relay connects again by itself as soon as an agent answers it.",
                risk=Risk.LOW,
                steps=(
                    capture(
                        f"Save the log of {relay.ref}.",
                        kubectl(
                            *("-n", relay.metadata.namespace, "logs"),
                            *(f"deployment/{relay.metadata.name}", "--tail=500"),
                        )
                        + " > hubble-relay.log",
                    ),
                    step(
                        "Read the events of its pods.",
                        kubectl(
                            "-n", relay.metadata.namespace, "describe", "pods", "-l", f"k8s-app={_LABEL}"
                        ),
                    ),
                    step("Open TCP 4244 from Relay to all nodes, if its log says that peers do not answer."),
                ),
                undo="Nothing is changed by looking.",
                verify=f"All replicas of {relay.ref} are ready.",
            ),
        ),
    )
