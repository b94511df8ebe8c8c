"""The JSON report, `honeyguide.report/1`: its shape as structures; SCHEMA.md is made from them."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

SCHEMA = "honeyguide.report/1"
"""Keys may be added under this name; one that is here never changes its meaning or goes away."""

SeverityWord = Literal["error", "warn", "info"]
OngoingWord = Literal["yes", "no", "unknown"]
KindWord = Literal["mitigation", "cure"]
RiskWord = Literal["low", "medium", "high"]
OutcomeWord = Literal["clean", "findings", "not_applicable", "could_not_look", "crashed", "too_slow"]
GapWord = Literal[
    "forbidden",
    "unreachable",
    "timed_out",
    "not_running",
    "no_agent_by_design",
    "not_found",
    "not_in_this_version",
    "not_recorded",
    "too_large",
    "too_costly",
    "unreadable",
    "failed",
]


class SubjectEntry(msgspec.Struct, frozen=True):
    """What a finding is about."""

    kind: str
    """Kubernetes kind, or Cilium's own (`Endpoint`, `Identity`)."""
    namespace: str | None
    """Its namespace, if it has one."""
    name: str
    """Its name."""
    node: str | None
    """Its node, where it is one of a node."""
    cluster: str | None
    """Its cluster, where there are several."""


class EvidenceEntry(msgspec.Struct, frozen=True):
    """One piece of proof."""

    command: str
    """The command that shows it again."""
    excerpt: str
    """The part of its answer that proves the point; may have several lines."""


class FixEntry(msgspec.Struct, frozen=True):
    """What to do about a finding; mitigations come before cures."""

    title: str
    """What it does."""
    kind: KindWord
    """Whether it stops the bleeding or removes the cause."""
    risk: RiskWord
    """low: changes nothing that works; medium: restarts or opens something; high: interrupts traffic."""
    steps: tuple[str, ...]
    """In order: a sentence, and below it the command, manifest or value, if there is one."""
    undo: str
    """How to go back."""
    verify: str
    """How to see that it worked."""


class FindingEntry(msgspec.Struct, frozen=True):
    """Something that was seen and can be proved."""

    id: str
    """The rule's id; `honeyguide explain ID` tells more."""
    fault: str
    """The fault in words: the name of the rule's module."""
    playbook: str
    """The rule's playbook."""
    severity: SeverityWord
    """`info` never changes the exit code."""
    summary: str
    """One sentence that names the subject."""
    subjects: tuple[SubjectEntry, ...]
    """All of them; the first names the finding."""
    evidence: tuple[EvidenceEntry, ...]
    """Strongest first, ten at most."""
    first_evidence: datetime | None
    """Time of the oldest evidence, where the evidence tells; RFC 3339, UTC."""
    last_evidence: datetime | None
    """Time of the newest evidence, where the evidence tells."""
    ongoing: OngoingWord
    """Whether it is still so."""
    impact: str | None
    """Who is hurt and how."""
    changes: tuple[str, ...]
    """What changed before the first evidence, newest first."""
    owner: str | None
    """Who manages the object and would revert a change by hand."""
    fixes: tuple[FixEntry, ...]
    """What to do."""
    symptoms: tuple[FindingEntry, ...]
    """Findings that this one explains, same shape."""


class OutcomeEntry(msgspec.Struct, frozen=True):
    """What became of a rule."""

    outcome: OutcomeWord
    """How it ended."""
    looked: int
    """Over how many of its subjects it could judge: nodes, or 1 for the cluster."""
    total: int
    """How many there are."""
    why: str | None
    """Why it did not judge all, or why its question does not arise."""


class GapEntry(msgspec.Struct, frozen=True):
    """Something that could not be seen."""

    command: str | None
    """The command that a person would have typed, where there is one."""
    kind: GapWord
    """The class of reason."""
    detail: str
    """One sentence with the verb, resource or offset that matters."""


class Report(msgspec.Struct, frozen=True):
    """One run of `honeyguide check`."""

    schema: str
    """Always `honeyguide.report/1`."""
    cluster: str
    """The cluster's name: the context, or what the recording says."""
    exit: int
    """The exit code of the command."""
    complete: bool
    """Whether every rule judged everything, in two looks where it wanted two."""
    about: tuple[str, ...]
    """What was asked about, in words; findings on it come first."""
    roots: tuple[FindingEntry, ...]
    """Findings of severity `warn` or `error` that nothing explains, most important first."""
    notes: tuple[FindingEntry, ...]
    """Findings of severity `info` that nothing explains."""
    outcomes: dict[str, OutcomeEntry]
    """By rule id, of every rule of the chosen playbooks."""
    gaps: tuple[GapEntry, ...]
    """What could not be seen, each once."""
