"""Policy selects only pods on their hosts' network, on which no policy for pods acts."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Written
from playbooks.model.rule import Case, fault


@fault(
    "POL013",
    step="written",
    cases=(Case("PO-10", proof="W", twin="the same policy with the pods on the pod network"),),
)
def selects_host_network_only(
    policies: WrittenPolicies, pods: LabelledPods
) -> Iterator[Finding | CouldNotLook]:
    """Policy selects only pods on their hosts' network, on which no policy for pods acts.

    A pod with `hostNetwork: true` has the address and the identity of its node (`host`, or `remote-node`
    seen from elsewhere) and no endpoint of its own. Policies are enforced at endpoints, so one that selects
    such pods is valid and changes nothing. What protects them is the host firewall, by policies for nodes.
    """
    for one in policies.items:
        if one.is_for_nodes or one.selector.is_empty:
            continue
        on_host = [pod for pod in pods.on_host if one.selects(pod.labels)]
        if not on_host or any(True for _ in pods.selected_by(one)):
            continue
        if not pods.is_complete:
            yield CouldNotLook("not all pods of the cluster could be read")
            return
        yield _finding(one, on_host, policies, pods)


def _finding(
    one: Written, on_host: list[LabelledPod], policies: WrittenPolicies, pods: LabelledPods
) -> Finding:
    names = ", ".join(str(pod.pod.ref) for pod in on_host[:3])
    return finding(
        Severity.WARN,
        one.policy,
        f"{one.policy} selects only pods on the host's network, where it does nothing",
        evidence=(
            policies.evidence(f"{one.policy} {one.place} selects {one.selector}"),
            pods.evidence(f"hostNetwork: true in all {len(on_host)} pods that it selects: {names}"),
        ),
        impact="the pods are open, whatever the policy says",
        last_seen=pods.taken_at,
        ongoing=Ongoing.YES,
        owner=one.owner,
        fixes=(
            Fix.cure(
                "Protect the nodes of these pods with the host firewall.",
                why="Traffic of such pods is their node's; only policies with nodeSelector act on it.",
                risk=Risk.HIGH,
                steps=(
                    step(
                        "Put one node's host endpoint into audit mode first, or you may lock yourself out.",
                        "cilium-dbg endpoint config HOST_ENDPOINT PolicyAuditMode=Enabled",
                    ),
                    step("Switch the host firewall on.", "hostFirewall:\n  enabled: true"),
                    step(
                        "Write a clusterwide policy with nodeSelector, and watch what it would refuse.",
                        "hubble observe --verdict AUDIT",
                    ),
                ),
                undo="Delete the policy for nodes.",
                verify="The row Host firewall of the agents' status says Enabled; wanted traffic passes.",
            ),
        ),
    )
