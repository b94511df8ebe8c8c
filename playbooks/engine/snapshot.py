"""A run as it stands at one moment: frozen, for screens and reports."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from playbooks.engine.ranking import Ranked
from playbooks.model.answer import Gap
from playbooks.model.cilium.installation import Installation
from playbooks.model.finding import Ref, Severity
from playbooks.model.outcome import Outcome
from playbooks.model.rule import Rule


@dataclass(frozen=True, slots=True)
class Progress:
    """How many requests were asked, answered and failed."""

    asked: int = 0
    answered: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that is known of a run so far."""

    cluster: str
    """The cluster's name, as the person knows it."""
    taken_at: datetime
    """The time in the cluster."""
    installation: Installation | None
    """Where Cilium is, once found."""
    rules: tuple[Rule, ...]
    """The rules of the run."""
    outcomes: Mapping[str, Outcome]
    """By rule id, of the rules that have ended."""
    ranked: tuple[Ranked, ...]
    """Findings as trees."""
    gaps: tuple[Gap, ...]
    """What could not be seen."""
    progress: Progress
    """How far it is."""
    nodes: tuple[str, ...] = ()
    """The nodes that count."""
    sick: tuple[str, ...] = ()
    """Nodes with a symptom."""
    ready: int = 0
    """How many of the nodes have an agent that is ready."""
    about: tuple[str, ...] = ()
    """What was asked about, in words; findings on it come first."""
    unfound: tuple[Gap, ...] = ()
    """What was asked about and is not there."""
    things: frozenset[tuple[str, str]] = frozenset()
    """Namespace and name of what was asked about and what belongs to it."""
    is_over: bool = False
    """Whether the run has ended."""
    is_stopped: bool = False
    """Whether it was stopped before its end."""

    @property
    def roots(self) -> tuple[Ranked, ...]:
        """Findings of WARN or ERROR that nothing explains."""
        return tuple(one for one in self.ranked if one.finding.severity > Severity.INFO)

    @property
    def notes(self) -> tuple[Ranked, ...]:
        """INFO findings that nothing explains."""
        return tuple(one for one in self.ranked if one.finding.severity is Severity.INFO)

    @property
    def is_complete(self) -> bool:
        """Whether every rule judged everything, twice where it wanted to."""
        return self.is_over and all(
            (outcome := self.outcomes.get(rule.id)) is not None
            and outcome.is_judged
            and not outcome.is_one_look
            for rule in self.rules
        )

    @property
    def is_unjudged(self) -> bool:
        """Whether a gap left a rule without a verdict; the missing second look alone does not."""
        return any(
            (outcome := self.outcomes.get(rule.id)) is None or not outcome.is_judged for rule in self.rules
        )

    def is_about(self, ref: Ref) -> bool:
        """Whether a finding's subject was asked about."""
        return (ref.namespace, ref.name) in self.things

    def every(self) -> Iterator[Ranked]:
        """All findings, depth first, in reading order."""
        pending = list(reversed(self.ranked))
        while pending:
            one = pending.pop()
            yield one
            pending.extend(reversed(one.symptoms))
