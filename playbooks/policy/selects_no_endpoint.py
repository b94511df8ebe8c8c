"""Policy selects no pod."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.mistyped import mistyped
from playbooks.model.policies.labels import is_scoped
from playbooks.model.policies.peers import Match, Selected
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told
from playbooks.model.policies.written import Rule, Written
from playbooks.model.rule import Case, fault


@fault(
    "POL001",
    step="written",
    cases=(Case("LAB-00", proof="R", twin="LAB-00 with a pod in shop that carries app=recommendations"),),
)
def selects_no_endpoint(
    policies: WrittenPolicies, pods: LabelledPods, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """Policy selects no pod.

    A policy acts only on pods that its `endpointSelector` (`podSelector` in Kubernetes' own) matches. One
    that matches none changes no traffic, so a mistyped label looks exactly like a policy that works. Some
    are written before their pods exist: worth knowing, and no fault in itself. Where pods carry nearly the
    label that is asked for, it is one: they are not protected, or not admitted, as somebody meant. It hurts
    where such a pod refuses just those whom the policy would admit; so it does where the policy stands in
    another namespace than all the pods that carry its labels.
    """
    for one in policies.items:
        if one.is_for_nodes or one.selector.is_empty or any(True for _ in pods.selected_by(one)):
            continue
        if any(one.selects(pod.labels) for pod in pods.on_host):
            continue
        if not pods.is_complete or not pods.has_namespace_labels:
            yield CouldNotLook(
                "not all pods of the cluster, with the labels of their namespaces, could be read"
            )
            return
        yield _finding(one, policies, pods, refused)


def _meant(one: Written, pods: LabelledPods) -> dict[tuple[str, str], LabelledPod]:
    """The pods that carry nearly what a policy selects."""
    wanted = one.selector.match_labels or {}
    in_reach = (
        (name, pod) for name, pod in pods.by_name.items() if not one.namespace or name[0] == one.namespace
    )
    return {name: pod for name, pod in in_reach if wanted and mistyped(wanted, pod.labels.by_key)}


def _elsewhere(one: Written, pods: LabelledPods) -> dict[tuple[str, str], LabelledPod]:
    """The pods that a policy would select if it stood in their namespace, where all are in one."""
    if not one.namespace or one.selector.is_empty or is_scoped(one.selector):
        return {}
    found = {name: pod for name, pod in pods.by_name.items() if one.selector.matches(pod.labels.by_key)}
    return found if len({namespace for namespace, _ in found}) == 1 else {}


def _would_admit(one: Written, drop: Refusal) -> bool:
    rules = one.of(drop.direction)
    return any(_concerns(rule, drop) and rule.is_at(drop.flow.port, drop.flow.protocol) for rule in rules)


def _concerns(rule: Rule, drop: Refusal) -> bool:
    """Whether a rule would be about a peer in the namespace of the pod that refused it."""
    moved = [
        replace(peer, namespace=drop.own.namespace)
        if isinstance(peer, Selected) and peer.namespace == rule.policy.namespace
        else peer
        for peer in rule.peers or ()
    ]
    return rule.peers is None or any(peer.matches(drop.as_peer) is Match.YES for peer in moved)


def _finding(
    one: Written, policies: WrittenPolicies, pods: LabelledPods, refused: Fleet[RefusedFlows]
) -> Finding:
    near = pods.near(one.selector, one.namespace)
    elsewhere = {} if near else _elsewhere(one, pods)
    meant = _meant(one, pods) if near else elsewhere
    drops = [drop for drop in refusals(refused) if drop.pod in meant and _would_admit(one, drop)]
    if elsewhere and not drops:
        elsewhere, meant = {}, {}
    seen = span(drops)
    key = "podSelector" if one.policy.kind == "NetworkPolicy" else "endpointSelector"
    carried = f"; {len(near)} carry {near[0].carried}" if near else ""
    wanted = near[0].carried if near else "labels that the pods carry"
    own = " of its namespace" if elsewhere else ""
    if elsewhere:
        there = next(namespace for namespace, _ in elsewhere)
        carried = f"; {len(elsewhere)} of namespace {there} do"
        wanted = f"pods of its own namespace, or move the policy to {there}"
    return finding(
        Severity.ERROR if drops else Severity.WARN if near else Severity.INFO,
        one.policy,
        f"{one.policy} selects {one.selector}, which no pod{own} carries{carried}",
        evidence=(
            policies.evidence(f"{one.policy} {one.place}.{key}: {one.selector}"),
            pods.evidence(f"no pod of {one.namespace or 'the cluster'} carries {one.selector}"),
            *(drop.evidence() for drop in drops[-1:]),
        ),
        asserts=(Condition(ConditionKind.POLICY_MISSES_POD, "/".join(name)) for name in meant),
        impact=told(drops) if drops else "the policy changes no traffic",
        first_seen=seen[0],
        last_seen=seen[1] or pods.taken_at,
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Select {wanted}.",
                why="A policy acts only on pods that its selector matches.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        f"Compare the selector of {one.policy} with the labels that the pods carry.",
                        f"kubectl get pods {f'-n {one.namespace}' if one.namespace else '-A'} --show-labels",
                    ),
                    step(f"Correct {one.place}.{key} in the manifest of {one.policy} and apply it."),
                ),
                undo="Apply the manifest as it was.",
                verify="The policy selects pods. Watch their drops: they now refuse what no rule admits.",
            ),
        ),
    )
