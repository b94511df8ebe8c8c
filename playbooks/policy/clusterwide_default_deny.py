"""A clusterwide policy puts every pod into default deny."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.dns.cluster import ClusterDns
from playbooks.model.fact import Fleet
from playbooks.model.finding import Finding, Ongoing, Severity, finding
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told
from playbooks.model.policies.written import Direction, Written
from playbooks.model.rule import Case, fault


@fault(
    "POL026",
    step="enforced",
    cases=(
        Case("clusterwide-default-deny", proof="W", twin="the same policy without default deny for ingress"),
    ),
)
def clusterwide_default_deny(
    policies: WrittenPolicies, pods: LabelledPods, refused: Fleet[RefusedFlows], dns: ClusterDns | None
) -> Iterator[Finding]:
    """A clusterwide policy puts every pod into default deny.

    An empty `endpointSelector` in a clusterwide policy selects the pods of all namespaces, `kube-system`
    too. One rule for ingress or egress in it closes that direction for all of them, and what no other rule
    admits ends: lookups at the cluster's DNS first. `enableDefaultDeny: false` keeps a policy that only adds
    rules from closing anything.
    """
    drops = list(refusals(refused))
    servers = {(pod.metadata.namespace, pod.metadata.name) for pod in (dns.pods if dns else ())}
    for one in policies.items:
        if one.namespace or one.is_for_nodes or not one.selector.is_empty or not one.default_deny:
            continue
        hurt = [
            drop
            for drop in drops
            if drop.direction is Direction.INGRESS
            and drop.direction in one.default_deny
            and drop.pod in servers
            and drop.flow.port == 53
            and _is_the_only_one(one, drop, policies, pods)
        ]
        yield _finding(one, hurt, policies, pods)


def _is_the_only_one(one: Written, drop: Refusal, policies: WrittenPolicies, pods: LabelledPods) -> bool:
    """Whether nothing else closes the pod, and no rule admits the peer."""
    pod = pods.by_name.get(drop.pod)
    if pod is None:
        return False
    asked = Asked(pod.labels, drop.direction, drop.as_peer, drop.flow.port, drop.flow.protocol)
    decided = decide(tuple(policies.selecting(pod.labels)), asked)
    return decided.decision is Decision.NOT_ADMITTED and decided.default_deny == (one.policy,)


def _finding(one: Written, drops: list[Refusal], policies: WrittenPolicies, pods: LabelledPods) -> Finding:
    seen = span(drops)
    directions = " and ".join(sorted(one.default_deny))
    evidence = [policies.evidence(f"{one.policy} {one.place} selects everything; rules for {directions}")]
    evidence += [drops[-1].evidence()] if drops else []
    return finding(
        Severity.ERROR if drops else Severity.INFO,
        one.policy,
        f"{one.policy} closes {directions} of all {len(pods.items)} pods but for what rules admit",
        evidence=evidence,
        asserts=(Condition(ConditionKind.POLICY_AT_FAULT, str(one.policy)),),
        impact=f"the cluster's DNS is closed; {told(drops)}" if drops else "what no rule admits is refused",
        first_seen=seen[0],
        last_seen=seen[1] or policies.taken_at,
        ongoing=Ongoing.YES,
        owner=one.owner,
        fixes=(
            corrected(
                "Leave out what is not to be closed, or admit what all pods need.",
                one,
                one.place,
                why="A rule for a direction closes it for everything that the policy selects.",
                verify="`hubble observe --verdict DROPPED` shows only what is to be refused.",
                change="enableDefaultDeny:\n  ingress: false\n  egress: false",
            ),
        ),
    )
