"""Kube-proxy runs beside an agent that is in its place."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.replacement import Replacement
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.kube.pods import Pods
from playbooks.model.kube.workloads import DaemonSets
from playbooks.model.rule import Case, fault
from playbooks.model.services.proxies import proxy_pods, proxy_workload


@fault(
    "SVC025",
    step="replacement",
    cases=(Case("kube-proxy-beside", proof="W", twin="the same cluster without pods of kube-proxy"),),
)
def kube_proxy_beside_replacement(
    replacements: Fleet[Replacement], pods: Pods, daemon_sets: DaemonSets | None
) -> Iterator[Finding]:
    """Kube-proxy runs beside an agent that is in its place.

    Both translate the addresses of services, the one in BPF, the other in iptables or IPVS, and neither
    knows the other's connections. BPF comes first, so that kube-proxy mostly does nothing but write rules.
    That is right for the time of a migration. Taking it away later breaks the connections that it still
    carries, and its rules stay behind.
    """
    running = {pod.spec.node_name: pod for pod in proxy_pods(pods)}
    both = [(node, fact) for node, fact in replacements if node in running and fact.is_on]
    if not both:
        return
    node, fact = both[0]
    workload = proxy_workload(daemon_sets) if daemon_sets else None
    ref = workload.ref if workload else running[node].ref
    yield finding(
        Severity.INFO,
        ref,
        f"{ref} runs beside kube-proxy replacement on {len(both)} nodes",
        evidence=(
            fact.evidence(f"{node}: {fact.said}"),
            pods.evidence(f"{running[node].ref} runs on {node}"),
        ),
        impact="nothing fails by it; two programs keep rules for the same services",
        last_seen=fact.taken_at,
        ongoing=Ongoing.YES,
        owner=workload.metadata.managed_by if workload else "",
        fixes=(
            Fix.cure(
                "Take kube-proxy away when the migration is over.",
                why="The agents say that they serve all that it serves.",
                risk=Risk.HIGH,
                steps=(
                    step(
                        "Check what would break, node by node.",
                        "honeyguide check service --before-removing-kube-proxy",
                    ),
                    step(
                        f"Delete {ref}.",
                        kubectl("-n", ref.namespace, "delete", ref.kind.lower(), ref.name),
                    ),
                ),
                undo=f"Apply {ref} again.",
                verify="`iptables-save | grep KUBE-SVC` prints nothing after a reboot of each node.",
            ),
        ),
    )
