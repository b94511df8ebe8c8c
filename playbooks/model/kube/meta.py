"""What every Kubernetes object carries, and how lists of them are read page by page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Generic, TypeVar

import msgspec

from playbooks.model.answer import End, Gap
from playbooks.model.fact import Fact, Provenance, Scene, Unreadable, Way
from playbooks.model.request import Objects, Request, Resource


class Object(msgspec.Struct, frozen=True, rename="camel", gc=False):
    """Base of decoded Kubernetes structures: camelCase on the wire, unknown fields ignored.

    What is decoded holds no cycles; the collector looking for them anyway takes twice as long as decoding.
    """


class Owner(Object, frozen=True):
    """The controller of an object."""

    kind: str = ""
    name: str = ""


class ManagedFields(Object, frozen=True):
    """Who wrote fields of an object, and when."""

    manager: str = ""
    operation: str = ""
    time: datetime | None = None
    subresource: str = ""


class Meta(Object, frozen=True):
    """Metadata of an object."""

    name: str = ""
    namespace: str = ""
    uid: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    resource_version: str = ""
    generation: int = 0
    owner_references: tuple[Owner, ...] | None = None
    managed_fields: tuple[ManagedFields, ...] | None = None

    def label(self, key: str) -> str:
        """A label's value, empty when there is none."""
        return (self.labels or {}).get(key, "")

    def has_labels(self, wanted: dict[str, str]) -> bool:
        """Whether all these labels are there."""
        labels = self.labels or {}
        return all(labels.get(key) == value for key, value in wanted.items())

    @property
    def controller(self) -> Owner | None:
        """The first owner, if any."""
        return (self.owner_references or (None,))[0]

    @property
    def last_change(self) -> ManagedFields | None:
        """The newest write that managedFields remembers."""
        dated = [entry for entry in self.managed_fields or () if entry.time]
        return max(dated, key=lambda entry: entry.time or datetime.min.replace(tzinfo=UTC), default=None)

    @property
    def managed_by(self) -> str:
        """Who would revert a change by hand: Helm, Argo CD, Flux; empty when no mark is there."""
        labels, annotations = self.labels or {}, self.annotations or {}
        if any(key.startswith("argocd.argoproj.io/") for key in [*labels, *annotations]):
            return "Argo CD"
        if any("fluxcd.io/" in key for key in [*labels, *annotations]):
            return "Flux"
        if self.label("app.kubernetes.io/managed-by") == "Helm":
            release = annotations.get("meta.helm.sh/release-name", "")
            return f"Helm release {release}" if release else "Helm"
        return ""


class KubeCondition(Object, frozen=True):
    """A condition in an object's status."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


T = TypeVar("T", bound=Object)


class _Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list, or one object under `items`' absence."""

    kind: str = ""
    items: tuple[T, ...] | None = None


class _Kind(msgspec.Struct, frozen=True):
    kind: str = ""


@dataclass(slots=True)
class Pages(Generic[T]):
    """Reads a list page by page, or one object, holding only decoded items and one unfinished line."""

    item: type[T]
    make: Callable[[Provenance, tuple[T, ...]], Fact]
    items: list[T] = field(default_factory=list)
    rest: bytes = b""
    offset: int = 0
    documents: int = 0

    def feed(self, chunk: bytes) -> None:
        """Take a chunk; every full line is a document."""
        *lines, self.rest = (self.rest + chunk).split(b"\n")
        for line in lines:
            self._take(line)

    def finish(self, request: Request, end: End) -> Fact | Gap:
        """The fact of all pages."""
        self._take(self.rest)
        if not self.documents:
            # A list without objects is a document too; no document at all says nothing of what there is.
            raise Unreadable("the answer is empty")
        if isinstance(request, Objects) and request.name and not self.items:
            raise Unreadable(f"no {request.resource.kind} in the answer")
        return self.make(Provenance.of(request, end), tuple(self.items))

    def _take(self, line: bytes) -> None:
        if line.strip():
            try:
                self._take_document(line)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise Unreadable(f"not a list of {self.item.__name__}: {error}", self.offset) from error
        self.offset += len(line) + 1

    def _take_document(self, line: bytes) -> None:
        self.documents += 1
        if msgspec.json.decode(line, type=_Kind).kind.endswith("List"):
            self.items += msgspec.json.decode(line, type=_Page[self.item]).items or ()  # type: ignore[name-defined]
        else:
            self.items.append(msgspec.json.decode(line, type=self.item))


def listing(
    name: str,
    ask: Callable[[Scene], Request | Gap],
    item: type[T],
    make: Callable[[Provenance, tuple[T, ...]], Fact],
) -> Way:
    """A way that reads a list of objects, or one object by name."""
    return Way(name, ask, lambda: Pages(item, make))


def objects(name: str, resource: Resource, item: type[T], fact: Callable[..., Fact]) -> Way:
    """A way that lists all objects of a kind into a fact with `items`."""
    return listing(
        name,
        lambda scene: Objects(resource),
        item,
        lambda provenance, items: fact(provenance=provenance, items=items),
    )
