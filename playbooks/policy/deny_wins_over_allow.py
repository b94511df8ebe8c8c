"""A rule refuses what another rule admits by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import POLICY_DENY, RefusedFlows
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Ongoing, Severity, finding
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Entity, Match
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told, unseen
from playbooks.model.policies.written import Rule, Written
from playbooks.model.rule import Case, fault


@fault(
    "POL005",
    step="refused",
    cases=(
        Case("PO-02", proof="W", twin="the same policies with the peer outside of the rule that refuses"),
    ),
)
def deny_wins_over_allow(
    policies: WrittenPolicies, pods: LabelledPods, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """A rule refuses what another rule admits by name.

    Rules that refuse (`ingressDeny`, `egressDeny`) win over all that admit, however much narrower these are:
    a refused prefix swallows the single address that another rule admits. Hubble shows the drop as `Policy
    denied by denylist`, not as `Policy denied`. Where both rules stand in one policy, the one that admits
    can never act, which nobody means.
    """
    yield from unseen(refused)
    found: dict[tuple[str, str, str, str], list[_Clash]] = {}
    for refusal in refusals(refused, POLICY_DENY):
        pod = pods.by_name.get(refusal.pod)
        for clash in _clashes(policies, pod.labels, refusal) if pod else ():
            key = (str(clash.denying.policy), clash.deny.place, str(clash.allow.policy), clash.allow.place)
            found.setdefault(key, []).append(clash)
    for clashes in found.values():
        yield _finding(clashes, policies)


@dataclass(frozen=True, slots=True)
class _Clash:
    denying: Written
    deny: Rule
    allow: Rule
    refusal: Refusal


def _clashes(policies: WrittenPolicies, labels: Labels, refusal: Refusal) -> Iterator[_Clash]:
    selecting = list(policies.selecting(labels))
    denies = [(one, rule) for one in selecting for rule in _about(one, refusal, deny=True)]
    allows = [rule for one in selecting for rule in _about(one, refusal, deny=False) if _names(rule)]
    for one, deny in denies:
        for allow in allows:
            yield _Clash(one, deny, allow, refusal)


def _about(one: Written, refusal: Refusal, *, deny: bool) -> Iterator[Rule]:
    flow = refusal.flow
    for rule in one.of(refusal.direction, deny=deny):
        if rule.is_at(flow.port, flow.protocol) and rule.concerns(refusal.as_peer) is Match.YES:
            yield rule


def _names(rule: Rule) -> bool:
    """Whether it says whom it admits, instead of everybody or a whole kind of peers."""
    return bool(rule.peers) and not any(isinstance(peer, Entity) for peer in rule.peers or ())


def _finding(clashes: list[_Clash], policies: WrittenPolicies) -> Finding:
    first = clashes[0]
    drops = [one.refusal for one in clashes]
    is_one_policy = first.deny.policy == first.allow.policy
    seen = span(drops)
    return finding(
        Severity.WARN if is_one_policy else Severity.INFO,
        first.deny.policy,
        f"{first.deny.policy} {first.deny.place} refuses what {first.allow.place} of "
        f"{'it' if is_one_policy else first.allow.policy} admits",
        evidence=(
            drops[-1].evidence(),
            policies.evidence(
                f"{first.deny.policy} {first.deny.place} refuses {_peers(first.deny)}; "
                f"{first.allow.policy} {first.allow.place} admits {_peers(first.allow)}"
            ),
        ),
        asserts=(Condition(ConditionKind.POLICY_AT_FAULT, str(first.deny.policy)),),
        impact=told(drops),
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        owner=first.denying.owner,
        fixes=(
            corrected(
                f"Narrow what {first.deny.place} refuses, if the peer is to be admitted.",
                first.denying,
                first.deny.place,
                why="Refusal wins over admission; a hole in what is refused leaves the rest refused.",
                verify="The drops with the reason `Policy denied by denylist` end for that peer.",
                change="# prefixes can leave out some: cidr with except; labels can ask for NotIn",
            ),
        ),
    )


def _peers(rule: Rule) -> str:
    return "everybody" if rule.peers is None else ", ".join(map(str, rule.peers[:3])) or "nobody"
