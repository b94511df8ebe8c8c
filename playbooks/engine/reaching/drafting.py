"""What would admit a connection that is not admitted: a rule for each end, and what else it opens."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.engine.reaching.verdicts import Drafted, Pair, Side
from playbooks.model.answer import Gap
from playbooks.model.policies.drafting import Draft, admitting, holder_of
from playbooks.model.policies.pods import LabelledPods
from playbooks.model.policies.reading import WrittenPolicies
from playbooks.model.policies.written import Direction


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
            assert side.missing
            holder = holder_of(tuple(policies.selecting(side.missing.endpoint)), draft)
            opened = None if isinstance(pods, Gap) else draft.also_opened(pods, meant)
            yield Drafted(side.endpoint, draft, holder, opened)


def _draft(side: Side, pair: Pair, policies: WrittenPolicies) -> Draft | None:
    missing = side.missing
    if missing is None:
        return None
    # Without a rule for DNS the agent never learns the addresses of a name.
    reads_dns = any(
        l7.dns
        for one in policies.selecting(missing.endpoint)
        for rule in one.of(Direction.EGRESS)
        for l7 in rule.l7
    )
    return admitting(
        missing.endpoint, missing.peer, pair.port, pair.protocol, side.direction, knows_names=reads_dns
    )


def _named(end: str) -> tuple[str, str]:
    namespace, _, name = end.partition("/")
    return namespace, name
