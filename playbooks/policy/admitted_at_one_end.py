"""One end of a connection is written to admit the other by name, and the other end refuses it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Fix, Ongoing, Ref, Risk, Severity, finding, step
from playbooks.model.policies.deciding import Asked, Decision, decide
from playbooks.model.policies.drafting import admitting, holder_of
from playbooks.model.policies.peers import Match, Peer, Selected
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told, unseen
from playbooks.model.policies.written import Direction, Rule, Written
from playbooks.model.rule import Case, fault

_OTHER = {Direction.INGRESS: Direction.EGRESS, Direction.EGRESS: Direction.INGRESS}


@fault(
    "POL021",
    step="refused",
    cases=(Case("one-end-admits", proof="W", twin="the same policies with a rule at the end that refuses"),),
)
def admitted_at_one_end(
    policies: WrittenPolicies, pods: LabelledPods, refused: Fleet[RefusedFlows]
) -> Iterator[Finding | CouldNotLook]:
    """One end of a connection is written to admit the other by name, and the other end refuses it.

    A connection needs both ends: a rule for egress at the client where its egress is closed, and one for
    ingress at the server where its ingress is closed. Somebody who writes the client's rule, naming the
    server and its port, means the call to work; the server's own policy, often somebody else's, does not
    know of it. Replies need no rule.
    """
    yield from unseen(refused)
    found: dict[tuple[Ref, ...], list[_OneSided]] = {}
    for drop in refusals(refused):
        own, peer = pods.by_name.get(drop.pod), pods.by_name.get((drop.peer.namespace, drop.peer.pod_name))
        named = own and peer and _named(policies, peer, own, drop)
        if not own or not peer or not named:
            continue
        asked = Asked(own.labels, drop.direction, Peer(peer.labels), drop.flow.port, drop.flow.protocol)
        selecting = tuple(policies.selecting(own.labels))
        decided = decide(selecting, asked)
        # Where nobody is admitted at all, or the peer at another port, something else is wrong.
        if decided.decision is Decision.NOT_ADMITTED and _is_only_the_peer_missing(selecting, asked):
            one = _OneSided(drop, own, peer, named, selecting)
            found.setdefault(decided.default_deny, []).append(one)
    if found and not policies.is_complete:
        yield CouldNotLook("not all kinds of policies could be read")
        return
    for refs, cases in found.items():
        yield _finding(refs, cases, policies)


@dataclass(frozen=True, slots=True)
class _OneSided:
    drop: Refusal
    own: LabelledPod
    peer: LabelledPod
    named: Rule
    selecting: tuple[Written, ...]


def _named(policies: WrittenPolicies, peer: LabelledPod, own: LabelledPod, drop: Refusal) -> Rule | None:
    """The rule of the other end that admits this one by its labels, at just this port."""
    for one in policies.selecting(peer.labels):
        for rule in one.of(_OTHER[drop.direction]):
            wanted = [p for p in rule.peers or () if isinstance(p, Selected) and p.selector.match_labels]
            is_meant = any(p.matches(Peer(own.labels)) is Match.YES for p in wanted)
            if is_meant and rule.ports and rule.is_at(drop.flow.port, drop.flow.protocol):
                return rule
    return None


def _is_only_the_peer_missing(selecting: tuple[Written, ...], asked: Asked) -> bool:
    rules = [rule for one in selecting for rule in one.of(asked.direction)]
    admits = any(rule.peers is None or rule.peers for rule in rules)
    elsewhere = any(rule.concerns(asked.peer) is not Match.NO for rule in rules)
    return admits and not elsewhere


def _finding(refs: tuple[Ref, ...], cases: list[_OneSided], policies: WrittenPolicies) -> Finding:
    first = cases[0]
    drops = [one.drop for one in cases]
    seen = span(drops)
    flow = drops[-1].flow
    return finding(
        Severity.WARN,
        refs,
        f"{refs[0]} refuses {first.drop.peer.workload}, which {first.named.policy} lets through",
        evidence=(
            drops[-1].evidence(),
            policies.evidence(
                f"{first.named.policy} {first.named.place} names {first.drop.own.workload} at {flow.port}; "
                f"no rule of {refs[0]} admits it"
            ),
        ),
        asserts=(Condition(ConditionKind.POLICY_AT_FAULT, str(ref)) for ref in refs),
        because_of=(Condition(ConditionKind.POLICY_AT_FAULT, str(ref)) for ref in refs),
        impact=told(drops),
        first_seen=seen[0],
        last_seen=seen[1],
        ongoing=Ongoing.YES,
        alternatives=(f"The refusal is meant: then {first.named.policy} {first.named.place} is of no use.",),
        fixes=(_fix(first),),
    )


def _fix(one: _OneSided) -> Fix:
    flow, direction = one.drop.flow, one.drop.direction
    draft = admitting(one.own.labels, Peer(one.peer.labels), flow.port, flow.protocol, direction)
    holder = draft and holder_of(one.selecting, draft)
    where = holder.manifest if holder else "a policy of its own"
    change = "" if draft is None else draft.shown_diff(holder) if holder else draft.shown_yaml
    return Fix.cure(
        f"Admit {one.drop.peer.workload} at {one.drop.own.workload}, if the call is wanted.",
        why="Both ends of a connection have to admit it.",
        risk=Risk.MEDIUM,
        steps=(step(f"Put this rule into {where}, and apply it.", change),),
        undo="Apply the manifest as it was.",
        verify="The drops between both end.",
    )
