"""Where objects are kept: the part of an API server that remembers."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from playbooks.practice.catalog import BUILT_IN, CRDS, Kind, kind_of
from playbooks.practice.objects import Json, name_of, namespace_of

KEPT_CHANGES = 20_000
"""How many changes a watch can go back."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to one object."""

    version: int
    """The resource version it made."""
    kind: Kind
    """The object's kind."""
    type: str
    """`ADDED`, `MODIFIED` or `DELETED`."""
    item: Json
    """The object after it (before it, when deleted)."""
    before: Json | None
    """The object before it."""


class Store:
    """Objects by kind, namespace and name.

    Stored objects are shared with every reader: nobody changes one in place, a change is a new object.
    """

    def __init__(self) -> None:
        """An empty store."""
        self.version = 1000
        self._changes: deque[Change] = deque()
        self._oldest = self.version
        self.dirty: set[tuple[str, str]] = set()
        self._listeners: list[Callable[[Change], None]] = []
        self._items: dict[tuple[str, str], dict[tuple[str, str], Json]] = {}
        self._kinds: tuple[Kind, ...] = BUILT_IN

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """Everything that is served: built in, and brought by definitions."""
        return self._kinds

    def kind(self, group: str, plural: str) -> Kind | None:
        """A served kind by its name in URLs."""
        return next((kind for kind in self._kinds if kind.key == (group, plural)), None)

    def listen(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call `listener` on each change; what is returned stops that."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def get(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """One object, if it is there."""
        return self._items.get(kind.key, {}).get((namespace, name))

    def all(self, kind: Kind, namespace: str = "") -> list[Json]:
        """All objects of a kind, in the order they were made."""
        items = self._items.get(kind.key, {}).values()
        return [item for item in items if not namespace or namespace_of(item) == namespace]

    def count(self, kind: Kind) -> int:
        """How many objects of a kind there are."""
        return len(self._items.get(kind.key, {}))

    def put(self, kind: Kind, item: Json) -> Json:
        """Store an object, new or changed, and return it as stored."""
        shelf = self._items.setdefault(kind.key, {})
        place = (namespace_of(item) if kind.is_namespaced else "", name_of(item))
        before = shelf.get(place)
        self.version += 1
        stored = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}}
        shelf[place] = stored
        self._tell(Change(self.version, kind, "MODIFIED" if before else "ADDED", stored, before))
        return stored

    def remove(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """Forget an object; what it was is returned."""
        item = self._items.get(kind.key, {}).pop((namespace, name), None)
        if item is not None:
            self.version += 1
            last = {**item, "metadata": {**item["metadata"], "resourceVersion": str(self.version)}}
            self._tell(Change(self.version, kind, "DELETED", last, item))
        return item

    def since(self, kind: Kind, version: int) -> Iterator[Change] | None:
        """Changes of a kind after a version, or nothing when they are no longer kept."""
        if version < self._oldest:
            return None
        return (
            change
            for change in tuple(self._changes)
            if change.version > version and change.kind.key == kind.key
        )

    def rewrite(self, changed: Callable[[Json], Json]) -> None:
        """Replace every object by what `changed` makes of it, without telling anybody."""
        for shelf in self._items.values():
            for place, item in shelf.items():
                shelf[place] = changed(item)
        self._changes.clear()
        self._oldest = self.version

    def _tell(self, change: Change) -> None:
        if change.kind.key == CRDS.key:
            self._kinds = (*BUILT_IN, *_brought(self.all(CRDS)))
        self._changes.append(change)
        if len(self._changes) > KEPT_CHANGES:
            self._oldest = self._changes.popleft().version
        self.dirty.add(change.kind.key)
        for listener in tuple(self._listeners):
            listener(change)


def _brought(definitions: Iterable[Json]) -> list[Kind]:
    return [kind_of(definition) for definition in definitions]
