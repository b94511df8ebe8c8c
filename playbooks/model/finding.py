"""Findings: what a rule says, what proves it, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import IntEnum, StrEnum

from playbooks.model.condition import Condition
from playbooks.model.text import Text


class Severity(IntEnum):
    """How bad it is; INFO observes and never changes an exit code."""

    INFO = 1
    WARN = 2
    ERROR = 3

    @property
    def word(self) -> str:
        """Spelling in reports and JSON."""
        return self.name.lower()


class Ongoing(StrEnum):
    """Whether the fault is still there."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Risk(StrEnum):
    """What a fix can do to what still works."""

    LOW = "low"
    """Changes nothing that works."""
    MEDIUM = "medium"
    """Restarts or opens something."""
    HIGH = "high"
    """Interrupts traffic."""


class FixKind(StrEnum):
    """Whether a fix stops the bleeding or removes the cause."""

    MITIGATION = "mitigation"
    CURE = "cure"


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A thing that a finding is about."""

    kind: str
    """Kubernetes kind, or Cilium's own (`Endpoint`, `Identity`)."""
    name: str
    """Its name."""
    namespace: str = ""
    """Its namespace, if it has one."""
    node: str = ""
    """The node, where the thing is one of a node."""
    cluster: str = ""
    """The cluster, where there are several."""

    def __str__(self) -> str:
        """Kind and name as a person says it: `Pod kube-system/cilium-abc`."""
        path = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {path}"


@dataclass(frozen=True, slots=True)
class Evidence:
    """One piece of proof that a reader can check without trusting us."""

    command: Text
    """The command that shows it."""
    excerpt: Text
    """The part that proves the point."""
    where: str
    """Who answered."""
    taken_at: datetime
    """When it was asked, UTC."""
    way: str = ""
    """The way by which it was known."""


_MAPPING = re.compile(r"\s*['\"]?[\w./-]+['\"]?:(?:[ \n]|$)")


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a fix: a sentence that begins with a verb, and the exact text to run or apply."""

    text: Text
    """What to do."""
    command: Text | None = None
    """A command, manifest or Helm value to copy."""
    is_capture: bool = False
    """Whether it saves evidence that a later step destroys."""

    @property
    def language(self) -> str:
        """What the text is: `sh` for something to run, `diff` or `yaml` for something to write."""
        head = self.command.raw.lstrip("\n") if self.command else ""
        if head.startswith(("+", "-", "@@")):
            return "diff"
        return "yaml" if _MAPPING.match(head) else "sh"


@dataclass(frozen=True, slots=True)
class Fix:
    """What to do about a finding."""

    title: Text
    """What it does."""
    why: Text
    """Why that helps."""
    kind: FixKind
    """Mitigation or cure."""
    risk: Risk
    """What it can do to what still works."""
    steps: tuple[Step, ...]
    """In order; capture steps first."""
    undo: Text
    """How to go back."""
    verify: Text
    """How to see that it worked."""

    @classmethod
    def mitigation(
        cls, title: str, *, why: str, risk: Risk, steps: Iterable[Step | str], undo: str, verify: str
    ) -> Fix:
        """A fix that stops the bleeding."""
        return _fix(FixKind.MITIGATION, title, why=why, risk=risk, steps=steps, undo=undo, verify=verify)

    @classmethod
    def cure(
        cls,
        title: str,
        *,
        why: str,
        risk: Risk,
        steps: Iterable[Step | str],
        undo: str,
        verify: str,
    ) -> Fix:
        """A fix that removes the cause."""
        return _fix(FixKind.CURE, title, why=why, risk=risk, steps=steps, undo=undo, verify=verify)


def _fix(
    kind: FixKind, title: str, *, why: str, risk: Risk, steps: Iterable[Step | str], undo: str, verify: str
) -> Fix:
    made = tuple(step if isinstance(step, Step) else Step(Text(step)) for step in steps)
    ordered = tuple(sorted(made, key=lambda step: not step.is_capture))
    return Fix(Text(title), Text(why), kind, risk, ordered, Text(undo), Text(verify))


def step(text: str, command: str = "") -> Step:
    """A step with the command that does it."""
    return Step(Text(text), Text(command) if command else None)


def capture(text: str, command: str) -> Step:
    """A step that saves evidence before something is restarted or deleted."""
    return Step(Text(text), Text(command), is_capture=True)


_MANAGERS = ("Helm", "Argo CD", "Flux")
"""Who applies the object again as it was written."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a rule saw and can prove."""

    severity: Severity
    """How bad."""
    subjects: tuple[Ref, ...]
    """What it is about; the first names it."""
    summary: Text
    """One sentence, at most 100 characters, that names the subject."""
    evidence: tuple[Evidence, ...]
    """Proof, strongest first."""
    fixes: tuple[Fix, ...] = ()
    """What to do, mitigations first."""
    asserts: tuple[Condition, ...] = ()
    """Conditions that this finding shows to hold."""
    because_of: tuple[Condition, ...] = ()
    """Conditions that would explain it."""
    stated_cause: str = ""
    """The cause in the evidence's own words (a fatal line, a verifier text), if it states one."""
    alternatives: tuple[Text, ...] = ()
    """Causes that the evidence cannot tell apart, each with what would decide."""
    impact: Text = field(default_factory=lambda: Text(""))
    """Who is hurt and how."""
    first_seen: datetime | None = None
    """First evidence in time, if the evidence tells."""
    last_seen: datetime | None = None
    """Last evidence in time, if the evidence tells."""
    ongoing: Ongoing = Ongoing.UNKNOWN
    """Whether it is still so."""
    changes: tuple[Text, ...] = ()
    """What changed before the first evidence, newest first."""
    owner: Text = field(default_factory=lambda: Text(""))
    """Who manages the object: Helm, Argo CD, Flux, a controller."""
    same_as: str = ""
    """Findings of a rule with the same non-empty key are one finding with many subjects."""

    @property
    def subject(self) -> Ref:
        """The first subject."""
        return self.subjects[0]

    @property
    def owned(self) -> Text:
        """The owner, with what that means for a change; empty for none."""
        undoes = ", which undoes a change made by hand" if self.owner.raw.startswith(_MANAGERS) else ""
        return Text(self.owner.raw + undoes)


