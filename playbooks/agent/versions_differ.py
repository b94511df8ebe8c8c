"""Agents of one cluster run different versions while nobody rolls one out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from playbooks.model.cilium.agents import Agent, Agents
from playbooks.model.cilium.installation import Installation, minor_of
from playbooks.model.cilium.restarting import deleted, kubectl, sysdump
from playbooks.model.cilium.status import AgentStatus
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.rule import Case, fault


@fault(
    "AGT066",
    step="configuration",
    cases=(Case("versions-mixed", proof="W", twin="the same agents with one version"),),
)
def versions_differ(
    agents: Agents, statuses: Fleet[AgentStatus], installation: Installation, daemon_sets: DaemonSets | None
) -> Iterator[Finding | CouldNotLook]:
    """Agents of one cluster run different versions while nobody rolls one out.

    During an upgrade two neighbouring versions run side by side, which is what they are tested for. When the
    rollout is over and some agents are still old, features and maps of both meet every day: what one node
    writes for another (identities, tunnel options, encryption keys) must be understood by both.
    """
    versions = {
        node: version
        for node, agent in agents.by_node.items()
        if (version := _release(_running(statuses, node) or agent.version))
    }
    unknown = [node for node in agents.by_node if node not in versions]
    if unknown:
        yield CouldNotLook(f"the version of {len(unknown)} agents is not known, such as on {unknown[0]}")
    counts = Counter(versions.values())
    if len(counts) < 2:
        return
    workload = daemon_sets.get(installation.workload) if daemon_sets else None
    minors = {minor_of(version) for version in counts}
    is_fault = len(minors) > 1 and workload is not None and not workload.is_rolling_out
    (usual, _), *others = counts.most_common()
    odd = [node for node, version in versions.items() if version != usual]
    subject = installation.workload or Ref("DaemonSet", "cilium", installation.namespace)
    yield finding(
        Severity.WARN if is_fault else Severity.INFO,
        [subject, *(agents.ref(node) for node in odd)],
        f"agents of {subject} run {len(counts)} versions: {usual}, {', '.join(name for name, _ in others)}",
        evidence=[
            statuses.facts[node].evidence(f"{node}: {versions[node]}")
            if node in statuses.facts
            else agents.evidence(f"{node}: {versions[node]}")
            for node in [next(n for n, v in versions.items() if v == usual), *odd[:5]]
        ],
        alternatives=(
            "A rollout is under way: then its status says how far it is.",
            "The DaemonSet's strategy is OnDelete, and nobody deleted the old pods.",
        ),
        impact="nodes of different versions must understand each other" if is_fault else "",
        last_seen=agents.taken_at,
        ongoing=Ongoing.YES,
        fixes=(_fix(subject, [agents.by_node[node] for node in odd[:3]]),),
    )


def _release(version: str) -> str:
    # A vendor's suffix stands in the image's tag, and not in what the agent says of itself.
    return version.partition("-")[0].partition("+")[0]


def _running(statuses: Fleet[AgentStatus], node: str) -> str:
    status = statuses.facts.get(node)
    return status.version if status else ""


def _fix(workload: Ref, odd: list[Agent]) -> Fix:
    return Fix.cure(
        f"Bring the old agents to the version of {workload}.",
        why="One version on all nodes is what is tested.",
        risk=Risk.MEDIUM,
        steps=(
            sysdump(),
            step(
                "Look how far the rollout is.",
                kubectl(
                    *("-n", workload.namespace, "rollout", "status"),
                    *(f"daemonset/{workload.name}", "--timeout=5s"),
                ),
            ),
            *map(deleted, odd),
        ),
        undo="Roll the DaemonSet back.",
        verify="Every agent's status names the same version.",
    )
