"""What became of a rule in a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from playbooks.model.finding import Finding
from playbooks.model.rule import Rule


class OutcomeKind(StrEnum):
    """The six outcomes."""

    CLEAN = "clean"
    FINDINGS = "findings"
    NOT_APPLICABLE = "not_applicable"
    COULD_NOT_LOOK = "could_not_look"
    CRASHED = "crashed"
    TOO_SLOW = "too_slow"


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a rule ended, and over how much it looked."""

    rule: Rule
    """The rule."""
    kind: OutcomeKind
    """How it ended."""
    looked: int = 0
    """Over how many of its subjects (nodes, or 1 for the cluster) it looked."""
    total: int = 0
    """How many there are."""
    why: str = ""
    """One sentence for everything but clean and findings."""
    findings: tuple[Finding, ...] = ()
    """What it found."""
    is_one_look: bool = False
    """Whether all that is missing is a second look: no gap."""
    traceback: str = ""
    """Of a crash, for the journal."""

    @property
    def is_judged(self) -> bool:
        """Whether nothing but a second look is missing."""
        bad = self.kind in (OutcomeKind.COULD_NOT_LOOK, OutcomeKind.CRASHED, OutcomeKind.TOO_SLOW)
        return self.is_one_look or (not bad and self.looked >= self.total)
