"""A finding as its panes show it: what is wrong, where, since when, who is hurt, what to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from playbooks.engine.ranking import Ranked
from playbooks.engine.report.markdown import finding_markdown
from playbooks.engine.report.marks import Mark
from playbooks.engine.report.words import is_unproven, moment, subjects
from playbooks.model.finding import Evidence, Finding, Ongoing
from playbooks.model.rule import Rule
from tui.ink import BLANK, Ink, Line, Piece, line, lines, piece
from tui.view.fixes import fix_copies, fix_lines, fix_title
from tui.view.marks import ink_of, marked
from tui.view.topic import Copy, Exhibit, ago, brief, clock, command_copy, command_lines, labelled, short

_SYMPTOMS = 10
_STAMP = re.compile(r'(?:time="?)?\d{4}-\d\d-\d\dT[\d:.]+Z?"?\s+')
"""The time at the head of a log line, which leaves no room for what it says."""
_EXCERPT = 12
_ONGOING = {Ongoing.YES: "still so", Ongoing.NO: "over", Ongoing.UNKNOWN: "unknown whether still so"}


@dataclass(frozen=True, slots=True)
class Watching:
    """Whether a finding is looked at again, and whether it went."""

    is_on: bool = False
    """Whether it is looked at again and again."""
    last: datetime | None = None
    """When it was last looked at."""
    gone: datetime | None = None
    """When it was first seen to be gone."""
    doubt: str = ""
    """Why the last look saw nothing, if it did not."""


@dataclass(frozen=True, slots=True)
class FindingTopic:
    """A finding that is selected."""

    key: str
    """The key of its row."""
    ranked: Ranked
    """The finding in its place."""
    now: datetime
    """The time in the cluster."""
    watching: Watching = Watching()
    """Whether it is looked at again."""
    cause: Ranked | None = None
    """The finding that explains it, if one does."""

    @property
    def finding(self) -> Finding:
        """What was found."""
        return self.ranked.finding

    @property
    def mark(self) -> Mark:
        """How bad."""
        return Mark.of(self.finding.severity)

    @property
    def thread(self) -> Line:
        """Severity, id, summary."""
        if self.watching.gone:
            gone = piece(f"✓ gone {clock(self.watching.gone)} UTC ", Ink.OK)
            return line(gone, self.finding.summary)
        return line(marked(self.mark), f" {self.ranked.rule.id} ", piece(self.finding.summary, Ink.BOLD))

    @property
    def below(self) -> Line:
        """The first fix's title."""
        fixes = self.finding.fixes
        return fix_title(fixes[0], 1, len(fixes)) if fixes else line("no fix is known", ink=Ink.QUIET)

    @property
    def head(self) -> tuple[Line, ...]:
        """What is wrong, where, since when, who is hurt."""
        return tuple(self._head())

    @property
    def rest(self) -> tuple[Line, ...]:
        """What proves it, what follows from it, why it is a fault."""
        return (*_proofs(self.finding.evidence), *self._symptoms(), *_manual(self.ranked.rule))

    @property
    def fixes(self) -> tuple[Line, ...]:
        """The fixes, mitigations first."""
        return tuple(fix_lines(self.finding))

    @property
    def rules(self) -> tuple[Rule, ...]:
        """Its rule."""
        return (self.ranked.rule,)

    @property
    def nodes(self) -> tuple[str, ...]:
        """Nodes of its subjects."""
        named = (ref.node or (ref.name if ref.kind == "Node" else "") for ref in self.finding.subjects)
        return tuple(dict.fromkeys(name for name in named if name))

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """Its own evidence: what else its rule looked at proves nothing."""
        numbered = enumerate(self.finding.evidence)
        return tuple(one for number, proof in numbered for one in _exhibits(proof, number))

    def copies(self) -> tuple[Copy, ...]:
        """The first command of each fix, the finding for a ticket, the evidence's commands."""
        markdown = Copy("the finding, as Markdown", finding_markdown(self.ranked))
        evidence = (
            command_copy(f"evidence {number}: its command", proof.command)
            for number, proof in enumerate(self.finding.evidence, 1)
        )
        return (*fix_copies(self.finding), markdown, *evidence)

    def _head(self) -> Iterator[Line]:
        found, rule = self.finding, self.ranked.rule
        yield from self._state()
        yield line(marked(self.mark), f"  {rule.id}", *([_UNPROVEN] if is_unproven(rule) else []))
        yield line(piece(found.summary, Ink.BOLD))
        yield BLANK
        yield from labelled("where", *subjects(found))
        yield from labelled("since", since(found, self.now))
        yield from labelled("hurt", found.impact)
        if self.cause:
            yield from labelled(
                "because", piece(self.cause.finding.summary, ink_of(Mark.of(self.cause.finding.severity)))
            )
        yield from labelled("also by", ", ".join(self.ranked.also_because_of))
        yield from labelled("changed", *found.changes)
        yield from labelled("owner", found.owned)
        if found.alternatives:
            yield BLANK
            yield line("Cannot be told apart from", ink=Ink.TITLE)
            yield from (line("• ", cause, hang=2) for cause in found.alternatives)

    def _state(self) -> Iterator[Line]:
        watching = self.watching
        if watching.gone:
            yield line(piece(f"✓ gone, first seen gone at {moment(watching.gone)}", Ink.OK))
            yield line("What was seen before is kept below.", ink=Ink.QUIET)
            yield BLANK
        if watching.doubt:
            yield line(piece("? the last look saw nothing of this: ", Ink.UNSEEN), short(watching.doubt))
            yield line("What was seen before is kept below; it is not known to be gone.", ink=Ink.QUIET)
            yield BLANK
        if watching.is_on:
            last = f"; last look {clock(watching.last)} UTC" if watching.last else ""
            yield line(piece(f"watched until it is gone{last}; x stops", Ink.INFO))
            yield BLANK

    def _symptoms(self) -> Iterator[Line]:
        symptoms = self.ranked.symptoms
        if not symptoms:
            return
        yield BLANK
        yield line("What follows from it", ink=Ink.TITLE)
        for symptom in symptoms[:_SYMPTOMS]:
            yield line(marked(Mark.of(symptom.finding.severity)), " ", symptom.finding.summary, hang=2)
            yield from (one.at(2, 9) for one in labelled("where", *subjects(symptom.finding)))
        if len(symptoms) > _SYMPTOMS:
            yield line(f"{_SYMPTOMS} of {len(symptoms)} shown", ink=Ink.QUIET)


