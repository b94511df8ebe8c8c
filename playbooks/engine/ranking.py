"""Ranks findings: which explains which, what belongs together, what comes first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from playbooks.model.condition import Condition
from playbooks.model.finding import Finding, Ref, Severity, merged
from playbooks.model.rule import Rule

_NEVER = datetime.max.replace(tzinfo=UTC)
_LAYERS = ("agent", "endpoint", "policy", "service")
"""Playbooks, from what others rest on upwards."""


@dataclass(frozen=True, slots=True)
class Found:
    """A finding with its rule."""

    rule: Rule
    """Who found it."""
    finding: Finding
    """What."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A finding in its place."""

    rule: Rule
    """Who found it."""
    finding: Finding
    """What."""
    symptoms: tuple[Ranked, ...] = ()
    """What it explains, nested."""
    also_because_of: tuple[str, ...] = ()
    """Ids of other roots that would explain it too."""

    @property
    def weight(self) -> int:
        """How many findings it explains."""
        return sum(1 + symptom.weight for symptom in self.symptoms)


def ranked(found: Iterable[Found], target: Callable[[Ref], bool] = lambda ref: False) -> tuple[Ranked, ...]:
    """Findings as trees, in the order in which to read them.

    `target` tells the things that were asked about; findings on them come first.
    """
    every = list(found)
    parents = _parents(every)
    children: dict[int, list[int]] = defaultdict(list)
    for child, causes in parents.items():
        children[causes[0]].append(child)
    roots = [index for index in range(len(every)) if index not in parents]

    def tree(index: int) -> Ranked:
        below = _merge([tree(child) for child in children[index]])
        also = tuple(dict.fromkeys(every[cause].rule.id for cause in parents.get(index, [])[1:]))
        return Ranked(every[index].rule, every[index].finding, _ordered(below, target), also)

    return _ordered(_merge([tree(index) for index in roots]), target)


def _parents(every: list[Found]) -> dict[int, list[int]]:
    """For each explained finding its causes, strongest first, without cycles."""
    asserted: dict[Condition, list[int]] = defaultdict(list)
    for index, one in enumerate(every):
        for condition in one.finding.asserts:
            asserted[condition].append(index)
    reach = _explains_counts(every, asserted)
    parents: dict[int, list[int]] = {}
    for index, one in enumerate(every):
        causes = {
            cause
            for condition in one.finding.because_of
            if not one.finding.stated_cause or condition.fits(one.finding.stated_cause)
            for cause in asserted[condition]
            if cause != index and not _is_weaker(every[cause].finding, one.finding)
        }
        if causes:
            key = {cause: (-every[cause].finding.severity, -reach[cause], cause) for cause in causes}
            parents[index] = sorted(causes, key=key.__getitem__)
    _cut_cycles(every, parents)
    return parents


def _is_weaker(cause: Finding, effect: Finding) -> bool:
    # An observation never hides a fault: INFO explains nothing above INFO.
    return cause.severity is Severity.INFO and effect.severity > Severity.INFO


def _explains_counts(every: list[Found], asserted: dict[Condition, list[int]]) -> dict[int, int]:
    counts: dict[int, int] = defaultdict(int)
    for one in every:
        for condition in one.finding.because_of:
            for cause in asserted[condition]:
                counts[cause] += 1
    return counts


def _cut_cycles(every: list[Found], parents: dict[int, list[int]]) -> None:
    """In each cycle the member with the earliest onset, then the highest severity, becomes its root."""
    for start in list(parents):
        while cycle := _cycle_from(start, parents):
            root = min(cycle, key=lambda i: _onset(every[i].finding, i))
            remaining = [cause for cause in parents[root] if cause not in cycle]
            if remaining:
                parents[root] = remaining
            else:
                del parents[root]


def _onset(finding: Finding, index: int) -> tuple[datetime, int, int]:
    return finding.first_seen or _NEVER, -finding.severity, index


def _cycle_from(start: int, parents: dict[int, list[int]]) -> list[int]:
    path: list[int] = []
    index = start
    while index in parents and index not in path:
        path.append(index)
        index = parents[index][0]
    return path[path.index(index) :] if index in path else []


def _merge(siblings: list[Ranked]) -> list[Ranked]:
    """Equal findings of a rule within one parent become one with many subjects."""
    groups: dict[object, list[Ranked]] = {}
    for position, one in enumerate(siblings):
        key: object = (one.rule.id, one.finding.same_as) if one.finding.same_as else position
        groups.setdefault(key, []).append(one)
    return [_one_of(group) for group in groups.values()]


def _one_of(group: list[Ranked]) -> Ranked:
    if len(group) == 1:
        return group[0]
    symptoms = [symptom for one in group for symptom in one.symptoms]
    return replace(
        group[0],
        finding=merged([one.finding for one in group]),
        symptoms=tuple(_merge(symptoms)),
        also_because_of=tuple(dict.fromkeys(cause for one in group for cause in one.also_because_of)),
    )


def _layer(rule: Rule) -> int:
    # What much rests on comes before what rests on it; how long it was seen says less, as buffers reach back.
    return _LAYERS.index(rule.playbook) if rule.playbook in _LAYERS else len(_LAYERS)


def _ordered(siblings: Iterable[Ranked], target: Callable[[Ref], bool]) -> tuple[Ranked, ...]:
    return tuple(
        sorted(
            siblings,
            key=lambda one: (
                not any(map(target, one.finding.subjects)),
                -one.finding.severity,
                -one.weight,
                _layer(one.rule),
                one.finding.first_seen or _NEVER,
                one.rule.id,
                one.finding.subject,
            ),
        )
    )
