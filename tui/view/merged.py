"""Puts the results of a later, smaller run into those of an earlier one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from playbooks.engine.ranking import Found, Ranked, ranked
from playbooks.engine.snapshot import Snapshot
from playbooks.engine.targets.aim import Aim
from playbooks.model.answer import Gap
from playbooks.model.outcome import Outcome, OutcomeKind
from playbooks.model.rule import Rule


def merged(earlier: Snapshot | None, later: Snapshot) -> Snapshot:
    """The later results where there are any, the earlier ones elsewhere.

    A finding whose rule could not look again stays: what is not seen is not gone.
    """
    if earlier is None:
        return later
    is_whole = set(later.rules) >= set(earlier.rules) and later.is_over
    now = {key: _kept(earlier.outcomes.get(key), outcome) for key, outcome in later.outcomes.items()}
    if is_whole and now == later.outcomes:
        return later
    outcomes = now if is_whole else {**earlier.outcomes, **now}
    rules = tuple(dict.fromkeys((*earlier.rules, *later.rules)))
    found = _found(rules, outcomes, later)
    things = later.things or earlier.things
    return replace(
        later,
        about=later.about or earlier.about,
        unfound=later.unfound or earlier.unfound,
        things=things,
        installation=later.installation or earlier.installation,
        rules=rules,
        outcomes=outcomes,
        ranked=ranked(found, lambda ref: (ref.namespace, ref.name) in things),
        gaps=later.gaps if is_whole else _gaps(earlier, later),
        nodes=later.nodes or earlier.nodes,
        ready=later.ready if later.nodes else earlier.ready,
    )


def aimed(snapshot: Snapshot, aim: Aim) -> Snapshot:
    """The same findings in the order in which to read them for somebody who asks about something else."""
    found = _found(snapshot.rules, snapshot.outcomes, snapshot)
    return replace(
        snapshot,
        about=aim.said,
        unfound=aim.missing,
        things=aim.things,
        ranked=ranked(found, aim.covers),
    )


def _found(rules: tuple[Rule, ...], outcomes: Mapping[str, Outcome], newest: Snapshot) -> list[Found]:
    """Findings of rules that have ended, then those of rules under way."""
    found = [
        Found(rule, finding)
        for rule in rules
        if rule.id in outcomes
        for finding in outcomes[rule.id].findings
    ]
    return found + [Found(one.rule, one.finding) for one in newest.every() if one.rule.id not in outcomes]


def is_unseen(outcome: Outcome | None) -> bool:
    """Whether the findings of an outcome are from an earlier look, and this one saw nothing."""
    return outcome is not None and bool(outcome.findings) and outcome.kind in _BLIND


_BLIND = (OutcomeKind.COULD_NOT_LOOK, OutcomeKind.CRASHED)


def _kept(earlier: Outcome | None, later: Outcome) -> Outcome:
    if earlier and earlier.findings and not later.findings and later.kind in _BLIND:
        return replace(later, findings=earlier.findings)
    return later


def _gaps(earlier: Snapshot, later: Snapshot) -> tuple[Gap, ...]:
    """The later gaps, and the earlier ones of what was not asked again."""
    every = (*earlier.gaps, *later.gaps)
    newest = {(gap.command, gap.node, gap.command or gap.detail): gap for gap in every}
    return tuple(newest.values())


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
