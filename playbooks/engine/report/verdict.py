"""One verdict a playbook: what its rules said, taken together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from playbooks.engine.report.marks import Mark
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from playbooks.model.outcome import Outcome, OutcomeKind


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a playbook stands."""

    playbook: str
    """Its name."""
    mark: Mark
    """The worst that counts."""
    errors: int = 0
    """Findings of severity ERROR."""
    warnings: int = 0
    """Findings of severity WARN."""
    notes: int = 0
    """Findings of severity INFO."""
    rules: int = 0
    """How many rules it has."""
    judged: int = 0
    """How many rules judged all that there is."""

    @property
    def sentence(self) -> str:
        """What is behind the mark, in a few words."""
        counts = ((self.errors, "error"), (self.warnings, "warning"), (self.notes, "note"))
        parts = [counted(number, word) for number, word in counts if number]
        if self.mark is Mark.NOT_APPLICABLE:
            parts.append("none of its questions arises here")
        elif self.judged < self.rules:
            parts.append(f"{self.rules - self.judged} of {counted(self.rules, 'rule')} could not judge all")
        elif not parts:
            parts.append(f"{counted(self.rules, 'rule')}, nothing found")
        return ", ".join(parts)


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 error`, `3 errors`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def verdicts(snapshot: Snapshot) -> tuple[Verdict, ...]:
    """A verdict for each playbook of the run, in the order of its rules."""
    names = dict.fromkeys(rule.playbook for rule in snapshot.rules)
    return tuple(verdict(snapshot, name) for name in names)


def verdict(snapshot: Snapshot, playbook: str) -> Verdict:
    """How one playbook stands at this moment."""
    rules = [rule for rule in snapshot.rules if rule.playbook == playbook]
    outcomes = [snapshot.outcomes[rule.id] for rule in rules if rule.id in snapshot.outcomes]
    severities = [one.finding.severity for one in snapshot.every() if one.rule.playbook == playbook]
    is_running = not (snapshot.is_over or snapshot.is_stopped) and len(outcomes) < len(rules)
    return Verdict(
        playbook,
        _mark(severities, outcomes, is_running=is_running, is_whole=len(outcomes) == len(rules)),
        severities.count(Severity.ERROR),
        severities.count(Severity.WARN),
        severities.count(Severity.INFO),
        len(rules),
        sum(outcome.is_judged for outcome in outcomes),
    )


def _mark(severities: list[Severity], outcomes: list[Outcome], *, is_running: bool, is_whole: bool) -> Mark:
    worst = max(severities, default=None)
    if worst is not None and worst > Severity.INFO:
        return Mark.of(worst)
    if is_running:
        return Mark.RUNNING
    kinds = {outcome.kind for outcome in outcomes}
    if OutcomeKind.CRASHED in kinds:
        return Mark.CRASHED
    if OutcomeKind.TOO_SLOW in kinds:
        return Mark.TOO_SLOW
    # Unknown is never green: a clean verdict needs every rule to have judged.
    if not is_whole or not all(outcome.is_judged for outcome in outcomes):
        return Mark.NOT_CHECKED
    if worst is not None:
        return Mark.of(worst)
    return Mark.NOT_APPLICABLE if kinds == {OutcomeKind.NOT_APPLICABLE} else Mark.OK


def mark_of(outcome: Outcome) -> Mark:
    """The mark of one rule's outcome."""
    if outcome.findings:
        return Mark.of(max(finding.severity for finding in outcome.findings))
    return _mark([], [outcome], is_running=False, is_whole=True)


def unjudged(outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """Outcomes that are neither clean nor findings of a rule that saw all."""
    fine = (OutcomeKind.CLEAN, OutcomeKind.FINDINGS, OutcomeKind.NOT_APPLICABLE)
    return tuple(one for one in outcomes if one.kind not in fine or not one.is_judged)