_UNPROVEN = Piece("  unproven: no recording of a real fault behind it", Ink.UNSEEN)


def since(found: Finding, now: datetime) -> str:
    """From when to when the evidence speaks, how long that is, and whether it is still so."""
    still = _ONGOING[found.ongoing]
    if found.first_seen is None:
        return "" if found.ongoing is Ongoing.UNKNOWN else still
    text = f"{moment(found.first_seen)} ({ago((now - found.first_seen).total_seconds())} ago)"
    if found.last_seen and found.last_seen != found.first_seen and found.ongoing is not Ongoing.YES:
        text += f" to {moment(found.last_seen)}"
    return f"{text}, {still}"


def _exhibits(proof: Evidence, number: int) -> Iterator[Exhibit]:
    """One for each command: what compares two answers is read from both."""
    first = next((shown for shown in proof.excerpt.lines if shown.strip()), "")
    at = piece(f"{clock(proof.taken_at)} ", Ink.QUIET)
    for position, command in enumerate(proof.command.raw.split("\n")):
        said = (
            piece(brief(command), Ink.COMMAND)
            if position
            else piece(_STAMP.sub("", first.strip()), Ink.PROOF)
        )
        yield Exhibit(f"{number} {command}", line(at, said), command, proof.excerpt.raw)


def _proofs(evidence: tuple[Evidence, ...]) -> Iterator[Line]:
    yield line("What proves it", ink=Ink.TITLE)
    for proof in evidence:
        way = f" by {proof.way}" if proof.way else ""
        yield line(piece(f"{moment(proof.taken_at)} {proof.where}{way}", Ink.QUIET), hang=2)
        yield from command_lines(proof.command, 2)
        shown = [one for one in lines(proof.excerpt, Ink.PROOF, indent=4, hang=2) if one.text.strip()]
        yield from shown[:_EXCERPT]
        if len(shown) > _EXCERPT:
            yield line(f"{_EXCERPT} of {len(shown)} lines shown", ink=Ink.QUIET, indent=4)


def _manual(rule: Rule) -> Iterator[Line]:
    yield BLANK
    yield line("Why this is a fault", ink=Ink.TITLE)
    yield line(f"{rule.title} ", piece(f"({rule.id} {rule.name})", Ink.QUIET))
    for paragraph in rule.why.split("\n\n"):
        if paragraph.strip():
            yield line(" ".join(paragraph.split()))
