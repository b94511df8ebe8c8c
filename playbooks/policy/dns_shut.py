"""The cluster's DNS is shut: its pods refuse those who ask, or may not reach the API server."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.dns.cluster import ClusterDns
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Ongoing, Ref, Severity, finding
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told, unseen
from playbooks.model.policies.written import Direction
from playbooks.model.rule import Case, fault

_PORT = 53


@fault(
    "POL030",
    step="enforced",
    cases=(Case("dns-shut", proof="W", twin="the same policy with a rule that admits those who ask"),),
)
def dns_shut(
    policies: WrittenPolicies, pods: LabelledPods, dns: ClusterDns, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """The cluster's DNS is shut: its pods refuse those who ask, or may not reach the API server.

    Every pod finds others by name, so the pods of the cluster's DNS are there for everybody; they know the
    names from the API server. A policy that selects them closes a direction, and what no rule of it admits
    ends: questions of the namespaces that were forgotten, or the watch by which DNS learns of services.
    """
    yield from unseen(refused)
    servers = {(pod.metadata.namespace, pod.metadata.name) for pod in dns.pods}
    shut: dict[tuple[Ref, ...], list[Refusal]] = {}
    for drop in refusals(refused):
        pod = pods.by_name.get(drop.pod)
        if pod is None or drop.pod not in servers or not _is_needed(drop):
            continue
        asked = Asked(pod.labels, drop.direction, drop.as_peer, drop.flow.port, drop.flow.protocol or "UDP")
        decided = decide(tuple(policies.selecting(pod.labels)), asked)
        if decided.decision is Decision.NOT_ADMITTED and decided.default_deny:
            shut.setdefault(decided.default_deny, []).append(drop)
    if shut and not policies.is_complete:
        yield CouldNotLook("not all kinds of policies could be read")
        return
    for refs, drops in shut.items():
        yield _finding(refs, drops, policies)


def _is_needed(drop: Refusal) -> bool:
    """Whether it is a question of a pod, or a call of the API server."""
    if drop.direction is Direction.INGRESS:
        return drop.flow.port == _PORT and bool(drop.peer.pod_name)
    return "kube-apiserver" in drop.as_peer.labels.reserved


def _finding(refs: tuple[Ref, ...], drops: list[Refusal], policies: WrittenPolicies) -> Finding:
    last = drops[-1]
    seen = span(drops)
    is_asked = last.direction is Direction.INGRESS
    written = next(one for one in policies.items if one.policy == refs[0] and one.default_deny)
    what = "those who ask" if is_asked else "the API server"
    key = "fromEntities: [cluster]" if is_asked else "toEntities: [kube-apiserver]"
    port = f"53, protocol: {last.flow.protocol or 'UDP'}" if is_asked else f"{last.flow.port}, protocol: TCP"
    return finding(
        Severity.ERROR,
        refs,
        f"{refs[0]} closes {last.direction} of the cluster's DNS and does not admit {what}",
        evidence=(
            last.evidence(),
            policies.evidence(f"{written.policy} {written.place} selects {written.selector}"),
        ),
        asserts=(Condition(ConditionKind.POLICY_AT_FAULT, str(ref)) for ref in refs),
        because_of=(Condition(ConditionKind.POLICY_AT_FAULT, str(ref)) for ref in refs),
        impact=f"pods find nobody by name; {told(drops)}"
        if is_asked
        else f"DNS learns of no change of services; {told(drops)}",
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        owner=written.owner,
        fixes=(
            corrected(
                f"Admit {what} at the pods of the cluster's DNS.",
                written,
                f"{written.place}.{last.direction}",
                why="In default deny a pod needs a rule for each peer, and DNS has all pods for peers.",
                verify="The drops at the pods of the cluster's DNS end.",
                change=f"- {key}\n  toPorts:\n    - ports: [{{port: {port}}}]",
            ),
        ),
    )
