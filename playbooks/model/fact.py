"""Facts: typed, immutable views of the cluster, and the ways by which each can be known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Generic, Protocol, Self, TypeVar

from playbooks.model.answer import Answer, End, Gap
from playbooks.model.finding import CouldNotLook, Evidence, Sure
from playbooks.model.request import Objects, Request
from playbooks.model.text import Text


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a fact comes from."""

    command: str
    """The command that shows it again."""
    where: str
    """Who answered."""
    taken_at: datetime
    """When it was asked, UTC; a rule's `now`."""
    node: str = ""
    """The node it speaks of; empty for the cluster."""
    way: str = ""
    """The name of the way that answered."""
    is_truncated: bool = False
    """Whether bytes are missing."""
    namespace: str = ""
    """The one namespace that could be read, where the whole cluster could not."""

    @classmethod
    def of(cls, request: Request, end: End) -> Self:
        """The provenance of an answer."""
        namespace = request.namespace if isinstance(request, Objects) else ""
        return cls(end.command, end.where, end.taken_at, request.node, "", end.is_truncated, namespace)


class Scope(StrEnum):
    """What a fact is about."""

    CLUSTER = "cluster"
    NODE = "node"


@dataclass(frozen=True, kw_only=True)
class Fact:
    """Base of every fact: a frozen view with its provenance.

    A subclass sets `ways` (asked in order, the first that answers wins) or overrides `derive` (computed from
    the facts in `needs`, without asking anything).
    """

    provenance: Provenance
    """Where it comes from."""

    scope: ClassVar[Scope] = Scope.CLUSTER
    needs: ClassVar[tuple[type[Fact], ...]] = ()
    ways: ClassVar[tuple[Way, ...]] = ()
    is_view: ClassVar[bool] = False

    @classmethod
    def derive(cls, scene: Scene) -> Self | Gap:
        """Compute the fact from `needs`; only for views (`is_view`)."""
        raise NotImplementedError(cls.__name__)

    def evidence(self, excerpt: str) -> Evidence:
        """Evidence from this fact: its command and the part that proves the point."""
        where = self.provenance
        return Evidence(Text(where.command), Text(excerpt), where.where, where.taken_at, where.way)

    @property
    def taken_at(self) -> datetime:
        """When it was asked, UTC."""
        return self.provenance.taken_at

    @property
    def blind(self) -> Gap | None:
        """Why nothing can be judged by it alone, where it tells only whom to ask; nothing for most facts."""
        return None


F = TypeVar("F", bound=Fact)
"""A kind of fact."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What the person chose that shapes requests."""

    cilium_namespace: str = ""
    """Where Cilium runs, when it cannot be found by label."""
    agent_selector: str = ""
    """Label selector of agent pods, when they are labelled otherwise."""
    agent_container: str = ""
    """Name of the agent's container, when it is named otherwise."""


@dataclass(frozen=True, slots=True)
class Scene:
    """What is known already when a fact is asked for."""

    known: Mapping[type[Fact], Fact | Gap]
    """The facts in `needs` (those of the node, for facts of a node) or their gaps."""
    node: str = ""
    """The node in question; empty for facts of the cluster."""
    choice: Choice = field(default_factory=Choice)
    """What the person chose."""
    now: datetime | None = None
    """The time in the cluster, for views that ask nothing."""

    def get(self, kind: type[F]) -> F | Gap:
        """A needed fact, or its gap."""
        fact = self.known[kind]
        if isinstance(fact, Gap):
            return fact
        if not isinstance(fact, kind):
            raise TypeError(f"{kind.__name__} is not what was known as such")
        return fact


class Unreadable(Exception):
    """An answer that is not what its command prints; becomes the gap *unreadable*."""

    def __init__(self, detail: str, offset: int | None = None) -> None:
        """`offset` is the byte where reading stopped, when known."""
        super().__init__(detail if offset is None else f"{detail} (at byte {offset})")


class Reader(Protocol):
    """Turns chunks into a fact without holding more than it must."""

    def feed(self, chunk: bytes) -> None:
        """Take the next chunk. Raises `Unreadable`."""

    def finish(self, request: Request, end: End) -> Fact | Gap:
        """The fact. Raises `Unreadable`."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to know a fact: a request and a reader of its answer."""

    name: str
    """Short name, shown as the source of evidence, such as `agent JSON`."""
    ask: Callable[[Scene], Request | Gap | Fact]
    """The request in this scene, why it cannot be asked, or the fact where nothing needs to be asked."""
    reader: Callable[[], Reader]
    """Makes a reader for one answer."""


@dataclass(slots=True)
class _Whole:
    """Collects an answer and decodes it at the end."""

    decode: Callable[[Answer], Fact | Gap]
    chunks: list[bytes] = field(default_factory=list)

    def feed(self, chunk: bytes) -> None:
        self.chunks.append(chunk)

    def finish(self, request: Request, end: End) -> Fact | Gap:
        return self.decode(Answer(request, b"".join(self.chunks), end))


def decoding(
    name: str, ask: Callable[[Scene], Request | Gap | Fact], decode: Callable[[Answer], Fact | Gap]
) -> Way:
    """A way whose answer is decoded whole."""
    return Way(name, ask, lambda: _Whole(decode))


# The forms in which a rule asks for facts, besides the fact's own type (of the cluster).


@dataclass(frozen=True, slots=True)
class OnNode(Generic[F]):
    """A fact of one node; the rule is called once per node."""

    node: str
    """The node."""
    fact: F
    """What is known of it."""


@dataclass(frozen=True, slots=True)
class Fleet(Generic[F]):
    """A fact of every node, with the nodes that did not answer."""

    facts: Mapping[str, F]
    """By node, in the order of node names."""
    missing: Mapping[str, Gap]
    """Nodes that were meant to answer and did not, with why."""

    @property
    def total(self) -> int:
        """How many nodes were meant to answer."""
        return len(self.facts) + len(self.missing)

    @property
    def is_complete(self) -> bool:
        """Whether every node answered and nothing was cut."""
        return not self.missing and not any(fact.provenance.is_truncated for fact in self.facts.values())

    def __iter__(self) -> Iterator[tuple[str, F]]:
        """Node and fact, of those that answered."""
        return iter(self.facts.items())

    def if_complete(self) -> Sure:
        """A gate for findings that rest on absence: without full coverage they become *could not look*."""
        if self.is_complete:
            return Sure(None)
        names = ", ".join(sorted(self.missing)[:5]) or "an answer was cut"
        return Sure(CouldNotLook(f"{len(self.facts)} of {self.total} nodes answered; missing: {names}"))


@dataclass(frozen=True, slots=True)
class Change(Generic[F]):
    """A fact in two looks."""

    before: F
    """In the first look."""
    after: F
    """In the second look."""
