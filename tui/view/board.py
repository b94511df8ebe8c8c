"""The list: what is wrong, the playbooks with their steps, what was noted, what is not visible."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from playbooks.engine.discovery import Catalogue
from playbooks.engine.ranking import Ranked
from playbooks.engine.report.marks import Mark
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from playbooks.model.rule import Rule
from tui.ink import Ink, Line, Piece, line, piece
from tui.runs import Gone
from tui.view.gaps import count_unseen
from tui.view.marks import glyph, ink_of, marked
from tui.view.merged import is_unseen, keyed
from tui.view.rows import Row, heading
from tui.view.step import NO_RULE, Standing, standing
from tui.view.topic import clock

FINDING, GONE, PLAYBOOK, STEP, GAPS = "finding ", "gone ", "playbook ", "step ", "gaps"
"""How keys of rows begin."""
_SYMPTOMS = 3
_OPEN_UP_TO = 2


@dataclass(frozen=True, slots=True)
class Board:
    """All that the list is made of."""

    catalogue: Catalogue
    """The playbooks."""
    snapshot: Snapshot | None = None
    """All that is known so far."""
    is_running: bool = False
    """Whether anything is under way."""
    gone: Mapping[str, Gone] | None = None
    """Findings that were there."""
    watched: frozenset[str] = frozenset()
    """Keys of findings that are looked at again."""
    folded: frozenset[str] = frozenset()
    """Playbooks whose fold is not the usual one."""
    is_aimed: bool = False
    """Whether a person named what it is about."""
    namespace: str = ""
    """The one namespace that is shown; empty for all."""

    def rows(self) -> Iterator[Row]:
        """Every row, from top to bottom."""
        yield from self._about()
        yield from self._wrong()
        yield from self._playbooks()
        yield from self._unseen()
        yield from self._noted()

    def stands(self, rules: tuple[Rule, ...]) -> Standing:
        """How rules stand."""
        return standing(rules, self.snapshot, is_running=self.is_running)

    def rules_of(self, playbook: str, step: str = "") -> tuple[Rule, ...]:
        """The rules of a playbook, or of one of its steps."""
        return tuple(
            rule for rule in self.catalogue.rules if rule.playbook == playbook and step in ("", rule.step)
        )

    def is_open(self, playbook: str) -> bool:
        """Whether the steps of a playbook are shown."""
        return (len(self.catalogue.playbooks) <= _OPEN_UP_TO) != (playbook in self.folded)

    def _about(self) -> Iterator[Row]:
        if not (self.is_aimed and self.snapshot):
            return
        for at, about in enumerate(self.snapshot.about):
            said = line(piece("about ", Ink.QUIET), piece(about, Ink.BOLD), hang=6)
            yield Row(f"about {at}", said, tall=2, is_heading=True)
        for at, gap in enumerate(self.snapshot.unfound):
            said = line(piece("? ", Ink.UNSEEN), f"{gap.detail}; {gap.remedy}", hang=2)
            yield Row(f"unfound {at}", said, tall=4, is_heading=True)

    def is_shown(self, ranked: Ranked) -> bool:
        """Whether a finding concerns the namespace that is shown; what is of none or Cilium's does."""
        if not self.namespace:
            return True
        found = self.snapshot.installation if self.snapshot else None
        mine = ("", self.namespace, found.namespace if found else "")
        return any(ref.namespace in mine for ref in ranked.finding.subjects) or any(
            map(self.is_shown, ranked.symptoms)
        )

    def _elsewhere(self, key: str, found: tuple[Ranked, ...]) -> Iterator[Row]:
        """How many findings are of other namespaces: what is left out is counted."""
        if hidden := sum(not self.is_shown(one) for one in found):
            said = f"and {hidden} of other namespaces; :ns alone shows all"
            yield Row(f"elsewhere {key}", line(piece(said, Ink.UNSEEN)), tall=2, is_heading=True)

    def _wrong(self) -> Iterator[Row]:
        keys = {id(one): key for key, one in keyed(self.snapshot).items()}
        roots = self.snapshot.roots if self.snapshot else ()
        if roots or self.gone:
            yield heading("heading wrong", "WHAT IS WRONG", _counts(roots))
        else:
            yield heading("heading wrong", "WHAT IS WRONG")
            yield Row("nothing wrong", self._nothing_wrong(), tall=3, is_heading=True)
        for root in filter(self.is_shown, roots):
            yield self._finding(root, keys[id(root)], 0)
            for symptom in root.symptoms[:_SYMPTOMS]:
                yield self._finding(symptom, keys[id(symptom)], 2)
            if (rest := len(root.symptoms) - _SYMPTOMS) > 0:
                more = line(f"and {rest} more that follow from it", ink=Ink.QUIET, indent=2)
                yield Row(f"more {keys[id(root)]}", more, is_heading=True)
        yield from self._elsewhere("wrong", roots)
        for key, gone in (self.gone or {}).items():
            said = line(piece(f"✓ gone {clock(gone.at)} ", Ink.OK), gone.ranked.finding.summary, hang=2)
            yield Row(GONE + key, said, tall=2)

    def _nothing_wrong(self) -> Line:
        snapshot = self.snapshot
        if snapshot is None:
            return line("nothing was asked yet" if not self.is_running else "asking...", ink=Ink.QUIET)
        judged = sum(outcome.is_judged for outcome in snapshot.outcomes.values())
        total = len(snapshot.rules)
        if self.is_running and judged < total:
            return line(f"nothing so far: {judged} of {total} rules", ink=Ink.QUIET)
        if judged == total:
            return line(piece(f"✓ nothing: all {total} rules judged", Ink.OK))
        stopped = ", stopped before the end" if snapshot.is_stopped else ""
        return line(
            piece(
                f"? nothing in what was seen, but {total - judged} of {total} rules could not judge all",
                Ink.UNSEEN,
            ),
            piece(stopped, Ink.UNSEEN),
            hang=2,
        )

    def _finding(self, ranked: Ranked, key: str, indent: int) -> Row:
        found = ranked.finding
        watched: tuple[Piece, ...] = (piece("watched ", Ink.INFO),) if key in self.watched else ()
        if self.snapshot and is_unseen(self.snapshot.outcomes.get(ranked.rule.id)):
            watched = (*watched, piece("? not seen again ", Ink.UNSEEN))
        below = (Piece("└ ", Ink.QUIET),) if indent else ()
        said = line(
            *below, marked(Mark.of(found.severity)), " ", *watched, found.summary, indent=indent, hang=2
        )
        return Row(
            FINDING + key,
            said,
            Piece(ranked.rule.id, Ink.QUIET),
            tall=4 if found.severity > Severity.INFO and not indent else 1,
        )

    def _playbooks(self) -> Iterator[Row]:
        yield heading("heading playbooks", "PLAYBOOKS")
        for playbook in self.catalogue.playbooks:
            stands = self.stands(self.rules_of(playbook.name))
            name = line(glyph(stands.mark), " ", piece(playbook.title, Ink.BOLD))
            if not self.is_open(playbook.name):
                name = name.then(piece(f" +{len(playbook.steps)} steps", Ink.QUIET))
            yield Row(PLAYBOOK + playbook.name, name, _word(stands))
            for step in playbook.steps if self.is_open(playbook.name) else ():
                stands = self.stands(self.rules_of(playbook.name, step.key))
                said = line(glyph(stands.mark), " ", step.question, indent=2)
                yield Row(f"{STEP}{playbook.name} {step.key}", said, _word(stands))

    def _noted(self) -> Iterator[Row]:
        notes = self.snapshot.notes if self.snapshot else ()
        if not notes:
            return
        keys = {id(one): key for key, one in keyed(self.snapshot).items()}
        yield heading("heading noted", "NOTED", "no fault alone")
        for note in filter(self.is_shown, notes):
            yield self._finding(note, keys[id(note)], 0)
        yield from self._elsewhere("noted", notes)

    def _unseen(self) -> Iterator[Row]:
        unseen = count_unseen(self.snapshot)
        if unseen:
            things = "thing" if unseen == 1 else "things"
            yield heading("heading unseen", "NOT VISIBLE")
            yield Row(
                GAPS, line(piece(f"? {unseen:,} {things} not visible", Ink.UNSEEN)), Piece("why", Ink.QUIET)
            )


def _word(stands: Standing) -> Piece:
    ink = Ink.QUIET if stands.word == NO_RULE else ink_of(stands.mark)
    return Piece(stands.word or stands.mark.value, ink)


def _counts(roots: tuple[Ranked, ...]) -> str:
    errors = sum(root.finding.severity is Severity.ERROR for root in roots)
    warnings = len(roots) - errors
    parts = [
        f"{number} {name}{'' if number == 1 else 's'}"
        for number, name in ((errors, "error"), (warnings, "warning"))
        if number
    ]
    return ", ".join(parts)
