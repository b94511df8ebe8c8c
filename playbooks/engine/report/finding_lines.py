"""A finding with all that belongs to it, as lines."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.engine.ranking import Ranked
from playbooks.engine.report.line import Line, Tone
from playbooks.engine.report.marks import Mark
from playbooks.engine.report.words import is_unproven, since, subjects
from playbooks.model.finding import Evidence, Finding, Fix, Step

SYMPTOMS_SHOWN = 10
"""How many symptoms below one finding are shown; JSON has them all."""
EXCERPT_LINES = 12
"""How many lines of an excerpt are shown."""
_LABEL = 9


def root_lines(ranked: Ranked) -> Iterator[Line]:
    """A root: everything about it, then what follows from it."""
    found = ranked.finding
    yield _title(ranked)
    yield from _indented(_circumstances(ranked), 2)
    for proof in found.evidence:
        yield from _indented(_proof(proof), 2)
    for number, fix in enumerate(found.fixes, 1):
        yield from _indented(_fix(fix, number, len(found.fixes)), 2)
    yield from _indented(_symptoms(ranked), 2)


def note_lines(ranked: Ranked) -> Iterator[Line]:
    """An observation: what and where, and its first proof."""
    yield from _indented(_brief(ranked), 2)


def _title(ranked: Ranked) -> Line:
    mark = Mark.of(ranked.finding.severity)
    doubt = " (unproven: no recording of a real cluster stands behind this rule)"
    text = f"{mark.shown()} {ranked.rule.id} {ranked.finding.summary.shown}"
    return Line(text + (doubt if is_unproven(ranked.rule) else ""), Tone.of(mark))


def _circumstances(ranked: Ranked) -> Iterator[Line]:
    found = ranked.finding
    yield from _labelled("where", *subjects(found))
    yield from _labelled("since", since(found))
    yield from _labelled("hurt", found.impact.shown)
    yield from _labelled("changed", *(change.shown for change in found.changes))
    yield from _labelled("owner", found.owned.shown)
    for cause in found.alternatives:
        yield from _labelled("or", cause.shown)
    if ranked.also_because_of:
        yield from _labelled("also by", ", ".join(ranked.also_because_of))
    yield from _labelled("rule", f"{ranked.rule.name}  (honeyguide explain {ranked.rule.id})")


def _labelled(label: str, *values: str) -> Iterator[Line]:
    for position, value in enumerate(value for value in values if value):
        yield Line(f"{'' if position else label:<{_LABEL}}{value}")


def _proof(proof: Evidence) -> Iterator[Line]:
    for position, line in enumerate(proof.command.lines):
        yield Line(f"{'' if position else 'proof':<{_LABEL}}$ {line}", Tone.COMMAND)
    lines = [line for line in proof.excerpt.lines if line.strip()]
    for line in lines[:EXCERPT_LINES]:
        yield Line(f"{'':<{_LABEL}}> {line}", Tone.PROOF)
    if len(lines) > EXCERPT_LINES:
        yield Line(f"{'':<{_LABEL}}  {len(lines) - EXCERPT_LINES} more lines", Tone.QUIET)


def _fix(fix: Fix, number: int, total: int) -> Iterator[Line]:
    yield Line()
    of = f" {number} of {total}" if total > 1 else ""
    yield Line(f"fix{of} · {fix.kind.value} · {fix.risk.value} risk: {fix.title.shown}", Tone.TITLE)
    yield from _labelled("why", fix.why.shown)
    for position, step in enumerate(fix.steps, 1):
        yield from _step(step, position)
    yield from _labelled("undo", *fix.undo.lines)
    yield from _labelled("verify", *fix.verify.lines)


def _step(step: Step, position: int) -> Iterator[Line]:
    first = "save first: " if step.is_capture else ""
    yield Line(f"{position:>2}. {first}{step.text.shown}")
    if step.command is None:
        return
    if not step.command.is_safe_to_run:
        yield Line("    (the command holds hidden characters and is not offered)", Tone.QUIET)
        return
    for position, line in enumerate(step.command.lines):
        prompt = "" if step.language != "sh" else "$ " if position == 0 else "  "
        yield Line(f"    {prompt}{line}", _tone(line) if step.language == "diff" else Tone.COMMAND)


def _tone(line: str) -> Tone:
    """Of a line of a diff."""
    return Tone.OK if line.startswith("+") else Tone.ERROR if line.startswith("-") else Tone.QUIET


def _symptoms(ranked: Ranked) -> Iterator[Line]:
    if not ranked.symptoms:
        return
    yield Line()
    yield Line("What follows from it", Tone.TITLE)
    for symptom in ranked.symptoms[:SYMPTOMS_SHOWN]:
        yield from _indented(_brief(symptom), 2)
    if (rest := len(ranked.symptoms) - SYMPTOMS_SHOWN) > 0:
        yield Line(f"  and {rest} more", Tone.QUIET)


def _brief(ranked: Ranked) -> Iterator[Line]:
    found: Finding = ranked.finding
    yield _title(ranked)
    yield from _indented(_labelled("where", *subjects(found)), 2)
    yield from _indented(_labelled("since", since(found)), 2)
    for proof in found.evidence[:1]:
        yield from _indented(_proof(proof), 2)
    yield from _indented(_symptoms(ranked), 2)


def _indented(lines: Iterator[Line], by: int) -> Iterator[Line]:
    return (line.indented(by) for line in lines)
