"""The recorded clusters: real software, healthy and with injected faults, as sources for tests."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from playbooks.model.finding import Finding
from playbooks.sources.journal import JournalSource

CLUSTERS = Path(__file__).parent / "clusters"


class Subject(msgspec.Struct, frozen=True):
    """What a finding is about."""

    kind: str
    namespace: str | None = None
    name: str | None = None
    node: str | None = None

    def covers(self, kind: str, namespace: str, name: str) -> bool:
        """Whether an object is meant: by kind and namespace, and by name or a name that begins with it."""
        if (kind, namespace or None) != (self.kind, self.namespace or None):
            return False
        return not self.name or name == self.name or name.startswith(f"{self.name}-")


class Statement(msgspec.Struct, frozen=True):
    """Something that is true of a recorded cluster."""

    subject: Subject
    what: str


class Truth(msgspec.Struct, frozen=True):
    """What is wrong in a recorded cluster, as stated by who broke it."""

    case: str
    title: str
    what_was_done: str = ""
    injected_at: datetime | None = None
    """When it was broken; logs and counters from before tell of earlier faults."""
    roots: tuple[Statement, ...] = ()
    """The first must be the first finding; the others tell the same cause from another side."""
    allowed: tuple[Statement, ...] = ()
    """Findings that are true in this cluster also when it is healthy."""
    symptoms: tuple[str, ...] = ()
    healthy_noise: tuple[str, ...] = ()


class Symptom(msgspec.Struct, frozen=True):
    """A finding that a rule may report beside the root."""

    fault: str
    """Id of the rule."""
    subject: Subject


def clusters() -> tuple[str, ...]:
    """The names of all recorded clusters."""
    return tuple(sorted(folder.name for folder in CLUSTERS.iterdir() if (folder / "journal").is_dir()))


def source(name: str) -> JournalSource:
    """A recorded cluster, by its name or any unique beginning of it."""
    return JournalSource(_folder(name) / "journal")


def archive_of(name: str) -> Path:
    """The sysdump that was taken of a recorded cluster."""
    return _folder(name) / "sysdump.zip"


def archives() -> tuple[Path, ...]:
    """Every archive that is kept: sysdumps, and what cilium-bugtool wrote."""
    return tuple(sorted((*CLUSTERS.glob("*/sysdump.zip"), *CLUSTERS.glob("*/bugtool.tar.gz"))))


def truth(name: str) -> Truth:
    """What is wrong in a recorded cluster."""
    return msgspec.json.decode((_folder(name) / "truth.json").read_bytes(), type=Truth)


def symptoms(name: str) -> tuple[Symptom, ...]:
    """What rules may report in a recorded cluster beside its root."""
    return msgspec.json.decode((_folder(name) / "symptoms.json").read_bytes(), type=tuple[Symptom, ...])


def _folder(name: str) -> Path:
    found = [known for known in clusters() if known == name] or [
        known for known in clusters() if known.startswith(name)
    ]
    if len(found) != 1:
        raise LookupError(f"{name} names {len(found)} recorded clusters of {', '.join(clusters())}")
    return CLUSTERS / found[0]


def is_true(name: str, rule: str, finding: Finding) -> bool:
    """Whether the truth of a recorded cluster names or allows what a finding is about."""
    known = truth(name)
    stated = [statement.subject for statement in (*known.roots, *known.allowed)]
    stated += [symptom.subject for symptom in symptoms(name) if symptom.fault == rule]
    return all(
        any(subject.covers(ref.kind, ref.namespace, ref.name) for subject in stated)
        for ref in finding.subjects
    )
