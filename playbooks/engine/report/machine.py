"""The report for scripts: one JSON object in ASCII."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import cast

import msgspec

from playbooks.engine.ranking import Ranked
from playbooks.engine.report.exits import Exit
from playbooks.engine.report.schema import (
    SCHEMA,
    EvidenceEntry,
    FindingEntry,
    FixEntry,
    GapEntry,
    OutcomeEntry,
    Report,
    SeverityWord,
    SubjectEntry,
)
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import Gap
from playbooks.model.finding import Finding, Fix, Ref, Step
from playbooks.model.outcome import Outcome
from playbooks.model.rule import Rule
from playbooks.model.text import Text

NOT_ENDED = "stopped before this rule had ended"


def as_json(snapshot: Snapshot, exit: Exit) -> str:
    """The report as one JSON object, indented, without any character outside printable ASCII."""
    built = msgspec.to_builtins(report_of(snapshot, exit))
    return json.dumps(built, indent=2, ensure_ascii=True) + "\n"


def report_of(snapshot: Snapshot, exit: Exit) -> Report:
    """The report as structures."""
    return Report(
        schema=SCHEMA,
        cluster=Text(snapshot.cluster).shown,
        exit=int(exit),
        complete=snapshot.is_complete,
        about=tuple(Text(about).shown for about in snapshot.about),
        roots=tuple(map(_finding, snapshot.roots)),
        notes=tuple(map(_finding, snapshot.notes)),
        outcomes=_outcomes(snapshot.rules, snapshot.outcomes),
        gaps=tuple(dict.fromkeys(map(_gap, snapshot.gaps))),
    )


def _finding(ranked: Ranked) -> FindingEntry:
    rule, found = ranked.rule, ranked.finding
    return FindingEntry(
        id=rule.id,
        fault=rule.name,
        playbook=rule.playbook,
        severity=cast("SeverityWord", found.severity.word),
        summary=found.summary.shown,
        subjects=tuple(map(_subject, found.subjects)),
        evidence=tuple(_evidence(found)),
        first_evidence=_utc(found.first_seen),
        last_evidence=_utc(found.last_seen),
        ongoing=found.ongoing.value,
        impact=found.impact.shown or None,
        changes=tuple(change.shown for change in found.changes),
        owner=found.owner.shown or None,
        fixes=tuple(map(_fix, found.fixes)),
        symptoms=tuple(map(_finding, ranked.symptoms)),
    )


def _subject(ref: Ref) -> SubjectEntry:
    return SubjectEntry(
        kind=_shown(ref.kind),
        namespace=_shown(ref.namespace) or None,
        name=_shown(ref.name),
        node=_shown(ref.node) or None,
        cluster=_shown(ref.cluster) or None,
    )


def _evidence(found: Finding) -> Iterable[EvidenceEntry]:
    return (EvidenceEntry(_lines(proof.command), _lines(proof.excerpt)) for proof in found.evidence)


def _fix(fix: Fix) -> FixEntry:
    return FixEntry(
        title=fix.title.shown,
        kind=fix.kind.value,
        risk=fix.risk.value,
        steps=tuple(map(_step, fix.steps)),
        undo=_lines(fix.undo),
        verify=_lines(fix.verify),
    )


def _step(step: Step) -> str:
    return "\n".join(_lines(part) for part in (step.text, step.command) if part)


def _outcomes(rules: tuple[Rule, ...], outcomes: Mapping[str, Outcome]) -> dict[str, OutcomeEntry]:
    return {rule.id: _outcome(outcomes.get(rule.id)) for rule in rules}


def _outcome(outcome: Outcome | None) -> OutcomeEntry:
    if outcome is None:
        return OutcomeEntry("could_not_look", 0, 0, NOT_ENDED)
    return OutcomeEntry(outcome.kind.value, outcome.looked, outcome.total, _shown(outcome.why) or None)


def _gap(gap: Gap) -> GapEntry:
    return GapEntry(_lines(Text(gap.command)) or None, gap.kind.value, _shown(gap.detail))


def _shown(text: str) -> str:
    return Text(text).shown


def _lines(text: Text) -> str:
    return "\n".join(text.lines)


def _utc(time: datetime | None) -> datetime | None:
    return time.astimezone(UTC).replace(microsecond=0) if time else None
