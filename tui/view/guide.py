"""The guide from a symptom to its cause: steps of playbooks, each with what it showed for what was named."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from playbooks.engine.discovery import Catalogue
from playbooks.engine.ranking import Ranked
from playbooks.engine.report.marks import Mark
from playbooks.engine.snapshot import Snapshot
from playbooks.knowledge.symptoms import Symptom
from playbooks.model.finding import Ref, Severity
from playbooks.model.rule import Playbook, PlaybookStep, Rule
from playbooks.model.text import Text
from tui.ink import Ink, Line, Piece, line, piece
from tui.view.marks import glyph, ink_of, marked
from tui.view.merged import keyed
from tui.view.rows import Row
from tui.view.step import Standing, rule_lines, standing
from tui.view.topic import command_lines, labelled

_SHOWN = 4
"""Findings of a step that are listed; the first ones are about what was named."""


@dataclass(frozen=True, slots=True)
class Stop:
    """One step on the way."""

    playbook: Playbook
    """Where it belongs."""
    step: PlaybookStep
    """The step."""
    rules: tuple[Rule, ...]
    """The rules that answer it."""

    @property
    def key(self) -> str:
        """The key of its row."""
        return f"{self.playbook.name} {self.step.key}"


def stops(symptom: Symptom, catalogue: Catalogue) -> tuple[Stop, ...]:
    """The steps that a symptom leads through."""
    return tuple(
        Stop(playbook, step, _rules(catalogue, name, step.key))
        for name, key in symptom.walk
        if (playbook := catalogue.playbook(name))
        for step in playbook.steps
        if key in ("", step.key)
    )


def _rules(catalogue: Catalogue, playbook: str, step: str) -> tuple[Rule, ...]:
    return tuple(rule for rule in catalogue.rules if (rule.playbook, rule.step) == (playbook, step))


@dataclass(frozen=True, slots=True)
class Guide:
    """The way, and how far it is known."""

    symptom: Symptom
    """What is seen."""
    named: tuple[str, ...]
    """What was chosen: names, with their namespace before a slash."""
    belonging: frozenset[str]
    """Names of what belongs to it: a pod's workload and node."""
    stops: tuple[Stop, ...]
    """The steps."""
    snapshot: Snapshot | None
    """All that is known so far."""
    is_running: bool
    """Whether anything is under way."""

    @property
    def title(self) -> Line:
        """What is seen, and of what."""
        of = f": {', '.join(self.named)}" if self.named else ""
        return line(piece(self.symptom.says, Ink.TITLE), piece(of, Ink.BOLD))

    def rows(self) -> tuple[Row, ...]:
        """A row for each step."""
        return tuple(self._row(at, stop) for at, stop in enumerate(self.stops, 1))

    def found(self, stop: Stop) -> tuple[tuple[str, Ranked], ...]:
        """The findings of a step by key: those about what was named first, then the worst."""
        ids = {rule.id for rule in stop.rules}
        found = [(key, one) for key, one in keyed(self.snapshot).items() if one.rule.id in ids]
        return tuple(sorted(found, key=lambda pair: (not self.concerns(pair[1]), -pair[1].finding.severity)))

    def concerns(self, ranked: Ranked) -> bool:
        """Whether a finding is about what was named."""
        return any(
            name in self.named or name in self.belonging
            for ref in ranked.finding.subjects
            for name in _names(ref)
        )

    def page(self, key: str) -> tuple[Line, ...]:
        """What is looked at in a step, why, what it showed, how to read it, what comes next."""
        at = next((at for at, stop in enumerate(self.stops) if stop.key == key), None)
        return tuple(self._page(at)) if at is not None else ()

    def after(self, key: str) -> str:
        """The key of the next step; empty after the last one."""
        keys = [stop.key for stop in self.stops]
        return keys[keys.index(key) + 1] if key in keys[:-1] else ""

    def _stands(self, stop: Stop) -> Standing:
        return standing(stop.rules, self.snapshot, is_running=self.is_running)

    def _row(self, at: int, stop: Stop) -> Row:
        stands = self._stands(stop)
        said = line(glyph(stands.mark), piece(f" {at}. ", Ink.QUIET), stop.step.question)
        return Row(stop.key, said, Piece(stands.word or stands.mark.value, ink_of(stands.mark)))

    def _page(self, at: int) -> Iterator[Line]:
        stop = self.stops[at]
        if at == 0:
            yield line(piece(self.symptom.first, Ink.INFO))
        yield line(f"Step {at + 1} of {len(self.stops)}, {stop.playbook.title}", ink=Ink.TITLE)
        yield from labelled("look at", piece(stop.step.question, Ink.BOLD))
        yield from (one.at(9, 4) for one in command_lines(Text(stop.step.command), 0))
        yield from labelled("why", stop.step.why)
        yield from self._showed(stop)
        yield from labelled("reading", stop.step.reading)
        yield from self._next(at)
        yield from rule_lines(stop.rules, self.snapshot)

    def _showed(self, stop: Stop) -> Iterator[Line]:
        stands, found = self._stands(stop), self.found(stop)
        word = f" {stands.word}" if stands.word else f" {stands.mark.value}"
        yield line(
            piece(f"{'showed':<9}", Ink.QUIET), glyph(stands.mark), piece(word, ink_of(stands.mark)), hang=9
        )
        for _, one in found[:_SHOWN]:
            about = (piece("yours: ", Ink.KEY),) if self.concerns(one) else ()
            mark = marked(Mark.of(one.finding.severity))
            yield line(*about, mark, f" {one.rule.id} ", one.finding.summary, indent=9, hang=2)
        if (more := len(found) - _SHOWN) > 0:
            yield line(f"and {more} more", ink=Ink.QUIET, indent=9)

    def _next(self, at: int) -> Iterator[Line]:
        yield from labelled("next", *self._advice(self.stops[at]), self._onwards(at))

    def _advice(self, stop: Stop) -> Iterator[Piece]:
        found = [one for _, one in self.found(stop) if one.finding.severity > Severity.INFO]
        mark = self._stands(stop).mark
        if any(self.concerns(one) for one in found):
            yield piece("This is about what you named, and may well be it: enter shows it and its fix.")
        elif found:
            yield piece("Something is wrong here, if not with what you named: enter shows it and its fix.")
        elif mark is Mark.RUNNING:
            yield piece("Still asking; this page follows.")
        elif mark in (Mark.OK, Mark.NOT_APPLICABLE, Mark.INFO):
            yield piece("Ruled out, as far as these rules see.")
        else:
            yield piece("Not ruled out: not everything could be seen; the reasons stand below.", Ink.UNSEEN)

    def _onwards(self, at: int) -> Piece:
        if at + 1 < len(self.stops):
            return piece(f"Then: {self.stops[at + 1].step.question}", Ink.BOLD)
        return piece(
            "That was the last step. :why judges one connection; the list of Diagnose has all findings.",
            Ink.BOLD,
        )


def troubled(snapshot: Snapshot | None) -> dict[str, str]:
    """Names of what findings are about or what looks sick, with a word for it; the worst word wins."""
    words = dict.fromkeys(snapshot.sick if snapshot else (), "agent not ready")
    found = [one.finding for one in snapshot.every()] if snapshot else []
    for finding in sorted(found, key=lambda one: one.severity):
        if finding.severity > Severity.INFO:
            words |= {name: finding.severity.word for ref in finding.subjects for name in _names(ref)}
    return words


def _names(ref: Ref) -> tuple[str, ...]:
    path = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
    return (path, ref.node) if ref.node else (path,)
