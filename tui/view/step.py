"""A playbook and its steps as their panes show them: question, command, verdict, how to read it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import ClassVar

from playbooks.engine.ranking import Ranked
from playbooks.engine.report.marks import Mark
from playbooks.engine.report.verdict import mark_of
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from playbooks.model.outcome import Outcome
from playbooks.model.rule import Playbook, PlaybookStep, Rule
from playbooks.model.text import Text
from tui.ink import BLANK, Ink, Line, line, piece
from tui.view.marks import glyph, ink_of, marked
from tui.view.topic import Copy, command_copy, command_lines, labelled, short

NO_RULE = "no rule yet"
"""The word of a step that nothing in this version judges."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How some rules stand together."""

    mark: Mark
    """The worst that counts."""
    word: str
    """At the right edge of a row: a count, or the word of the mark."""


def standing(rules: tuple[Rule, ...], snapshot: Snapshot | None, *, is_running: bool) -> Standing:
    """How rules stand: faults first, then what is unknown, and only then what is well."""
    if not rules:
        return Standing(Mark.NOT_CHECKED, NO_RULE)
    if snapshot is None:
        return (
            Standing(Mark.RUNNING, "") if is_running else Standing(Mark.NOT_CHECKED, Mark.NOT_CHECKED.value)
        )
    ids = {rule.id for rule in rules}
    severities = [one.finding.severity for one in snapshot.every() if one.rule.id in ids]
    worst = max(severities, default=None)
    if worst is not None and worst > Severity.INFO:
        count = severities.count(worst)
        name = "error" if worst is Severity.ERROR else "warning"
        return Standing(Mark.of(worst), f"{count} {name}{'' if count == 1 else 's'}")
    outcomes = [snapshot.outcomes[rule.id] for rule in rules if rule.id in snapshot.outcomes]
    if len(outcomes) < len(rules) and is_running:
        return Standing(Mark.RUNNING, f"{len(outcomes)}/{len(rules)}")
    return _standing_without_fault(outcomes, len(rules), worst)


def _standing_without_fault(outcomes: list[Outcome], total: int, worst: Severity | None) -> Standing:
    marks = {mark_of(outcome) for outcome in outcomes}
    for mark in (Mark.CRASHED, Mark.TOO_SLOW):
        if mark in marks:
            return Standing(mark, mark.value)
    open_outcomes = [outcome for outcome in outcomes if not outcome.is_judged]
    if open_outcomes or len(outcomes) < total:
        return Standing(Mark.NOT_CHECKED, _coverage(open_outcomes, total, total - len(outcomes)))
    if worst is not None:
        return Standing(Mark.INFO, "note")
    if marks == {Mark.NOT_APPLICABLE}:
        return Standing(Mark.NOT_APPLICABLE, Mark.NOT_APPLICABLE.value)
    return Standing(Mark.OK, Mark.OK.value)


def _coverage(outcomes: list[Outcome], total: int, missing: int) -> str:
    """How much was seen: nodes where that tells, else rules."""
    seen = min(((outcome.looked, outcome.total) for outcome in outcomes), default=(0, 0))
    if not missing and seen[0]:
        return f"{seen[0]}/{seen[1]} seen"
    unknown = len(outcomes) + missing
    return Mark.NOT_CHECKED.value if unknown == total else f"{unknown} of {total} unknown"


@dataclass(frozen=True, slots=True)
class _Judged:
    """What is judged by rules and has no fix of its own: fixes belong to findings."""

    key: str
    """The key of its row."""
    playbook: Playbook
    """Where it belongs."""
    rules: tuple[Rule, ...]
    """The rules that answer it."""
    snapshot: Snapshot | None
    """All that is known so far."""
    stands: Standing
    """Its verdict."""

    fixes: ClassVar[tuple[Line, ...]] = ()
    rest: ClassVar[tuple[Line, ...]] = ()
    nodes: ClassVar[tuple[str, ...]] = ()
    exhibits: ClassVar[None] = None
    """All that its rules looked at."""

    def _asked(self, question: str) -> Line:
        return line(glyph(self.stands.mark), f" {self.playbook.title}: ", piece(question, Ink.BOLD))

    def _verdict(self, question: str) -> Iterator[Line]:
        word = self.stands.word or self.stands.mark.value
        yield line(glyph(self.stands.mark), piece(f" {word}", ink_of(self.stands.mark)))
        yield line(piece(question, Ink.BOLD))
        yield BLANK

    def _what_rules_said(self) -> Iterator[Line]:
        yield from found_lines(self.rules, self.snapshot)
        yield from rule_lines(self.rules, self.snapshot)


