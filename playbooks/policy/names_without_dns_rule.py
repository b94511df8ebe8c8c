"""A policy admits DNS names, and no rule lets the DNS proxy learn their addresses."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.model.cilium.agent.fqdn import AgentLookups
from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.fact import Fleet
from playbooks.model.finding import CouldNotLook, Finding, Ongoing, Severity, finding
from playbooks.model.policies.correcting import corrected
from playbooks.model.policies.drafting import DNS_RULE
from playbooks.model.policies.peers import Name, fits
from playbooks.model.policies.pods import LabelledPod, LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.refused import Refusal, refusals, span, told
from playbooks.model.policies.written import Direction, Rule, Written
from playbooks.model.rule import Case, fault

_VISIBILITY = "io.cilium.proxy-visibility"
"""The annotation by which pods were led through the proxy until 1.15."""


@fault(
    "POL007",
    step="names",
    cases=(Case("PO-05", proof="W", twin="the same policy with a rule for DNS at port 53"),),
)
def names_without_dns_rule(
    policies: WrittenPolicies,
    pods: LabelledPods,
    lookups: Fleet[AgentLookups],
    refused: Fleet[RefusedFlows],
    config: CiliumConfig | None,
) -> Iterator[Finding | CouldNotLook]:
    """A policy admits DNS names, and no rule lets the DNS proxy learn their addresses.

    `toFQDNs` admits addresses, and the agent knows the addresses of a name only from answers that passed its
    DNS proxy. A rule for port 53 with `rules.dns` leads the questions there. Without one the proxy never
    sees them, the name has no addresses, and everything that the rule was to admit is refused.
    """
    if config is not None and config.get("enable-policy").lower() == "never":
        return
    for one in policies.items:
        named = [rule for rule in one.of(Direction.EGRESS) if _names(rule)]
        selected = list(pods.selected_by(one)) if named else []
        deaf = [pod for pod in selected if _is_deaf(pod, policies)]
        if not deaf:
            continue
        if not policies.is_complete:
            yield CouldNotLook("not all kinds of policies could be read")
            return
        own = {(pod.pod.metadata.namespace, pod.pod.metadata.name) for pod in deaf}
        drops = [drop for drop in refusals(refused) if _hurts(drop, own, named)]
        yield _finding(one, named, drops, policies, lookups)


def _names(rule: Rule) -> list[Name]:
    return [peer for peer in rule.peers or () if isinstance(peer, Name)]


def _is_deaf(pod: LabelledPod, policies: WrittenPolicies) -> bool:
    """Whether the pod's egress is closed and nothing leads its lookups through the proxy."""
    asked_to_see = "DNS" in (pod.pod.metadata.annotations or {}).get(_VISIBILITY, "")
    if asked_to_see or not policies.denying_by_default(pod.labels, Direction.EGRESS):
        return False
    return not any(map(_reads_dns, policies.selecting(pod.labels)))


def _reads_dns(one: Written) -> bool:
    return any(l7.dns for rule in one.of(Direction.EGRESS) for l7 in rule.l7)


def _hurts(drop: Refusal, own: set[tuple[str, str]], named: list[Rule]) -> bool:
    """Whether one of these pods was refused an address outside at the port of a rule for names."""
    flow = drop.flow
    is_own = drop.direction is Direction.EGRESS and drop.pod in own and drop.as_peer.is_outside
    return is_own and any(rule.is_at(flow.port, flow.protocol) for rule in named)


def _is_known(named: list[Rule], lookups: Fleet[AgentLookups]) -> bool:
    """Whether some agent has an address for one of the names: other pods' questions teach it too."""
    patterns = [name.pattern for rule in named for name in _names(rule)]
    return any(fits(pattern, item.fqdn) for _, fact in lookups for item in fact.items for pattern in patterns)


def _finding(
    one: Written,
    named: list[Rule],
    drops: list[Refusal],
    policies: WrittenPolicies,
    lookups: Fleet[AgentLookups],
) -> Finding:
    rule = named[0]
    patterns = ", ".join(name.pattern for name in _names(rule)[:3])
    is_certain = lookups.is_complete and not _is_known(named, lookups)
    severity = Severity.INFO if not is_certain else Severity.ERROR if drops else Severity.WARN
    evidence = [policies.evidence(f"{rule.policy} {rule.place}: toFQDNs {patterns}; no rule with rules.dns")]
    evidence += [drops[-1].evidence()] if drops else []
    if is_certain:
        evidence += [fact.evidence(f"no lookup of {patterns}") for _, fact in list(lookups)[:1]]
    seen = span(drops)
    return finding(
        severity,
        rule.policy,
        f"{rule.policy} admits {patterns}, but no rule lets the DNS proxy see lookups",
        evidence=evidence,
        impact=told(drops) if drops else "the names have no addresses, so the rule admits nothing",
        first_seen=seen[0],
        last_seen=seen[1] or policies.taken_at,
        ongoing=Ongoing.YES,
        owner=one.owner,
        fixes=(
            corrected(
                "Add a rule for DNS to the policy.",
                one,
                f"{one.place}.egress",
                why="The proxy then sees the answers, and the agent admits their addresses.",
                verify="`cilium-dbg fqdn cache list` shows the name with addresses after a lookup.",
                change=DNS_RULE,
            ),
        ),
    )
