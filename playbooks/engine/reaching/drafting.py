"""What would admit a connection that is not admitted: a rule for each end, and what else it opens."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from playbooks.engine.reaching.verdicts import Drafted, Missing, Pair, Side
from playbooks.model.answer import Gap
from playbooks.model.kube.selectors import Selector
from playbooks.model.policies.drafting import Draft, Opened, admitting, holder_of, others
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.requesting import additions, narrowest
from playbooks.model.policies.written import Direction

_AT_REQUESTS = 12
"""How far in the lists of requests stand in a draft."""


def drafted(
    pairs: tuple[Pair, ...], policies: WrittenPolicies | Gap, pods: LabelledPods | Gap
) -> Iterator[Drafted]:
    """One rule for all pairs that need the same; none where the map alone is out of step."""
    if isinstance(policies, Gap):
        return
    meant = {_named(end) for pair in pairs for end in (pair.source, pair.destination)}
    known: set[Draft] = set()
    for pair in pairs:
        for side in (pair.egress, pair.ingress):
            draft = _draft(side, pair, policies)
            if draft is None or draft in known:
                continue
            known.add(draft)
            if side.refused:
                yield from _for_request(side, pair, draft, policies, pods, meant)
                continue
            assert side.missing
            holder = holder_of(tuple(policies.selecting(side.missing.endpoint)), draft)
            opened = _opened_by(draft, policies, pods, meant, is_alone=holder is None)
            yield Drafted(side.endpoint, draft, holder, opened)


def _opened_by(
    draft: Draft,
    policies: WrittenPolicies,
    pods: LabelledPods | Gap,
    meant: set[tuple[str, str]],
    *,
    is_alone: bool,
) -> Opened | None:
    """What else a rule does; in a policy of its own it may put others into default deny."""
    if isinstance(pods, Gap):
        return None
    opened = draft.also_opened(pods, meant)
    own = pods.selected(Selector(dict(draft.own)), draft.namespace) if is_alone else ()
    free = (one for one in own if not policies.denying_by_default(one.labels, draft.direction))
    return replace(opened, newly_denied=tuple(others(free, set())))


def _for_request(
    side: Side,
    pair: Pair,
    draft: Draft,
    policies: WrittenPolicies,
    pods: LabelledPods | Gap,
    meant: set[tuple[str, str]],
) -> Iterator[Drafted]:
    """The request, added to those that a policy lists: those go on to pass."""
    assert side.missing
    assert side.refused
    selecting = tuple(policies.selecting(side.missing.endpoint))
    places = additions(selecting, side.rules, side.refused.entry, pair.port, pair.protocol, pair.port_names)
    known = None if isinstance(pods, Gap) else pods
    found = narrowest((one, one.also_opened(known, meant) if known else None) for one in places)
    if found:
        addition, opened = found
        alone = _opened_by(draft, policies, pods, meant, is_alone=True)
        yield Drafted(side.endpoint, draft, addition.holder, opened, addition, alone)


def _draft(side: Side, pair: Pair, policies: WrittenPolicies) -> Draft | None:
    missing = side.missing
    if missing is None:
        return None
    # Without a rule for DNS the agent never learns the addresses of a name.
    reads_dns = side.refused is not None or _reads_dns(missing, policies)
    draft = admitting(
        missing.endpoint, missing.peer, pair.port, pair.protocol, side.direction, knows_names=reads_dns
    )
    if draft is None or side.refused is None:
        return draft
    entry = side.refused.entry
    lines = (f"{' ' * _AT_REQUESTS}{entry.kind}:", *entry.lines(_AT_REQUESTS + 2))
    return replace(draft, requests=lines)


def _reads_dns(missing: Missing, policies: WrittenPolicies) -> bool:
    every = policies.selecting(missing.endpoint)
    return any(l7.dns for one in every for rule in one.of(Direction.EGRESS) for l7 in rule.l7)


def _named(end: str) -> tuple[str, str]:
    namespace, _, name = end.partition("/")
    return namespace, name