@dataclass(frozen=True, slots=True)
class StepTopic(_Judged):
    """A step that is selected."""

    step: PlaybookStep
    """The step."""

    @property
    def thread(self) -> Line:
        """Verdict and question."""
        return self._asked(self.step.question)

    @property
    def below(self) -> Line:
        """What a person would have typed."""
        return line(piece("$ ", Ink.QUIET), piece(self.step.command, Ink.COMMAND))

    @property
    def head(self) -> tuple[Line, ...]:
        """The question, the command, why, how to read it, and what every rule said."""
        return tuple(self._head())

    def copies(self) -> tuple[Copy, ...]:
        """Its command."""
        return (command_copy("the command of this step", Text(self.step.command)),)

    def _head(self) -> Iterator[Line]:
        yield from self._verdict(self.step.question)
        yield line("What a person would type", ink=Ink.TITLE)
        yield from command_lines(Text(self.step.command), 2)
        yield BLANK
        yield from labelled("why", self.step.why)
        yield from labelled("reading", self.step.reading)
        yield from self._what_rules_said()


@dataclass(frozen=True, slots=True)
class PlaybookTopic(_Judged):
    """A playbook that is selected."""

    @property
    def thread(self) -> Line:
        """Verdict, name and question."""
        return self._asked(self.playbook.question)

    @property
    def below(self) -> Line:
        """How far it has come."""
        judged = sum(outcome.is_judged for outcome in _outcomes(self.rules, self.snapshot))
        return line(f"{judged} of {len(self.rules)} rules judged all they wanted to see", ink=Ink.QUIET)

    @property
    def head(self) -> tuple[Line, ...]:
        """The question, the steps, and what every rule said."""
        return tuple(self._head())

    def copies(self) -> tuple[Copy, ...]:
        """The commands of its steps."""
        every = "\n".join(step.command for step in self.playbook.steps)
        return (command_copy("the commands of all steps", Text(every)),)

    def _head(self) -> Iterator[Line]:
        yield from self._verdict(self.playbook.question)
        yield self.below
        yield BLANK
        yield line("What a person would type, in this order", ink=Ink.TITLE)
        for position, step in enumerate(self.playbook.steps, 1):
            yield line(piece(f"{position:>2}. ", Ink.QUIET), step.question, hang=4)
            yield from command_lines(Text(step.command), 4)
        yield from self._what_rules_said()


def found_lines(rules: Iterable[Rule], snapshot: Snapshot | None) -> Iterator[Line]:
    """The findings of some rules, one line each."""
    ids = {rule.id for rule in rules}
    found: list[Ranked] = [one for one in (snapshot.every() if snapshot else ()) if one.rule.id in ids]
    if found:
        yield BLANK
        yield line("What was found", ink=Ink.TITLE)
    for one in found:
        yield line(marked(Mark.of(one.finding.severity)), f" {one.rule.id} ", one.finding.summary, hang=2)


def rule_lines(rules: tuple[Rule, ...], snapshot: Snapshot | None) -> Iterator[Line]:
    """What became of every rule, unknown ones first."""
    yield BLANK
    if not rules:
        yield line("No rule of this version judges this step yet: look at it by hand.", ink=Ink.UNSEEN)
        return
    yield line("Rules", ink=Ink.TITLE)
    outcomes = snapshot.outcomes if snapshot else {}
    known = [(rule, outcomes.get(rule.id)) for rule in rules]
    for rule, outcome in sorted(known, key=lambda pair: (_is_settled(pair[1]), pair[0].id)):
        yield from _rule(rule, outcome)


def _is_settled(outcome: Outcome | None) -> bool:
    return outcome is not None and outcome.is_judged and not outcome.findings


def _rule(rule: Rule, outcome: Outcome | None) -> Iterator[Line]:
    mark = Mark.RUNNING if outcome is None else mark_of(outcome)
    seen = f" {outcome.looked}/{outcome.total}" if outcome and outcome.total > 1 else ""
    yield line(
        glyph(mark),
        piece(f" {rule.id}{seen} ", Ink.QUIET),
        rule.title.rstrip("."),
        hang=2,
    )
    if outcome and outcome.why:
        yield line(piece(f"{mark.value}: ", ink_of(mark)), short(outcome.why), indent=4)


def _outcomes(rules: Iterable[Rule], snapshot: Snapshot | None) -> Iterator[Outcome]:
    for rule in rules:
        outcome = snapshot.outcomes.get(rule.id) if snapshot else None
        if outcome:
            yield outcome
