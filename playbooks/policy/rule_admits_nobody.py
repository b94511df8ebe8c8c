"""A rule admits only peers that do not exist."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from playbooks.model.cilium.agent.recent_flows import (
    POLICY_DENIED,
    RecentFlow,
    RefusedFlows,
    attempts,
)
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Risk, Severity, finding, step
from playbooks.model.mistyped import Mistyped
from playbooks.model.policies.peers import Selected
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Rule, Written
from playbooks.model.rule import Case, fault


@fault(
    "POL002",
    step="written",
    cases=(
        Case("LAB-01", proof="R", twin="LAB-01 with the rule's label as the clients carry it"),
        Case("PO-01", proof="R", twin="LAB-01 with the rule's label as the clients carry it"),
    ),
)
def rule_admits_nobody(
    policies: WrittenPolicies, pods: LabelledPods, config: CiliumConfig, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """A rule admits only peers that do not exist.

    A pod that any policy selects for a direction refuses everything in it that no rule admits. A rule whose
    peers nobody is, because a label is mistyped or has been changed on the pods, admits nothing; the policy
    is valid, the agent realizes it, and every client is refused as `Policy denied`, `policy-verdict:none`.
    It is a fault where pods carry nearly that label, or where peers are refused at that rule's port. Of a
    rule with several peers one alone may be nobody: that is told where those who were meant are refused.
    """
    is_numbered = config.get("cluster-id", "0") not in ("", "0")
    has_mesh = is_numbered and not config.is_on("policy-default-local-cluster")
    for nobody in _every(policies, pods, refused):
        if not pods.is_complete or not pods.has_namespace_labels:
            yield CouldNotLook("not all pods, with the labels of their namespaces, could be read")
            return
        if has_mesh and not nobody.is_proven:
            yield CouldNotLook("pods of other clusters may be meant, and their labels are not known here")
            continue
        if nobody.is_proven or nobody.rule in nobody.written.rules:
            yield _finding(nobody, policies, pods)


@dataclass(frozen=True, slots=True)
class _Nobody:
    written: Written
    rule: Rule
    near: list[Mistyped]
    drops: list[tuple[RefusedFlows, RecentFlow]]

    @property
    def is_proven(self) -> bool:
        """Whether those who carry nearly the label are refused."""
        return bool(self.near and self.drops)


def _every(policies: WrittenPolicies, pods: LabelledPods, refused: Fleet[RefusedFlows]) -> Iterator[_Nobody]:
    for one in policies.items:
        parts = [part for rule in one.rules for part in _parts(rule, pods)]
        selected = list(pods.selected_by(one)) if parts else []
        names = {(pod.pod.metadata.namespace, pod.pod.metadata.name) for pod in selected}
        for rule in parts if selected else ():
            near = _near(rule, pods)
            yield _Nobody(one, rule, near, _drops(rule, names, near, refused))


def _parts(rule: Rule, pods: LabelledPods) -> Iterator[Rule]:
    """The rule, if all its peers are nobody; else each of its peers that is, as a rule of its own."""
    if _is_for_nobody(rule, pods):
        yield rule
        return
    for peer in rule.peers or ():
        part = replace(rule, peers=(peer,))
        if part != rule and _is_for_nobody(part, pods):
            yield part


def _is_for_nobody(rule: Rule, pods: LabelledPods) -> bool:
    if rule.is_deny or not rule.peers or not all(isinstance(peer, Selected) for peer in rule.peers):
        return False
    named = [peer for peer in rule.peers if isinstance(peer, Selected)]
    if any("reserved:" in str(peer.selector) for peer in named):
        return False
    return not any(True for peer in named for _ in pods.selected(peer.selector, peer.namespace))


def _near(rule: Rule, pods: LabelledPods) -> list[Mistyped]:
    named = [peer for peer in rule.peers or () if isinstance(peer, Selected)]
    return [wrong for peer in named for wrong in pods.near(peer.selector, peer.namespace)]


def _drops(
    rule: Rule, selected: set[tuple[str, str]], near: list[Mistyped], refused: Fleet[RefusedFlows]
) -> list[tuple[RefusedFlows, RecentFlow]]:
    """What the selected pods refused at the ports of the rule: of peers that were meant, where that shows."""
    found = []
    # A selector may name the source of a label, as the labels of a flow do.
    meant = {f":{wrong.carried.partition(':')[2] or wrong.carried}" for wrong in near}
    for _, fact in refused:
        for flow in fact.items:
            own = flow.destination if rule.direction == "ingress" else flow.source
            other = flow.source if rule.direction == "ingress" else flow.destination
            if meant and not any(label.endswith(one) for label in other.labels for one in meant):
                continue
            is_own = (own.namespace, own.pod_name) in selected and flow.direction == rule.direction
            if is_own and flow.drop_reason == POLICY_DENIED and rule.is_at(flow.port, flow.protocol):
                found.append((fact, flow))
    return found


def _finding(nobody: _Nobody, policies: WrittenPolicies, pods: LabelledPods) -> Finding:
    rule, near, drops = nobody.rule, nobody.near, nobody.drops
    peers = ", ".join(str(peer.selector) for peer in rule.peers or () if isinstance(peer, Selected))
    told = f"; {len(near)} carry {near[0].carried}" if near else ""
    others = sorted({_peer(rule, flow) for _, flow in drops})
    evidence = [policies.evidence(f"{rule.policy} {rule.place}: {peers}")]
    evidence.append(pods.evidence(f"no pod carries {peers}{told}"))
    if drops:
        fact, flow = drops[-1]
        text = f"{flow.source} -> {flow.destination}:{flow.port} {flow.direction} Policy denied DROPPED"
        evidence.append(fact.evidence(text))
    severity = Severity.ERROR if near and drops else Severity.WARN if near or drops else Severity.INFO
    times = [flow.time for _, flow in drops if flow.time]
    return finding(
        severity,
        rule.policy,
        f"{rule.policy} admits {peers}, which no pod carries{told}",
        evidence=evidence,
        asserts=(Condition(ConditionKind.POLICY_AT_FAULT, str(rule.policy)),),
        impact=f"{attempts(flow for _, flow in drops)} attempts of {', '.join(others[:3])} refused lately"
        if drops
        else "the rule admits nobody",
        first_seen=min(times, default=None),
        last_seen=max(times, default=None),
        ongoing=Ongoing.YES,
        fixes=(
            Fix.cure(
                f"Name the label that the peers carry{f': {near[0].carried}' if near else ''}.",
                why="A rule admits by labels; nobody carries the ones it names.",
                risk=Risk.MEDIUM,
                steps=(
                    step(
                        f"Compare the peers of {rule.policy} with the labels that pods carry.",
                        "kubectl get pods -A --show-labels",
                    ),
                    step(f"Correct {rule.place} in the manifest of {rule.policy} and apply it.", _diff(near)),
                ),
                undo="Apply the manifest as it was.",
                verify="`cilium-dbg policy selectors` lists identities for the selector, and the drops end.",
            ),
        ),
    )


def _peer(rule: Rule, flow: RecentFlow) -> str:
    return (flow.source if rule.direction == "ingress" else flow.destination).workload


def _diff(near: list[Mistyped]) -> str:
    if not near:
        return ""
    wrong = near[0]
    return f"-      {wrong.wanted_key}: {wrong.wanted}\n+      {wrong.key}: {wrong.value}"
