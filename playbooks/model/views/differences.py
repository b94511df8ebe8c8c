"""Differences between three sides of one thing: what is missing, what is too much, what is out of date."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from playbooks.model.answer import Gap, GapKind
from playbooks.model.fact import Fact, Provenance

K = TypeVar("K", bound=Hashable)


class Side(StrEnum):
    """Who holds something."""

    KUBERNETES = "Kubernetes"
    PUBLISHED = "CiliumEndpoint"
    AGENT = "the agent"
    MAP = "the map"


class Kind(StrEnum):
    """How a side differs from the one that it follows."""

    MISSING = "missing"
    EXTRA = "extra"
    STALE = "stale"


@dataclass(frozen=True, slots=True, order=True)
class Difference:
    """One difference. Equal ones in two looks are the same difference that lasts."""

    subject: str
    """What it is about: a frontend, an endpoint, a prefix."""
    side: Side
    """The side that is wrong."""
    against: Side
    """The side that it should follow."""
    kind: Kind
    """How it differs."""
    detail: str
    """What exactly: a backend, an entry, both values."""
    namespace: str = ""
    """Of the pod or service that it is about; empty for none, or where nobody tells."""
    name: str = ""
    """Of the pod or service that it is about; empty for none, or where nobody tells."""

    @property
    def said(self) -> str:
        """In one line."""
        what = f"{self.subject}: {self.detail}" if self.detail else self.subject
        return f"{what} is {self.kind} in {self.side}, unlike {self.against}"


def lasting(before: Iterable[Difference], after: Iterable[Difference]) -> tuple[Difference, ...]:
    """What differs in both looks, and so is no change under way."""
    return tuple(sorted({*before} & {*after}))


def compared(follower: Mapping[K, str], leader: Mapping[K, str]) -> Iterator[tuple[K, Kind, str]]:
    """Where a side differs from the one that it follows; an empty value agrees with all."""
    for key in {**leader, **follower}:
        if key not in follower:
            yield key, Kind.MISSING, leader[key]
        elif key not in leader:
            yield key, Kind.EXTRA, follower[key]
        elif follower[key] and leader[key] and follower[key] != leader[key]:
            yield key, Kind.STALE, f"{follower[key]} instead of {leader[key]}"


def sides(*facts: Fact | Gap) -> Gap | Provenance:
    """Where a view comes from; a gap where a side is not known, or cut, so that absence proves nothing."""
    for fact in facts:
        if isinstance(fact, Gap):
            return fact
    known = [fact for fact in facts if isinstance(fact, Fact)]
    cut = next((fact for fact in known if fact.provenance.is_truncated), None)
    if cut is not None:
        what = f"the answer to `{cut.provenance.command}` was cut: what it lacks may be there"
        return Gap(GapKind.TOO_LARGE, what, cut.provenance.command, node=cut.provenance.node)
    last = known[-1].provenance
    commands = dict.fromkeys(fact.provenance.command for fact in known)
    node = next((fact.provenance.node for fact in known if fact.provenance.node), "")
    return replace(
        last,
        command="\n".join(commands),
        way="comparison",
        node=node,
        taken_at=min(f.taken_at for f in known),
    )
