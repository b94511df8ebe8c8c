"""A rule refuses what another rule admits by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from ipaddress import ip_network

from playbooks.model.cilium.agent.fqdn import AgentLookups
from playbooks.model.cilium.agent.recent_flows import POLICY_DENY, RefusedFlows
from playbooks.model.condition import Condition, ConditionKind
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Ongoing, Severity, finding
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.labels import Labels
from playbooks.model.policies.peers import Entity, Match, Name, Peer, PeerRule, Prefix, Selected
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told, unseen
from playbooks.model.policies.written import Ports, Rule, Written
from playbooks.model.rule import Case, fault


@fault(
    "POL005",
    step="refused",
    cases=(
        Case("PO-02", proof="W", twin="the same policies with the peer outside of the rule that refuses"),
    ),
)
def deny_wins_over_allow(
    policies: WrittenPolicies,
    pods: LabelledPods,
    refused: Fleet[RefusedFlows],
    lookups: Fleet[AgentLookups],
) -> Iterator[Finding | CouldNotLook]:
    """A rule refuses what another rule admits by name.

    Rules that refuse (`ingressDeny`, `egressDeny`) win over all that admit, however much narrower these are:
    a refused prefix swallows the single address that another rule admits. Hubble shows the drop as `Policy
    denied by denylist`, not as `Policy denied`. Where both rules stand in one policy, or where all that one
    admits is refused by the other, the one that admits cannot act as written, which hardly anybody means.
    A hole that somebody refuses in what is admitted widely is what refusals are for.
    """
    yield from unseen(refused)
    found: dict[tuple[str, str, str, str], list[_Clash]] = {}
    for refusal in refusals(refused, POLICY_DENY):
        pod = pods.by_name.get(refusal.pod)
        peer = replace(refusal.as_peer, names=_names_of(refusal, lookups))
        for clash in _clashes(policies, pods, pod.labels, refusal, peer) if pod else ():
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
    is_whole: bool
    """Whether all that is admitted is refused."""


def _names_of(refusal: Refusal, lookups: Fleet[AgentLookups]) -> tuple[str, ...]:
    """DNS names that led to the address of who was refused."""
    address = refusal.peer_address
    found = (item.fqdn for _, fact in lookups for item in fact.items if address in (item.ips or ()))
    return tuple(dict.fromkeys(found))


def _clashes(
    policies: WrittenPolicies, pods: LabelledPods, labels: Labels, refusal: Refusal, peer: Peer
) -> Iterator[_Clash]:
    selecting = list(policies.selecting(labels))
    denies = [(one, rule) for one in selecting for rule in _about(one, refusal, peer, deny=True)]
    allows = [rule for one in selecting for rule in _about(one, refusal, peer, deny=False)]
    for one, deny in denies:
        for allow in allows:
            is_whole = _swallows(deny, allow, peer, pods)
            if is_whole or _names(allow):
                yield _Clash(one, deny, allow, refusal, is_whole)


def _swallows(deny: Rule, allow: Rule, peer: Peer, pods: LabelledPods) -> bool:
    """Whether a rule refuses all of what another one admits there: all its pods, addresses and ports."""
    if deny.ports is not None and not _is_within(allow.ports, deny.ports):
        return False
    if not pods.is_complete or not pods.has_namespace_labels:
        return False
    meant = [one for one in allow.peers or () if one.matches(peer) is Match.YES]
    return any(_is_refused(one, deny, peer, pods) for one in meant)


def _is_within(inner: tuple[Ports, ...] | None, outer: tuple[Ports, ...]) -> bool:
    return inner is not None and all(
        any(
            not one.name
            and not other.name
            and other.protocol in ("ANY", one.protocol)
            and (not other.first or (one.first and other.first <= one.first and one.last <= other.last))
            for other in outer
        )
        for one in inner
    )


def _is_refused(one: PeerRule, deny: Rule, peer: Peer, pods: LabelledPods) -> bool:
    """Whether everybody that an entry of a rule admits is refused, and there is somebody."""
    if isinstance(one, Prefix):
        others = deny.peers or ()
        return deny.peers is None or any(isinstance(other, Prefix) and _holds(other, one) for other in others)
    if isinstance(one, Selected):
        meant = list(pods.selected(one.selector, one.namespace))
        return bool(meant) and all(deny.concerns(Peer(pod.labels)) is Match.YES for pod in meant)
    # A name stands for its addresses, and this is one of them.
    return isinstance(one, Name) and deny.concerns(peer) is Match.YES


def _holds(outer: Prefix, inner: Prefix) -> bool:
    try:
        wide, narrow = ip_network(outer.cidr, strict=False), ip_network(inner.cidr, strict=False)
        is_inside = wide.version == narrow.version and narrow.subnet_of(wide)  # type: ignore[arg-type]
        return is_inside and not any(narrow.overlaps(ip_network(hole)) for hole in outer.holes)
    except ValueError:
        return False


def _about(one: Written, refusal: Refusal, peer: Peer, *, deny: bool) -> Iterator[Rule]:
    flow = refusal.flow
    for rule in one.of(refusal.direction, deny=deny):
        if rule.is_at(flow.port, flow.protocol) and rule.concerns(peer) is Match.YES:
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
        Severity.WARN if is_one_policy or any(one.is_whole for one in clashes) else Severity.INFO,
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
        alternatives=()
        if is_one_policy
        else (f"The refusal is meant: then {first.allow.policy} {first.allow.place} is of no use there.",),
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
