"""How times, subjects and gaps are put into words, the same in every report."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from playbooks.engine.report.marks import Mark
from playbooks.engine.report.verdict import mark_of
from playbooks.model.answer import Gap, GapKind
from playbooks.model.finding import Finding, Ongoing, Ref
from playbooks.model.outcome import Outcome
from playbooks.model.rule import Case, Rule
from playbooks.model.text import Text

SUBJECTS_SHOWN = 10
"""How many subjects of a finding a report for people names."""
NODES_SHOWN = 5
"""How many nodes of a group of gaps a report for people names."""


def moment(time: datetime) -> str:
    """RFC 3339, UTC, to the second."""
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def since(found: Finding) -> str:
    """From when to when the evidence speaks, and whether it is still so; empty when nothing tells."""
    times = [moment(time) for time in (found.first_seen, found.last_seen) if time]
    still = {Ongoing.YES: "still so", Ongoing.NO: "over", Ongoing.UNKNOWN: ""}[found.ongoing]
    if not times:
        return f"it is not known when it began, {still}" if still else ""
    span = times[0] if len(set(times)) == 1 or found.ongoing is Ongoing.YES else " to ".join(times)
    return f"{span}, {still}" if still else span


def subject(ref: Ref) -> str:
    """A subject with its node and cluster."""
    words = str(ref)
    if ref.node and ref.node != ref.name:
        words += f" on {ref.node}"
    if ref.cluster:
        words += f" in cluster {ref.cluster}"
    return Text(words).shown


def subjects(found: Finding) -> tuple[str, ...]:
    """The first subjects of a finding, then how many of them these are."""
    names = tuple(map(subject, found.subjects[:SUBJECTS_SHOWN]))
    if len(found.subjects) <= SUBJECTS_SHOWN:
        return names
    return (*names, f"{SUBJECTS_SHOWN} of {len(found.subjects):,} shown")


def is_unproven(rule: Rule) -> bool:
    """Whether no recording of a real cluster stands behind the rule."""
    return all(_is_made_up(case) for case in rule.cases)


def _is_made_up(case: Case) -> bool:
    return case.proof == "W"


@dataclass(frozen=True, slots=True)
class Unjudged:
    """Rules that lack a full verdict for the same reason."""

    mark: Mark
    """How they ended."""
    looked: int
    """Over how much they could look."""
    total: int
    """How much there is."""
    reasons: tuple[str, ...]
    """Why, each reason once, harmless."""
    rules: tuple[Rule, ...]
    """The rules."""


def unjudged_groups(outcomes: Iterable[Outcome], nodes: Iterable[str]) -> tuple[Unjudged, ...]:
    """Outcomes without a full verdict, those with one reason together, the largest group first."""
    names = sorted(filter(None, nodes), key=len, reverse=True)
    node = re.compile(rf"(?<![\w.-])({'|'.join(map(re.escape, names))})(?![\w.-])(: )?") if names else None
    groups: dict[tuple[Mark, int, int, tuple[str, ...]], list[Rule]] = defaultdict(list)
    for outcome in outcomes:
        key = (mark_of(outcome), outcome.looked, outcome.total, _reasons(outcome.why, node))
        groups[key].append(outcome.rule)
    made = (Unjudged(*key, tuple(sorted(rules, key=lambda rule: rule.id))) for key, rules in groups.items())
    return tuple(sorted(made, key=lambda group: (-len(group.rules), group.rules[0].id)))


def _reasons(why: str, node: re.Pattern[str] | None) -> tuple[str, ...]:
    """Each reason once; reasons that differ only in the name of the node are one."""
    each = why.split("; ") if why else []
    if node:
        each = [node.sub(lambda match: "" if match[2] else "a node", reason) for reason in each]
        each = [re.sub("a node(, a node)+", "several nodes", reason) for reason in each]
    return tuple(sorted({Text(reason).shown for reason in each}))


@dataclass(frozen=True, slots=True)
class GapGroup:
    """Gaps of one kind with one remedy."""

    kind: GapKind
    """The class of reason."""
    count: int
    """How many."""
    detail: str
    """What the first of them says."""
    command: str
    """Its command, safe to print."""
    remedy: str
    """What would help."""
    nodes: tuple[str, ...]
    """The nodes they concern."""

    @property
    def where(self) -> str:
        """The nodes in a few words; empty for the cluster."""
        rest = len(self.nodes) - NODES_SHOWN
        return ", ".join(self.nodes[:NODES_SHOWN]) + (f" and {rest:,} more" if rest > 0 else "")


def grouped(gaps: Iterable[Gap]) -> tuple[GapGroup, ...]:
    """Gaps by kind and remedy, the largest group first."""
    groups: dict[tuple[GapKind, str], list[Gap]] = defaultdict(list)
    for gap in gaps:
        groups[gap.kind, gap.remedy].append(gap)
    made = (
        GapGroup(
            kind,
            len(every),
            Text(every[0].detail).shown,
            "\n".join(Text(next((gap.command for gap in every if gap.command), "")).lines),
            Text(remedy).shown,
            tuple(sorted({Text(gap.node).shown for gap in every if gap.node})),
        )
        for (kind, remedy), every in groups.items()
    )
    return tuple(sorted(made, key=lambda group: -group.count))
