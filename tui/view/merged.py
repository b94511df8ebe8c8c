"""Puts the results of a later, smaller run into those of an earlier one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from playbooks.engine.ranking import Found, Ranked, ranked
from playbooks.engine.snapshot import Snapshot


def merged(earlier: Snapshot | None, later: Snapshot) -> Snapshot:
    """The later results where there are any, the earlier ones elsewhere."""
    if earlier is None:
        return later
    covers = set(later.rules) >= set(earlier.rules)
    if covers and later.is_over:
        return later
    outcomes = {**earlier.outcomes, **later.outcomes}
    rules = tuple(dict.fromkeys((*earlier.rules, *later.rules)))
    found = [
        Found(rule, finding)
        for rule in rules
        if rule.id in outcomes
        for finding in outcomes[rule.id].findings
    ]
    found += [Found(one.rule, one.finding) for one in later.every() if one.rule.id not in outcomes]
    return replace(
        later,
        installation=later.installation or earlier.installation,
        rules=rules,
        outcomes=outcomes,
        ranked=ranked(found),
        gaps=tuple(dict.fromkeys((*later.gaps, *earlier.gaps))),
        nodes=later.nodes or earlier.nodes,
        ready=later.ready if later.nodes else earlier.ready,
    )


def keyed(snapshot: Snapshot | None) -> dict[str, Ranked]:
    """Every finding by a key that stays the same from look to look, in reading order."""
    found: dict[str, Ranked] = {}
    for one in snapshot.every() if snapshot else ():
        name = f"{one.rule.id} {one.finding.same_as or one.finding.subject}"
        key, again = name, 1
        while key in found:
            again += 1
            key = f"{name} #{again}"
        found[key] = one
    return found


def judged_since(earlier: Snapshot | None, later: Snapshot) -> Iterator[tuple[str, Ranked]]:
    """Findings of WARN or worse that are no longer there although their rule saw all it wanted."""
    now = keyed(later)
    for key, one in keyed(earlier).items():
        outcome = later.outcomes.get(one.rule.id)
        is_judged = outcome is not None and outcome.is_judged and not outcome.is_one_look
        if key not in now and is_judged and one.finding.severity > 1:
            yield key, one
