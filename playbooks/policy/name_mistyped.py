"""A policy admits a DNS name that nobody asks for; pods ask for nearly the same one and are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.agent.fqdn import AgentLookups
from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Ongoing, Severity, finding
from playbooks.model.mistyped import nearest
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.peers import Name, fits
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told, unseen
from playbooks.model.policies.written import Direction, Rule, Written
from playbooks.model.rule import Case, fault

_NEAR = 0.85
"""Share of letters in common of two names of which one is the other mistyped."""


@fault(
    "POL031",
    step="names",
    cases=(Case("name-mistyped", proof="W", twin="the same policy with the name that the pod asks for"),),
)
def name_mistyped(
    policies: WrittenPolicies,
    pods: LabelledPods,
    lookups: Fleet[AgentLookups],
    refused: Fleet[RefusedFlows],
) -> Iterator[Finding | CouldNotLook]:
    """A policy admits a DNS name that nobody asks for; pods ask for nearly the same one and are refused.

    `toFQDNs` admits the addresses that lookups of just that name gave. With a letter wrong nobody ever looks
    it up: the policy is valid, its selector stays without an address, and the connections that were meant
    are refused, though the lookup of the right name passes.
    """
    yield from unseen(refused)
    names = {item.fqdn.rstrip(".").lower() for _, fact in lookups for item in fact.items}
    drops = [drop for drop in refusals(refused) if drop.direction is Direction.EGRESS]
    for one in policies.items:
        for rule in one.of(Direction.EGRESS):
            for peer in (peer for peer in rule.peers or () if isinstance(peer, Name)):
                found = _wrong(one, rule, peer, names, drops, pods, lookups)
                if found and lookups.is_complete:
                    yield _finding(found, policies, lookups)


@dataclass(frozen=True, slots=True)
class _Wrong:
    written: Written
    rule: Rule
    name: Name
    meant: str
    drops: list[Refusal]


def _wrong(
    one: Written,
    rule: Rule,
    peer: Name,
    names: set[str],
    drops: list[Refusal],
    pods: LabelledPods,
    lookups: Fleet[AgentLookups],
) -> _Wrong | None:
    """The name that was meant, where its addresses are refused to the pods of the policy."""
    if any(fits(peer.pattern, name) for name in names):
        return None
    bare = peer.pattern.lower().rstrip(".").removeprefix("**.").removeprefix("*.")
    whole = bare == peer.pattern.lower().rstrip(".")
    for name in nearest(bare, names if whole else {name.partition(".")[2] for name in names}, least=_NEAR):
        meant = {full for full in names if (full if whole else full.partition(".")[2]) == name}
        addresses = {
            ip
            for _, fact in lookups
            for item in fact.items
            if item.fqdn.rstrip(".").lower() in meant
            for ip in item.ips or ()
        }
        hurt = [drop for drop in drops if _hurts(drop, one, rule, addresses, pods)]
        if hurt:
            return _Wrong(one, rule, peer, min(meant), hurt)
    return None


def _hurts(drop: Refusal, one: Written, rule: Rule, addresses: set[str], pods: LabelledPods) -> bool:
    pod = pods.by_name.get(drop.pod)
    is_there = drop.peer_address in addresses and rule.is_at(drop.flow.port, drop.flow.protocol)
    return bool(pod and is_there and one.selects(pod.labels))


def _finding(wrong: _Wrong, policies: WrittenPolicies, lookups: Fleet[AgentLookups]) -> Finding:
    rule, drops = wrong.rule, wrong.drops
    seen = span(drops)
    asked = [
        fact.evidence(f"{item.fqdn} {', '.join(item.ips or ())}")
        for _, fact in lookups
        for item in fact.items
        if item.fqdn.rstrip(".").lower() == wrong.meant
    ]
    return finding(
        Severity.ERROR,
        rule.policy,
        f"{rule.policy} admits {wrong.name.pattern}, which nobody looks up; pods ask for {wrong.meant}",
        evidence=(
            policies.evidence(f"{rule.policy} {rule.place}: toFQDNs {wrong.name.pattern}"),
            *asked[:1],
            drops[-1].evidence(),
        ),
        asserts=(Condition(ConditionKind.POLICY_AT_FAULT, str(rule.policy)),),
        impact=told(drops),
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        owner=wrong.written.owner,
        fixes=(
            corrected(
                f"Admit the name that the pods ask for: {wrong.meant}.",
                wrong.written,
                rule.place,
                why="Only addresses that lookups of the name gave are admitted.",
                verify="`cilium-dbg policy selectors` lists identities for the name, and the drops end.",
                change=f"-  {wrong.name.pattern}\n+  {wrong.meant}",
            ),
        ),
    )
