"""The report as plain text: what is wrong, where, since when, who is hurt, what to do."""

from __future__ import annotations

from collections.abc import Iterator

from playbooks.engine.report.exits import Exit
from playbooks.engine.report.finding_lines import note_lines, root_lines
from playbooks.engine.report.line import Line, Tone
from playbooks.engine.report.marks import Mark, plain
from playbooks.engine.report.verdict import counted, unjudged, verdicts
from playbooks.engine.report.words import GapGroup, Unjudged, grouped, moment, unjudged_groups
from playbooks.engine.snapshot import Snapshot
from playbooks.model.text import Text

REASONS_SHOWN = 2
"""How many reasons of one group are shown; JSON has them all."""


def as_text(snapshot: Snapshot, exit: Exit, *, is_ascii: bool = False) -> str:
    """The report as plain text, without any colour."""
    return "".join(f"{line.text}\n" for line in as_lines(snapshot, exit, is_ascii=is_ascii))


def as_lines(snapshot: Snapshot, exit: Exit, *, is_ascii: bool = False) -> Iterator[Line]:
    """The report line by line, each with its tone."""
    for line in _every(snapshot, exit):
        yield Line(plain(line.text), line.tone) if is_ascii else line


def _every(snapshot: Snapshot, exit: Exit) -> Iterator[Line]:
    yield from _head(snapshot)
    for root in snapshot.roots:
        yield Line()
        yield from root_lines(root)
    if snapshot.notes:
        yield Line()
        yield Line("Also true, and no fault by itself", Tone.TITLE)
        for note in snapshot.notes:
            yield from note_lines(note)
    yield from _gaps(snapshot)
    yield from _unjudged(snapshot)
    yield Line()
    yield Line(_last(snapshot, exit), Tone.TITLE)


def _head(snapshot: Snapshot) -> Iterator[Line]:
    yield Line(cluster_line(snapshot), Tone.TITLE)
    if snapshot.is_stopped:
        yield Line("Stopped before the end: this is what was seen until then.", Tone.WARN)
    for about in snapshot.about:
        yield Line(f"about {Text(about).shown}: findings on it come first")
    for gap in snapshot.unfound:
        yield Line(f"{Text(gap.detail).shown}; {Text(gap.remedy).shown}", Tone.UNSEEN)
    for one in verdicts(snapshot):
        text = f"{one.mark.shown():<17} {one.playbook:<14} {one.sentence}"
        yield Line(text, Tone.of(one.mark))


def cluster_line(snapshot: Snapshot) -> str:
    """Which cluster, with which Cilium, how much of it, and when."""
    parts = [Text(snapshot.cluster).shown or "unnamed cluster"]
    found = snapshot.installation
    if found:
        version = Text(found.version).shown or "of unknown version"
        parts.append(f"Cilium {version} in namespace {Text(found.namespace).shown}")
    else:
        parts.append("no Cilium found")
    if snapshot.nodes:
        parts.append(counted(len(snapshot.nodes), "node"))
    progress = snapshot.progress
    failed = f", {progress.failed:,} without an answer" if progress.failed else ""
    parts.append(f"{counted(progress.asked, 'question')} asked{failed}")
    return " · ".join([*parts, moment(snapshot.taken_at)])


def _gaps(snapshot: Snapshot) -> Iterator[Line]:
    groups = grouped(snapshot.gaps)
    if not groups:
        return
    yield Line()
    yield Line(f"What could not be seen ({counted(len(snapshot.gaps), 'thing')})", Tone.TITLE)
    for group in groups:
        yield from (line.indented(2) for line in _gap(group))


def _gap(group: GapGroup) -> Iterator[Line]:
    kind = group.kind.value.replace("_", " ")
    number = f" ({group.count:,} times)" if group.count > 1 else ""
    yield Line(f"{Mark.NOT_CHECKED.glyph} {kind}{number}: {group.detail}", Tone.UNSEEN)
    if group.where:
        yield Line(f"  nodes    {group.where}")
    if group.remedy:
        yield Line(f"  to do    {group.remedy}")
    for line in group.command.splitlines():
        yield Line(f"  $ {line}", Tone.COMMAND)


def _unjudged(snapshot: Snapshot) -> Iterator[Line]:
    groups = unjudged_groups(unjudged(snapshot.outcomes.values()), snapshot.nodes)
    waiting = [rule.id for rule in snapshot.rules if rule.id not in snapshot.outcomes]
    if not groups and not waiting:
        return
    yield Line()
    yield Line("Rules without a full verdict", Tone.TITLE)
    for group in groups:
        yield from (line.indented(2) for line in _group(group))
    if waiting:
        yield Line(f"  not reached: {', '.join(waiting)}", Tone.UNSEEN)


def _group(group: Unjudged) -> Iterator[Line]:
    rules = group.rules
    names = f"{rules[0].id} {rules[0].name}" if len(rules) == 1 else ", ".join(rule.id for rule in rules)
    yield Line(f"{group.mark.shown()}  {group.looked}/{group.total}  {names}", Tone.of(group.mark))
    for reason in group.reasons[:REASONS_SHOWN]:
        yield Line(f"    {reason}")
    if (rest := len(group.reasons) - REASONS_SHOWN) > 0:
        yield Line(f"    and {counted(rest, 'other reason')}", Tone.QUIET)


def _last(snapshot: Snapshot, exit: Exit) -> str:
    every = len(tuple(snapshot.every()))
    roots, notes = len(snapshot.roots), len(snapshot.notes)
    below = every - roots - notes
    if not every:
        found = (
            "Nothing wrong was found" if exit is Exit.CLEAN else "Nothing wrong was found in what was seen"
        )
    else:
        parts = [counted(roots, "root cause")]
        parts += [counted(below, "symptom")] if below else []
        parts += [counted(notes, "note")] if notes else []
        found = ", ".join(parts)
    return f"{found}; exit code {exit.value}: {MEANINGS[exit]}"


MEANINGS = {
    Exit.CLEAN: "all was judged, no fault",
    Exit.FINDINGS: "something is wrong",
    Exit.USAGE: "wrong command line",
    Exit.CANNOT_CONNECT: "cannot connect",
    Exit.UNJUDGED: "not everything could be judged",
    Exit.BROKEN: "an error in honeyguide itself",
    Exit.HUNG_UP: "the terminal is gone",
    Exit.INTERRUPTED: "interrupted",
    Exit.TERMINATED: "terminated",
}
"""What an exit code says, in a few words."""
