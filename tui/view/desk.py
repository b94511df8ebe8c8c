"""Makes the topic of a row: everything the panes need, loaded once the engine is there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from playbooks.engine.ranking import Ranked
from playbooks.engine.snapshot import Snapshot
from tui.ink import Ink, line
from tui.view.board import FINDING, GAPS, GONE, PLAYBOOK, STEP, Board
from tui.view.finding import FindingTopic, Watching
from tui.view.gaps import GapsTopic
from tui.view.merged import is_unseen, keyed
from tui.view.step import PlaybookTopic, StepTopic
from tui.view.topic import Nothing, Topic


@dataclass(frozen=True, slots=True)
class Desk:
    """A board, and the topics behind its rows."""

    board: Board
    """What the list is made of."""

    def topic(self, key: str) -> Topic:
        """The topic of a row; `Nothing` when the row is no longer there."""
        if key.startswith(FINDING):
            return self._finding(key) or _NOT_THERE
        if key.startswith(GONE):
            return self._gone(key) or _NOT_THERE
        if key.startswith(STEP):
            return self._step(key) or _NOT_THERE
        if key.startswith(PLAYBOOK):
            return self._playbook(key) or _NOT_THERE
        if key == GAPS and self.board.snapshot:
            return GapsTopic(key, self.board.snapshot)
        return _NOT_THERE

    def first_root(self) -> str:
        """The key of the first thing that is wrong; empty when nothing is."""
        roots = self.board.snapshot.roots if self.board.snapshot else ()
        return next(
            (FINDING + key for key, one in keyed(self.board.snapshot).items() if roots and one is roots[0]),
            "",
        )

    def _finding(self, key: str) -> Topic | None:
        name = key.removeprefix(FINDING)
        ranked = keyed(self.board.snapshot).get(name)
        if ranked is None:
            gone = (self.board.gone or {}).get(name)
            return self._gone(GONE + name) if gone else None
        snapshot = self.board.snapshot
        now = snapshot.taken_at if snapshot else datetime.now(UTC)
        outcome = snapshot.outcomes.get(ranked.rule.id) if snapshot else None
        doubt = outcome.why if outcome and is_unseen(outcome) else ""
        watching = Watching(name in self.board.watched, now, None, doubt)
        return FindingTopic(key, ranked, now, watching, _cause_of(ranked, snapshot))

    def _gone(self, key: str) -> Topic | None:
        gone = (self.board.gone or {}).get(key.removeprefix(GONE))
        return FindingTopic(key, gone.ranked, gone.at, Watching(gone=gone.at)) if gone else None

    def _playbook(self, key: str) -> Topic | None:
        playbook = self.board.catalogue.playbook(key.removeprefix(PLAYBOOK))
        if playbook is None:
            return None
        rules = self.board.rules_of(playbook.name)
        return PlaybookTopic(key, playbook, rules, self.board.snapshot, self.board.stands(rules))

    def _step(self, key: str) -> Topic | None:
        name, _, step_key = key.removeprefix(STEP).partition(" ")
        playbook = self.board.catalogue.playbook(name)
        step = next((one for one in playbook.steps if one.key == step_key), None) if playbook else None
        if playbook is None or step is None:
            return None
        rules = self.board.rules_of(name, step_key)
        return StepTopic(key, playbook, rules, self.board.snapshot, self.board.stands(rules), step)


_NOT_THERE = Nothing(line("Select a row on the left to see what is behind it.", ink=Ink.QUIET))


def _cause_of(ranked: Ranked, snapshot: Snapshot | None) -> Ranked | None:
    for one in snapshot.every() if snapshot else ():
        if any(symptom is ranked for symptom in one.symptoms):
            return one
    return None
