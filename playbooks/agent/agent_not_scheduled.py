"""A node that should have an agent has none."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.installation import Installation
from playbooks.model.cilium.placing import Placing, Reason
from playbooks.model.cilium.restarting import kubectl, sysdump
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.finding import (
    CouldNotLook,
    Finding,
    Fix,
    Ongoing,
    Ref,
    Risk,
    Severity,
    finding,
    step,
)
from playbooks.model.kube.events import Warnings
from playbooks.model.kube.nodes import Node, Nodes
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.rule import Case, fault


@fault(
    "AGT010",
    step="placed",
    cases=(
        Case("PLACED-taint", proof="W", twin="the same DaemonSet that tolerates every taint, with its pod"),
        Case("PLACED-pending", proof="W", twin="the same pod, scheduled and ready"),
        Case("PLACED-selector", proof="W", twin="the same DaemonSet whose selector asks for Linux only"),
        Case("PLACED-evicted", proof="W", twin="the same node with a running pod"),
    ),
)
def agent_not_scheduled(
    agents: Agents,
    installation: Installation,
    nodes: Nodes,
    pods: Pods,
    daemon_sets: DaemonSets,
    warnings: Warnings | None,
) -> Iterator[Finding | CouldNotLook]:
    """A node that should have an agent has none.

    The DaemonSet makes a pod for every node that its selector and tolerations allow; the chart tolerates
    every taint, so that the agent comes before everything else. A taint that is not tolerated any more keeps
    new agents away, while those that run stay until their node's next restart. Pods on a node without an
    agent get no network.
    """
    whole = not pods.provenance.is_truncated and pods.provenance.namespace in ("", installation.namespace)
    workload = next((item for item in daemon_sets.items if item.ref == installation.workload), None)
    look = Placing(agents, pods, workload, daemon_sets, warnings)
    found: dict[tuple[Ref, str], list[tuple[Node, Reason]]] = defaultdict(list)
    for node in nodes.items:
        reason = look.reason(node)
        if reason and not whole:
            yield CouldNotLook("not all pods of Cilium's namespace could be read")
        elif reason:
            key = node.ref if reason.subject.kind == "Pod" else reason.subject
            found[key, reason.why].append((node, reason))
    for same in found.values():
        yield _finding(same, installation)


def _finding(same: list[tuple[Node, Reason]], installation: Installation) -> Finding:
    node, reason = same[0]
    names = [one.name for one, _ in same]
    subjects = dict.fromkeys([*(one.subject for _, one in same), *(one.ref for one, _ in same)])
    where = node.name if len(names) == 1 else f"{len(names)} nodes"
    main = next(iter(subjects))
    what = f"{main} has no agent" if main == node.ref else f"{main}: no agent on {where}"
    return finding(
        Severity.ERROR,
        subjects,
        f"{what}: {reason.why}",
        evidence=[proof for _, one in same[:3] for proof in one.proofs],
        asserts=[Condition(ConditionKind.AGENT_DOWN, name) for name in names],
        because_of=[Condition(ConditionKind.NODE_UNREACHABLE, name) for name in names],
        impact=f"pods on {', '.join(names[:5])} get no network, or keep what an earlier agent left",
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                reason.remedy,
                why="The DaemonSet makes the pod by itself as soon as it may.",
                risk=Risk.LOW,
                steps=(
                    sysdump(),
                    step(
                        "Compare the nodes with the agents.",
                        kubectl("-n", installation.namespace, "get", "pods", "-o", "wide"),
                    ),
                    step(reason.remedy, reason.command),
                ),
                undo="Set the values back.",
                verify="Every node has an agent pod, and it is ready.",
            ),
        ),
    )
