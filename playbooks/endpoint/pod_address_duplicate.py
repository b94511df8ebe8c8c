"""Two pods have the same address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.restarting import kubectl
from playbooks.model.fact import Change
from playbooks.model.finding import Finding, Fix, Ongoing, Risk, Severity, capture, finding, step
from playbooks.model.kube.pods import Pod, Pods
from playbooks.model.rule import Case, fault


@fault(
    "END017",
    step="addresses",
    cases=(Case("ADDRESS-twice", proof="W", twin="the same pods with addresses of their own"),),
    candidate=lambda pods: bool(_twice(pods)),
)
def pod_address_duplicate(pods: Change[Pods], agents: Agents) -> Iterator[Finding]:
    """Two pods have the same address.

    Cilium knows an address by one identity and one node. When two pods that run have the same, one of them
    gets what was meant for the other, and is judged by the other's policy. Ranges of nodes overlap, or a node
    took up addresses that its agent had given out before.
    """
    before = _twice(pods.before)
    for address, found in _twice(pods.after).items():
        same = [pod for pod in found if pod.ref in {one.ref for one in before.get(address, ())}]
        if len(same) > 1 and any(pod.spec.node_name in agents.by_node for pod in same):
            yield _finding(pods, address, same)


def _twice(pods: Pods) -> dict[str, list[Pod]]:
    by_address: dict[str, list[Pod]] = defaultdict(list)
    for pod in pods.items:
        is_running = pod.status.phase == "Running" and not pod.is_going
        if pod.status.pod_ip and is_running and not pod.spec.host_network:
            by_address[pod.status.pod_ip].append(pod)
    return {address: found for address, found in by_address.items() if len(found) > 1}


def _finding(pods: Change[Pods], address: str, same: list[Pod]) -> Finding:
    refs = [pod.ref for pod in same]
    newest = max(same, key=lambda pod: pod.status.start_time.timestamp() if pod.status.start_time else 0.0)
    meta = newest.metadata
    started = newest.status.start_time
    return finding(
        Severity.ERROR,
        refs,
        f"{refs[0]} and {refs[1]} have the same address {address}",
        evidence=(
            pods.before.evidence(
                "\n".join(f"{pod.ref} on {pod.spec.node_name}: {address}" for pod in same[:5])
            ),
            pods.after.evidence(
                "\n".join(f"{pod.ref} on {pod.spec.node_name}: {address}" for pod in same[:5])
            ),
        ),
        alternatives=(
            "The ranges of both nodes overlap: their CiliumNodes show it.",
            "One node is gone, and Kubernetes still takes its pods for running.",
        ),
        impact="one of them gets what is meant for the other, under the other's policy",
        first_seen=started,
        last_seen=pods.after.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Replace {newest.ref}, the newer one.",
                why="A new pod gets a new address.",
                risk=Risk.MEDIUM,
                steps=(
                    capture(
                        f"Save what {newest.ref} looks like.",
                        kubectl("-n", meta.namespace, "get", "pod", meta.name, "-o", "yaml") + " > pod.yaml",
                    ),
                    step(
                        "Delete the pod, if a controller makes a new one.",
                        kubectl("-n", meta.namespace, "delete", "pod", meta.name),
                    ),
                    step(
                        "Compare the ranges of the nodes.",
                        kubectl(
                            *("get", "ciliumnodes", "-o"),
                            "custom-columns=NODE:.metadata.name,CIDRS:.spec.ipam.podCIDRs",
                        ),
                    ),
                ),
                undo="Apply the saved manifest, if nothing made a new pod.",
                verify="Every pod has an address of its own.",
            ),
        ),
    )