def finding(
    severity: Severity,
    subject: Ref | Iterable[Ref],
    summary: str,
    *,
    evidence: Iterable[Evidence],
    fixes: Iterable[Fix] = (),
    asserts: Iterable[Condition] = (),
    because_of: Iterable[Condition] = (),
    stated_cause: str = "",
    alternatives: Iterable[str] = (),
    impact: str = "",
    first_seen: datetime | None = None,
    last_seen: datetime | None = None,
    ongoing: Ongoing = Ongoing.UNKNOWN,
    changes: Iterable[str] = (),
    owner: str = "",
    same_as: str = "",
) -> Finding:
    """Make a finding from plain strings, which may hold anything the cluster said."""
    subjects = (subject,) if isinstance(subject, Ref) else tuple(subject)
    by_kind = sorted(fixes, key=lambda fix: fix.kind is FixKind.CURE)
    return Finding(
        severity,
        subjects,
        Text(_short(summary)),
        tuple(evidence),
        tuple(by_kind),
        tuple(asserts),
        tuple(because_of),
        stated_cause,
        tuple(map(Text, alternatives)),
        Text(impact),
        first_seen,
        last_seen,
        ongoing,
        tuple(map(Text, changes)),
        Text(owner),
        same_as,
    )


def _short(summary: str, limit: int = 100) -> str:
    return summary if len(summary) <= limit else summary[: limit - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class CouldNotLook:
    """What a rule yields where it cannot judge."""

    why: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class NotApplicable:
    """What a rule yields where its question does not arise."""

    why: str
    """One sentence."""


@dataclass(frozen=True, slots=True)
class Sure:
    """A gate in front of findings that rest on absence."""

    doubt: CouldNotLook | None
    """Why it cannot be judged, or nothing."""

    def finding(self, made: Finding) -> Finding | CouldNotLook:
        """The finding, or the doubt."""
        return self.doubt or made


Verdict = Finding | CouldNotLook | NotApplicable
"""What a rule may yield."""


def merged(findings: list[Finding]) -> Finding:
    """Equal findings as one with all their subjects; times span them all."""
    first = findings[0]
    subjects = tuple(dict.fromkeys(ref for found in findings for ref in found.subjects))
    starts = [found.first_seen for found in findings if found.first_seen]
    ends = [found.last_seen for found in findings if found.last_seen]
    more = f" (+{len(subjects) - len(first.subjects)} more)" if len(subjects) > len(first.subjects) else ""
    return replace(
        first,
        subjects=subjects,
        summary=Text(_short(first.summary.raw, 100 - len(more)) + more),
        severity=max(found.severity for found in findings),
        evidence=tuple(dict.fromkeys(proof for found in findings for proof in found.evidence))[:10],
        asserts=tuple(dict.fromkeys(c for found in findings for c in found.asserts)),
        because_of=tuple(dict.fromkeys(c for found in findings for c in found.because_of)),
        first_seen=min(starts, default=None),
        last_seen=max(ends, default=None),
    )
