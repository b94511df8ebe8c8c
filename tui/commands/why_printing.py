"""What `honeyguide why` prints: what was seen, what the policies say now, what could not be checked."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from playbooks.engine.reaching.verdicts import Drafted, Observed, Pair, Reach, Said, Side
from playbooks.engine.report import Line, Tone
from playbooks.engine.report.marks import Mark
from playbooks.knowledge import drop_reasons
from playbooks.model.cilium.agent.recent_flows import attempts
from playbooks.model.finding import Evidence
from playbooks.model.policies.drafting import Opened
from playbooks.model.text import Text

SCHEMA = "honeyguide.why/1"
_MARKS = {
    Said.ADMITTED: Mark.OK,
    Said.NOT_ADMITTED: Mark.ERROR,
    Said.DENIED: Mark.ERROR,
    Said.CANNOT_TELL: Mark.NOT_CHECKED,
}
_PAIRS_SHOWN = 5


def lines(found: Reach) -> Iterator[Line]:
    """The answer for a person."""
    head = f"{Text(found.source).shown} -> {Text(found.destination).shown}"
    mark = _MARKS[found.said]
    yield Line(f"{mark.glyph} {found.said}: {head}", Tone.of(mark))
    yield Line()
    yield Line("What was seen", Tone.TITLE)
    yield from _seen(found.observed)
    yield Line()
    yield Line("What the policies say now", Tone.TITLE)
    folded = list(_folded(found.pairs))
    for pairs in folded[:_PAIRS_SHOWN]:
        yield from _pair(pairs)
    if len(folded) > _PAIRS_SHOWN:
        yield Line(f"  and {len(folded) - _PAIRS_SHOWN} more verdicts; -o json has them all", Tone.QUIET)
    if not found.pairs:
        yield Line("  nothing: there is no pair of ends to judge", Tone.UNSEEN)
    yield Line()
    yield Line("What could not be checked", Tone.TITLE)
    for text in found.unchecked:
        yield Line(f"  ? {Text(text).shown}", Tone.UNSEEN)
    if found.left_out:
        yield Line(f"  ? {found.left_out} more pairs of pods were not looked at", Tone.UNSEEN)
    if not found.unchecked and not found.left_out:
        yield Line("  nothing: both ends answered")
    if found.drafts:
        yield Line()
        yield Line("What would admit it", Tone.TITLE)
    for draft in found.drafts:
        yield from _drafted(draft)


def _seen(observed: tuple[Observed, ...]) -> Iterator[Line]:
    if not observed:
        yield Line("  no refusal of this connection among the last flows that Hubble keeps", Tone.QUIET)
    for one in observed:
        last = one.flows[-1]
        reason = drop_reasons.told(last.drop_reason)
        count = attempts(one.flows)
        tries = "1 attempt" if count == 1 else f"{count} attempts"
        when = f"{last.time:%Y-%m-%dT%H:%M:%SZ}" if last.time else "at an unknown time"
        ends = f"{Text(str(last.source)).shown} -> {Text(str(last.destination)).shown}:{last.port}"
        yield Line(f"  {tries} refused, last {when}: {ends} {last.direction} {reason}", Tone.ERROR)
        yield _command(one.evidence)


def _folded(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """Pairs with equal verdicts, one list each."""
    found: dict[object, list[Pair]] = {}
    for pair in pairs:
        sides = tuple(
            (side.said, side.why, side.by, side.default_deny) for side in (pair.egress, pair.ingress)
        )
        found.setdefault((pair.port, pair.protocol, sides), []).append(pair)
    return iter(found.values())


def _pair(pairs: list[Pair]) -> Iterator[Line]:
    first = pairs[0]
    more = f" and {len(pairs) - 1} more like it" if len(pairs) > 1 else ""
    port = f":{first.port}/{first.protocol}" if first.port else ""
    mark = _MARKS[first.said]
    ends = f"{Text(first.source).shown} -> {Text(first.destination).shown}{port}"
    yield Line(f"  {mark.glyph} {first.said}: {ends}{more}", Tone.of(mark))
    yield from _side(first.egress)
    yield from _side(first.ingress)


def _side(side: Side) -> Iterator[Line]:
    where = f" on {Text(side.node).shown}" if side.node else ""
    yield Line(
        f"      {side.direction:<8} {side.said}{where}: {Text(side.why).shown}", Tone.of(_MARKS[side.said])
    )
    if side.peer and side.node:
        yield Line(f"               the peer is {Text(side.peer).shown}")
    if side.by:
        yield Line(f"               by {Text(', '.join(side.by)).shown}")
    if side.default_deny and side.said is not Said.CANNOT_TELL:
        names = ", ".join(str(ref) for ref in side.default_deny)
        yield Line(f"               default deny by {Text(names).shown} (our reading)")
    for request in side.requests[:5]:
        yield Line(f"               passes: {Text(request).shown}")
    for doubt in side.doubts:
        yield Line(f"               but: {Text(doubt).shown}", Tone.WARN)
    for evidence in side.evidence[:1]:
        yield _command(evidence)


def _drafted(one: Drafted) -> Iterator[Line]:
    """The narrowest rule; nobody has applied it anywhere."""
    where = f"into {one.holder.manifest}" if one.holder else "as a policy of its own"
    yield Line(f"  {one.draft.direction} of {Text(one.endpoint).shown}, {Text(where).shown}:")
    yield from _lines_of(one.shown)
    yield from _opened(one.opened)
    if one.addition and (one.opened is None or one.opened.is_wider):
        yield Line("  or, for just this peer, as a policy of its own:")
        yield from _lines_of(one.draft.shown_yaml)
        yield from _opened(one.alone)


def _lines_of(change: str) -> Iterator[Line]:
    return (Line(f"    {Text(line).shown}", Tone.COMMAND) for line in change.split("\n"))


def _opened(opened: Opened | None) -> Iterator[Line]:
    if opened:
        yield Line(f"    {Text(opened.said).shown}", Tone.WARN if opened.is_wider else Tone.QUIET)


def _command(evidence: Evidence) -> Line:
    return Line(f"               $ {evidence.command.shown}", Tone.COMMAND)


def as_json(found: Reach) -> str:
    """The answer for a program."""
    document = {
        "schema": SCHEMA,
        "source": Text(found.source).shown,
        "destination": Text(found.destination).shown,
        "said": found.said.value,
        "observed": [_observed(one) for one in found.observed],
        "pairs": [_pair_json(pair) for pair in found.pairs],
        "left_out": found.left_out,
        "unchecked": [Text(text).shown for text in found.unchecked],
        "drafts": [_draft_json(one) for one in found.drafts],
    }
    return json.dumps(document, indent=2) + "\n"


def _draft_json(one: Drafted) -> dict[str, object]:
    return {
        "endpoint": Text(one.endpoint).shown,
        "direction": one.draft.direction.value,
        "policy": Text(str(one.holder.policy)).shown if one.holder else None,
        "owner": Text(one.holder.owner).shown if one.holder else "",
        "change": "\n".join(Text(line).shown for line in one.shown.split("\n")),
        "manifest": "\n".join(Text(line).shown for line in one.draft.shown_yaml.split("\n")),
        **_opened_json(one.opened),
        "alone": _opened_json(one.alone) if one.addition else None,
    }


def _opened_json(opened: Opened | None) -> dict[str, list[str] | None]:
    """What else a change opens."""
    if opened is None:
        return {"also_admits": None, "also_opens": None, "newly_denies": None}
    admitted = (*opened.peers, *opened.beyond)
    return {
        "also_admits": [Text(name).shown for name in admitted],
        "also_opens": [Text(name).shown for name in opened.endpoints],
        "newly_denies": [Text(name).shown for name in opened.newly_denied],
    }


def _observed(one: Observed) -> dict[str, object]:
    last = one.flows[-1]
    return {
        "attempts": attempts(one.flows),
        "last": last.time.isoformat() if last.time else None,
        "direction": last.direction,
        "drop_reason": last.drop_reason,
        "command": one.evidence.command.shown,
    }


def _pair_json(pair: Pair) -> dict[str, object]:
    return {
        "source": Text(pair.source).shown,
        "destination": Text(pair.destination).shown,
        "port": pair.port,
        "protocol": pair.protocol,
        "said": pair.said.value,
        "egress": _side_json(pair.egress),
        "ingress": _side_json(pair.ingress),
    }


def _side_json(side: Side) -> dict[str, object]:
    return {
        "said": side.said.value,
        "why": Text(side.why).shown,
        "node": Text(side.node).shown,
        "endpoint": Text(side.endpoint).shown,
        "peer": Text(side.peer).shown,
        "by": [Text(name).shown for name in side.by],
        "default_deny": [Text(str(ref)).shown for ref in side.default_deny],
        "requests": [Text(request).shown for request in side.requests],
        "doubts": [Text(doubt).shown for doubt in side.doubts],
        "evidence": [{"command": one.command.shown, "excerpt": one.excerpt.shown} for one in side.evidence],
    }
