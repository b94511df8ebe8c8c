"""Pods hang in ContainerCreating, and the CNI plug-in says why."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.restarting import captured_log, kubectl
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.sandboxes import Refusal, WaitingGroup, WaitingPod, WaitingPods
from playbooks.model.rule import Case, fault

_NUMBERS = re.compile(r"[0-9a-f]{8,}|\d+")


@fault(
    "END008",
    step="created",
    cases=(
        Case("SANDBOX-words", proof="W", twin="the same event about a pod that runs by now"),
        Case("SANDBOX-limited", proof="W", twin="the same event about a pod that runs by now"),
    ),
)
def pod_network_refused(waiting: WaitingPods, agents: Agents) -> Iterator[Finding]:
    """Pods hang in ContainerCreating, and the CNI plug-in says why.

    Before a pod's first container starts, the runtime has Cilium's plug-in make its network. If that fails,
    the runtime throws the sandbox away and the kubelet begins anew, for ever. What the plug-in said is in the
    pod's events, behind much that the kubelet and the runtime put before it; only the end of it counts.
    """
    groups: dict[tuple[str, str], list[WaitingPod]] = defaultdict(list)
    for one in waiting.items:
        if one.refusal is Refusal.OTHER:
            groups[one.node, _NUMBERS.sub("N", one.words)].append(one)
    for (node, same), found in groups.items():
        yield _finding(waiting, node, same, WaitingGroup(tuple(found)), agents.by_node.get(node))


def _finding(waiting: WaitingPods, node: str, same: str, group: WaitingGroup, agent: Agent | None) -> Finding:
    refs, words = group.refs, group.pods[0].words
    on_node = (
        ConditionKind.AGENT_DOWN,
        ConditionKind.AGENT_SILENT,
        ConditionKind.API_SERVER_UNREACHABLE,
        ConditionKind.IPAM_EXHAUSTED,
        ConditionKind.MAP_FULL,
        ConditionKind.NODE_UNFIT,
    )
    return finding(
        Severity.ERROR,
        refs,
        f"{refs[0]} gets no network: {words}",
        evidence=group.proof(waiting),
        because_of=[
            *(Condition(kind, node) for kind in on_node),
            Condition(ConditionKind.OPERATOR_DOWN),
            Condition(ConditionKind.KVSTORE_DOWN),
        ],
        stated_cause=words,
        impact=f"it does not start on {node}" if len(refs) == 1 else f"none of them starts on {node}",
        first_seen=group.first,
        last_seen=group.last,
        ongoing=Ongoing.YES,
        fixes=(_fix(group.pods[0], agent),),
        same_as=same,
    )


def _fix(one: WaitingPod, agent: Agent | None) -> Fix:
    meta = one.pod.metadata
    steps = [
        step(
            f"Read the events of {one.ref}.",
            kubectl("-n", meta.namespace, "describe", "pod", meta.name),
        )
    ]
    if agent:
        steps.append(captured_log(agent))
        steps.append(step(f"Read what the agent on {one.node} says of it.", agent.log(tail=500).command()))
    return Fix.cure(
        "Remove the cause that the plug-in names; the pod then starts by itself.",
        why="The kubelet tries again as long as the pod exists.",
        risk=Risk.LOW,
        steps=steps,
        undo="Nothing is changed by looking.",
        verify=f"{one.ref} runs.",
    )
