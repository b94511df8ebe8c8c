"""The background of findings: what changed before them, and who manages what they are about.

Only what the run has read anyway is used: a change in an object that no rule asked for is not told.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from operator import itemgetter

from playbooks.model.changes.changes import told_by
from playbooks.model.changes.record import ChangeKind, ChangeRecord
from playbooks.model.cilium.config import CiliumConfig
from playbooks.model.fact import Fact
from playbooks.model.finding import Finding, Ref, Severity
from playbooks.model.kube.meta import Meta
from playbooks.model.kube.pods import Pods
from playbooks.model.text import Text

LIMIT = 5
"""Changes that a finding tells at most."""
_SUBJECTS = 5
_SHORTLY = timedelta(minutes=30)
"""What changed elsewhere than in the subject may have to do with it if it was this long before, at most."""
_BIRTHS = frozenset({ChangeKind.CREATED, ChangeKind.JOINED, ChangeKind.STARTED})
_LONG = timedelta(days=1)
"""What was there for longer had time to show that it works: how it began explains nothing."""
_POLICIES = frozenset({"NetworkPolicy", "CiliumNetworkPolicy", "CiliumClusterwideNetworkPolicy"})

Thing = tuple[str, str, str]
"""Kind, namespace, name: a subject may name its node too, which its object does not."""


@dataclass(frozen=True, slots=True)
class Background:
    """What the objects of a run tell of their past and of who manages them."""

    records: Mapping[Thing, tuple[ChangeRecord, ...]]
    """Changes of known time, by thing."""
    owners: Mapping[Thing, str]
    """Who would undo a change that is made by hand."""
    config: Ref | None
    """Cilium's ConfigMap."""
    dated: tuple[tuple[datetime, ChangeRecord], ...]
    """All changes, the oldest first."""

    @classmethod
    def of(cls, facts: Iterable[Fact]) -> Background:
        """Collect it from facts that are there."""
        records: dict[Thing, list[ChangeRecord]] = defaultdict(list)
        owners: dict[Thing, str] = {}
        config: Ref | None = None
        for fact in facts:
            for record in told_by(fact):
                if record.when:
                    records[_thing(record.what)].append(record)
            owners.update(_owners(fact))
            if isinstance(fact, CiliumConfig):
                config = fact.ref
        by_thing = {thing: tuple(found) for thing, found in records.items()}
        every = ((one.when, one) for found in by_thing.values() for one in found if one.when)
        return cls(by_thing, owners, config, tuple(sorted(every, key=itemgetter(0))))

    def behind(self, finding: Finding, now: datetime) -> Finding:
        """The finding with what came before it; what its rule says itself stays and comes first."""
        if finding.severity is Severity.INFO:
            return finding
        told = tuple(change.raw for change in finding.changes)
        room = max(0, LIMIT - len(told))
        known = {text.partition(" ")[0] for text in told}
        added = [text for text in self._before(finding, now) if text.partition(" ")[0] not in known][:room]
        owner = finding.owner if finding.owner.raw else Text(self._owner(finding.subject))
        return replace(finding, changes=(*finding.changes, *map(Text, added)), owner=owner)

    def _before(self, finding: Finding, now: datetime) -> list[str]:
        end = finding.first_seen or now
        found = {
            record
            for subject in finding.subjects[:_SUBJECTS]
            for record in self.records.get(_thing(subject), ())
            if record.when and record.when <= end and not _is_old_birth(record, end)
        }
        if finding.first_seen:
            found |= set(self._shortly_before(finding, end))
        dated = sorted(((record.when, record) for record in found if record.when), key=_newest_first)
        return [_told(when, record) for when, record in dated]

    def _shortly_before(self, finding: Finding, end: datetime) -> Iterator[ChangeRecord]:
        nodes = {subject.node for subject in finding.subjects if subject.node}
        namespaces = {subject.namespace for subject in finding.subjects} - {""}
        begin = bisect_left(self.dated, end - _SHORTLY, key=itemgetter(0))
        for _, record in self.dated[begin : bisect_right(self.dated, end, key=itemgetter(0))]:
            if self._matters(record.what, nodes, namespaces):
                yield record

    def _matters(self, what: Ref, nodes: set[str], namespaces: set[str]) -> bool:
        """Whether a thing has a say in what happens to these nodes and namespaces."""
        if what.kind in _POLICIES:
            return not what.namespace or what.namespace in namespaces
        if what.kind == "Pod":
            return what.node in nodes
        of_cilium = self.config.namespace if self.config else ""
        return what == self.config or (
            what.kind in ("DaemonSet", "Deployment") and what.namespace == of_cilium
        )

    def _owner(self, subject: Ref) -> str:
        # An endpoint has the name of its pod.
        kind = "Pod" if subject.kind in ("Endpoint", "CiliumEndpoint") else subject.kind
        return self.owners.get((kind, subject.namespace, subject.name), "")


def _thing(ref: Ref) -> Thing:
    return ref.kind, ref.namespace, ref.name


def _is_old_birth(record: ChangeRecord, end: datetime) -> bool:
    return record.kind in _BIRTHS and record.when is not None and end - record.when > _LONG


def _owners(fact: Fact) -> Iterator[tuple[Thing, str]]:
    if isinstance(fact, CiliumConfig):
        yield _thing(fact.ref), fact.metadata.managed_by
    for item in getattr(fact, "items", ()):
        ref, meta = getattr(item, "ref", None), getattr(item, "metadata", None)
        if isinstance(ref, Ref) and isinstance(meta, Meta):
            above = meta.controller if isinstance(fact, Pods) else None
            owner = meta.managed_by or (f"{above.kind} {above.name}" if above else "")
            if owner:
                yield _thing(ref), owner


def _newest_first(dated: tuple[datetime, ChangeRecord]) -> tuple[float, str]:
    return -dated[0].timestamp(), dated[1].words


def _told(when: datetime, record: ChangeRecord) -> str:
    who = f" by {record.who}" if record.who else ""
    return f"{when:%Y-%m-%dT%H:%M:%SZ} {record.words}{who}"
