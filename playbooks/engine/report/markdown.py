"""The report as Markdown, for a ticket: the same content, and no text of the cluster can be markup in it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from playbooks.engine.ranking import Ranked
from playbooks.engine.report.exits import Exit
from playbooks.engine.report.marks import Mark
from playbooks.engine.report.text import MEANINGS, REASONS_SHOWN, cluster_line
from playbooks.engine.report.verdict import unjudged, verdicts
from playbooks.engine.report.words import grouped, is_unproven, since, subjects, unjudged_groups
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Evidence, Fix, Step
from playbooks.model.text import Text

# What is markup anywhere, an emoji's name, and what is markup at the beginning of a line.
_SPECIAL = re.compile(r"([\\`*_\[\]<>|~&$]|:(?=[\w+-]+:)|^[-+#=]|(?<=^\d)[.)]|(?<=^\d\d)[.)])")
# Trackers make links, mentions and references of these in plain text, escaped or not, but never in code.
_LINKED = re.compile(r"@|#\d|://|www\.|\b[0-9a-f]{7,40}\b", re.IGNORECASE)


def as_markdown(snapshot: Snapshot, exit: Exit) -> str:
    """The report as Markdown."""
    return "".join(f"{line}\n" for line in _every(snapshot, exit))


def finding_markdown(ranked: Ranked, level: int = 2) -> str:
    """One finding with its symptoms, for a ticket or the clipboard."""
    return "".join(f"{line}\n" for line in _finding(ranked, level))


def inline(text: str) -> str:
    """Text inside a sentence that stays text."""
    # Blanks at the beginning would hide from us what Markdown takes for the beginning of its line.
    shown = Text(text).shown.lstrip()
    return code(shown) if _LINKED.search(shown) else _SPECIAL.sub(r"\\\1", shown)


def code(text: str) -> str:
    """Text as a code span."""
    shown = Text(text).shown
    ticks = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") else ""
    return f"{ticks}{pad}{shown}{pad}{ticks}" if shown else ""


def fenced(lines: tuple[str, ...], language: str = "") -> Iterator[str]:
    """Lines, harmless already, as a block that none of them can close."""
    fence = "`" * max(3, _longest_run("\n".join(lines)) + 1)
    yield f"{fence}{language}"
    yield from lines
    yield fence


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)


def _every(snapshot: Snapshot, exit: Exit) -> Iterator[str]:
    yield f"# Diagnosis of {inline(snapshot.cluster)}"
    yield ""
    yield inline(cluster_line(snapshot))
    yield ""
    if snapshot.is_stopped:
        yield "**Stopped before the end: this is what was seen until then.**"
        yield ""
    for about in snapshot.about:
        yield f"About {inline(about)}: findings on it come first."
        yield ""
    yield "| playbook | verdict | |"
    yield "|---|---|---|"
    for one in verdicts(snapshot):
        yield f"| {one.playbook} | {one.mark.shown()} | {one.sentence} |"
    for root in snapshot.roots:
        yield ""
        yield from _finding(root, 2)
    if snapshot.notes:
        yield ""
        yield "## Also true, and no fault by itself"
        for note in snapshot.notes:
            yield ""
            yield from _finding(note, 3)
    yield from _gaps(snapshot)
    yield from _unjudged(snapshot)
    yield ""
    yield f"Exit code {exit.value}: {MEANINGS[exit]}."


def _finding(ranked: Ranked, level: int) -> Iterator[str]:
    found = ranked.finding
    mark = Mark.of(found.severity).shown()
    doubt = " *(unproven)*" if is_unproven(ranked.rule) else ""
    yield f"{'#' * min(level, 6)} {mark} {ranked.rule.id} {inline(found.summary.raw)}{doubt}"
    yield ""
    yield from _item("where", *map(code, subjects(found)))
    yield from _item("since", since(found))
    yield from _item("hurt", inline(found.impact.raw))
    yield from _item("changed", *(inline(change.raw) for change in found.changes))
    yield from _item("owner", inline(found.owner.raw))
    yield from _item("or", *(inline(cause.raw) for cause in found.alternatives))
    yield from _item("also by", ", ".join(ranked.also_because_of))
    yield from _item("rule", code(ranked.rule.name))
    for proof in found.evidence:
        yield from _proof(proof)
    for number, fix in enumerate(found.fixes, 1):
        yield from _fix(fix, number, min(level + 1, 6))
    for symptom in ranked.symptoms:
        yield ""
        yield from _finding(symptom, level + 1)


def _item(label: str, *values: str) -> Iterator[str]:
    told = [value for value in values if value]
    if told:
        yield f"- **{label}**: {'; '.join(told)}"


def _proof(proof: Evidence) -> Iterator[str]:
    yield ""
    command = [f"$ {line}" if position == 0 else line for position, line in enumerate(proof.command.lines)]
    yield from fenced((*command, *proof.excerpt.lines), "console")


def _fix(fix: Fix, number: int, level: int) -> Iterator[str]:
    yield ""
    head = f"{'#' * level} Fix {number}: {fix.kind.value}, {fix.risk.value} risk."
    yield f"{head} {inline(fix.title.raw)}"
    yield ""
    yield inline(fix.why.raw)
    for position, step in enumerate(fix.steps, 1):
        yield ""
        yield from _step(step, position)
    yield ""
    yield from _item("undo", inline(fix.undo.raw))
    yield from _item("verify", inline(fix.verify.raw))


def _step(step: Step, position: int) -> Iterator[str]:
    first = "Save first: " if step.is_capture else ""
    yield f"{position}. {first}{inline(step.text.raw)}"
    if step.command is None:
        return
    yield ""
    if step.command.is_safe_to_run:
        yield from (f"   {line}" for line in fenced(step.command.lines, step.language))
    else:
        yield "   (the command holds hidden characters and is not offered)"


def _gaps(snapshot: Snapshot) -> Iterator[str]:
    groups = grouped(snapshot.gaps)
    if groups:
        yield ""
        yield "## What could not be seen"
        yield ""
    for group in groups:
        nodes = f" Nodes: {code(group.where)}." if group.where else ""
        remedy = f" To do: {inline(group.remedy)}." if group.remedy else ""
        kind = group.kind.value.replace("_", " ")
        yield f"- {group.count:,}× {kind}: {inline(group.detail)}.{nodes}{remedy} {code(group.command)}"


def _unjudged(snapshot: Snapshot) -> Iterator[str]:
    groups = unjudged_groups(unjudged(snapshot.outcomes.values()), snapshot.nodes)
    waiting = [rule.id for rule in snapshot.rules if rule.id not in snapshot.outcomes]
    if groups or waiting:
        yield ""
        yield "## Rules without a full verdict"
        yield ""
    for group in groups:
        names = ", ".join(f"{rule.id} {code(rule.name)}" for rule in group.rules)
        reasons = "; ".join(map(inline, group.reasons[:REASONS_SHOWN]))
        yield f"- {group.mark.shown()} {group.looked}/{group.total} {names}: {reasons}"
    if waiting:
        yield f"- not reached: {', '.join(waiting)}"
