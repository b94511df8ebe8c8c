"""Judges the calls that a person says are to pass, for the rules that make findings of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.asking import reach
from playbooks.engine.reaching.verdicts import Pair, Reach, Said, Side
from playbooks.engine.targets.aim import directory, first_of
from playbooks.engine.targets.resolving import Resolved
from playbooks.model.answer import Gap
from playbooks.model.cilium.installation import Installation
from playbooks.model.finding import Ref
from playbooks.model.wanted import Refused, WantedCall, WantedCalls

Call = tuple[str, str]
"""Who calls and who is called, as typed; one of them may be empty."""


async def wanted(knowing: Knowing, calls: Sequence[Call]) -> WantedCalls | Gap:
    """What becomes of the calls; one that names nothing here is told by the targets themselves."""
    installation, names = await knowing.know(Installation), await directory(knowing)
    for gap in (installation, names):
        if isinstance(gap, Gap):
            return gap
    assert isinstance(installation, Installation)
    assert not isinstance(names, Gap)
    items, called = [], set()
    for source_word, destination_word in calls:
        source, destination = first_of(source_word, names), first_of(destination_word, names)
        if destination and destination.service:
            meta = destination.service.metadata
            called.add((meta.namespace, meta.name))
        if source and destination:
            items.append(_call(await reach(knowing, source, destination), source, destination))
    return WantedCalls(provenance=installation.provenance, items=tuple(items), called=frozenset(called))


def _call(found: Reach, source: Resolved, destination: Resolved) -> WantedCall:
    cannot = [pair for pair in found.pairs if pair.said is Said.CANNOT_TELL]
    doubts = (*found.unchecked, *(_doubt(pair) for pair in cannot)) if cannot or not found.pairs else ()
    return WantedCall(
        source.target.text,
        destination.target.text,
        len(found.pairs),
        tuple(_refused(found)),
        sum(len(seen.flows) for seen in found.observed),
        tuple(dict.fromkeys(doubts)),
    )


def _doubt(pair: Pair) -> str:
    side = next(one for one in (pair.egress, pair.ingress) if one.said is Said.CANNOT_TELL)
    return f"{side.direction} of {side.endpoint}: {side.why}"


def _refused(found: Reach) -> Iterator[Refused]:
    alike: dict[tuple[object, ...], list[Side]] = {}
    for pair in found.pairs:
        for side in (pair.egress, pair.ingress):
            if side.said in (Said.DENIED, Said.NOT_ADMITTED):
                alike.setdefault((side.direction, side.said, _policies(side)), []).append(side)
    for (_, said, policies), sides in alike.items():
        first = sides[0]
        draft = next((one for one in found.drafts if one.endpoint in {side.endpoint for side in sides}), None)
        is_drafted = draft is not None and draft.draft.direction is first.direction
        yield Refused(
            first.direction,
            first.endpoint,
            first.node,
            said is Said.DENIED,
            first.why,
            policies if isinstance(policies, tuple) else (),
            first.evidence,
            len(sides),
            draft.shown if draft and is_drafted else "",
            draft.opened.said if draft and is_drafted and draft.opened else "",
        )


def _policies(side: Side) -> tuple[Ref, ...]:
    if side.said is Said.DENIED:
        return tuple(dict.fromkeys(rule.policy for rule in side.rules if rule.is_deny))
    return side.default_deny
