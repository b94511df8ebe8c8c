"""Pods may not ask the cluster's DNS: their policy closes egress and has no rule for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.dns.cluster import ClusterDns
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Ongoing, Ref, Severity, finding
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.drafting import DNS_RULE
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told, unseen
from playbooks.model.policies.written import Direction, Written
from playbooks.model.rule import Case, fault

_PORT = 53


@fault(
    "POL020",
    step="enforced",
    cases=(Case("dns-not-admitted", proof="W", twin="the same policy with a rule for kube-dns at port 53"),),
)
def dns_refused(
    policies: WrittenPolicies, pods: LabelledPods, dns: ClusterDns, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """Pods may not ask the cluster's DNS: their policy closes egress and has no rule for it.

    Any policy that speaks of a pod's egress closes all of it that no rule admits, the cluster's DNS too. A
    policy that names only the peers a pod is to call makes it unable to find them: every call by name ends
    with a lookup that times out, and nothing points at the policy but the drops at port 53.
    """
    yield from unseen(refused)
    servers = {(pod.metadata.namespace, pod.metadata.name) for pod in dns.pods}
    shut: dict[tuple[Ref, ...], list[_Shut]] = {}
    for drop in refusals(refused):
        peer = (drop.peer.namespace, drop.peer.pod_name)
        pod = pods.by_name.get(drop.pod)
        if (
            drop.direction is not Direction.EGRESS
            or drop.flow.port != _PORT
            or peer not in servers
            or not pod
        ):
            continue
        asked = Asked(pod.labels, Direction.EGRESS, drop.as_peer, _PORT, drop.flow.protocol or "UDP")
        closing = policies.denying_by_default(pod.labels, Direction.EGRESS)
        decided = decide(tuple(policies.selecting(pod.labels)), asked)
        if closing and decided.decision is Decision.NOT_ADMITTED:
            refs = tuple(dict.fromkeys(one.policy for one in closing))
            shut.setdefault(refs, []).append(_Shut(closing[0], drop))
    if shut and not policies.is_complete:
        yield CouldNotLook("not all kinds of policies could be read")
        return
    for refs, found in shut.items():
        yield _finding(refs, found, policies)


@dataclass(frozen=True, slots=True)
class _Shut:
    written: Written
    drop: Refusal


def _finding(refs: tuple[Ref, ...], found: list[_Shut], policies: WrittenPolicies) -> Finding:
    first = found[0].written
    drops = [one.drop for one in found]
    seen = span(drops)
    workload = drops[-1].own.workload
    return finding(
        Severity.ERROR,
        refs,
        f"{refs[0]} closes egress of {workload} and does not admit the cluster's DNS",
        evidence=(
            drops[-1].evidence(),
            policies.evidence(
                f"{first.policy} {first.place} selects {first.selector}; no rule for egress to port {_PORT}"
            ),
        ),
        asserts=(Condition(ConditionKind.POLICY_AT_FAULT, str(ref)) for ref in refs),
        impact=f"{workload} finds nobody by name; {told(drops)}",
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        owner=first.owner,
        fixes=(
            corrected(
                f"Admit the cluster's DNS for {workload}.",
                first,
                f"{first.place}.egress",
                why="In default deny a pod's egress needs a rule for each peer, its DNS included.",
                verify="`hubble observe --port 53 --verdict DROPPED` shows nothing new of these pods.",
                change=DNS_RULE,
            ),
        ),
    )
