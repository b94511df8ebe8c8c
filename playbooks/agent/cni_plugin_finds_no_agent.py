"""Pods do not start since the CNI plug-in finds no agent on their node."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, capture, finding, step
from playbooks.model.kube.events import Event, Warnings
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.moments import is_recent
from playbooks.model.rule import Case, fault

_SAYS = re.compile(
    r"unable to connect to cilium agent|cilium\.sock: connect: |failed to create cilium agent client",
    re.IGNORECASE,
)
_LATELY = timedelta(minutes=15)


@fault(
    "AGT035",
    step="node",
    cases=(
        Case(
            "AG-08",
            proof="V",
            lines=(
                'plugin type="cilium-cni" failed (add): unable to connect to Cilium agent: failed to create '
                'cilium agent client after 30.000000 seconds timeout: Get "http://localhost/v1/config": dial '
                "unix /var/run/cilium/cilium.sock: connect: no such file or directory Is the agent running?",
            ),
            twin="the same event about a pod that runs by now",
        ),
        Case("CNI-leftover", proof="W", twin="the same event about a pod that runs by now"),
    ),
)
def cni_plugin_finds_no_agent(warnings: Warnings, pods: Pods, agents: Agents | None) -> Iterator[Finding]:
    """Pods do not start since the CNI plug-in finds no agent on their node.

    The container runtime calls the plug-in, and the plug-in asks the agent through its socket. Without an
    agent the pod waits in ContainerCreating, and the runtime tries again for ever; it is the agent that needs
    help, not the pod. After Cilium was removed, its file in /etc/cni/net.d still calls the plug-in.
    """
    by_node: dict[str, list[tuple[Pod, Event]]] = defaultdict(list)
    by_name = {(pod.metadata.namespace, pod.metadata.name): pod for pod in pods.items}
    for event in warnings.items:
        about = event.involved_object
        pod = by_name.get((about.namespace, about.name)) if _SAYS.search(event.text) else None
        if pod and event.is_about(pod) and _waits(pod) and is_recent(event.last, warnings.taken_at, _LATELY):
            by_node[pod.spec.node_name].append((pod, event))
    for node, waiting in by_node.items():
        agent = agents.by_node.get(node) if agents else None
        if agent is None or not agent.pod.is_ready or _is_after(waiting, agent.pod):
            yield _finding(warnings, node, waiting, agents)


def _waits(pod: Pod) -> bool:
    """Whether a pod is still without a network."""
    return pod.status.phase == "Pending" and bool(pod.spec.node_name) and not pod.status.pod_ip


def _is_after(waiting: list[tuple[Pod, Event]], agent: Pod) -> bool:
    """Whether the plug-in failed after the agent had become ready."""
    ready = agent.condition_of("Ready")
    since = ready.last_transition_time if ready else None
    lasts = [event.last for _, event in waiting if event.last]
    return since is not None and any(last > since + timedelta(minutes=1) for last in lasts)


def _finding(
    warnings: Warnings, node: str, waiting: list[tuple[Pod, Event]], agents: Agents | None
) -> Finding:
    firsts: list[datetime] = [event.first for _, event in waiting if event.first]
    ends: list[datetime] = [event.last for _, event in waiting if event.last]
    is_removed = agents is None or not agents.by_node
    refs = tuple(pod.ref for pod, _ in waiting)
    more = f" and {len(refs) - 1} more" if len(refs) > 1 else ""
    return finding(
        Severity.ERROR,
        refs,
        f"{refs[0]}{more} on {node}: the CNI plug-in finds no agent",
        evidence=[warnings.evidence(event.excerpt) for _, event in waiting[:3]],
        because_of=(
            Condition(ConditionKind.AGENT_DOWN, node),
            Condition(ConditionKind.AGENT_SILENT, node),
            Condition(ConditionKind.NODE_UNREACHABLE, node),
        ),
        alternatives=(
            "The agent of the node does not run or hangs: its pod tells.",
            "Cilium was removed and its file stayed: /etc/cni/net.d/05-cilium.conflist is there.",
        ),
        impact=f"no pod starts on {node}",
        first_seen=min(firsts, default=None),
        last_seen=max(ends, default=None),
        ongoing=Ongoing.YES,
        fixes=(_removed(node) if is_removed else _repaired(node),),
        same_as="socket",
    )


def _removed(node: str) -> Fix:
    return Fix.cure(
        "Remove Cilium's CNI file from every node, if Cilium is gone on purpose.",
        why="The runtime then takes the configuration of the CNI that is there.",
        risk=Risk.MEDIUM,
        steps=(
            capture(
                "Save the events of the pods that wait.", f"{kubectl('get', 'events', '-A')} > events.txt"
            ),
            step(f"Delete the file on {node} and every other node.", "rm /etc/cni/net.d/05-cilium.conflist"),
            step("Delete the pods that wait; their owners make new ones."),
        ),
        undo="Install Cilium again; it writes the file anew.",
        verify="New pods start on the node.",
    )


def _repaired(node: str) -> Fix:
    words = ("-l", "k8s-app=cilium", "--field-selector", f"spec.nodeName={node}", "-o", "wide")
    return Fix.cure(
        f"Repair the agent on {node}; the pods start by themselves.",
        why="The runtime tries again as long as the pod exists.",
        risk=Risk.LOW,
        steps=(
            step(
                "Look at the agent of the node.",
                kubectl("get", "pods", "-A", *words),
            ),
        ),
        undo="Nothing is changed by looking.",
        verify="The pods that waited run.",
    )
