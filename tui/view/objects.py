"""Kinds of objects that can be listed, and one object as a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from playbooks.model.answer import Gap
from playbooks.model.finding import Ref
from playbooks.model.kube import resources as kinds
from playbooks.model.request import Resource


@dataclass(frozen=True, slots=True)
class Shelf:
    """One list of objects."""

    key: str
    """As the list is called, and the first word after the colon."""
    words: tuple[str, ...]
    """What else can be typed for it."""
    titles: tuple[str, ...]
    """Titles of the columns after the name."""
    resources: tuple[Resource, ...]
    """What is listed."""
    has_namespaces: bool = True
    """Whether its objects live in namespaces."""

    @property
    def command(self) -> str:
        """What a person would type for it."""
        names = ",".join(
            one.plural if not one.group else f"{one.plural}.{one.group}" for one in self.resources
        )
        return f"kubectl get {names} -A" if self.has_namespaces else f"kubectl get {names}"


_POLICIES = (
    kinds.NETWORK_POLICIES,
    kinds.CILIUM_NETWORK_POLICIES,
    kinds.CILIUM_CLUSTERWIDE_NETWORK_POLICIES,
)
_OF_POLICY = ("STATE", "SELECTS", "DENIES BY DEFAULT", "KIND")

SHELVES = (
    Shelf("pods", ("pod", "po"), ("STATE", "READY", "NODE", "RESTARTS"), (kinds.PODS,)),
    Shelf(
        "services",
        ("svc", "service"),
        ("STATE", "BACKENDS", "TYPE", "ADDRESS", "PORTS"),
        (kinds.SERVICES,),
    ),
    Shelf("nodes", ("no",), ("STATE", "AGENT", "ADDRESS", "KERNEL"), (kinds.NODES,), has_namespaces=False),
    Shelf(
        "endpoints",
        ("cep", "ciliumendpoints"),
        ("STATE", "ENDPOINT", "IDENTITY", "NODE"),
        (kinds.CILIUM_ENDPOINTS,),
    ),
    Shelf("policies", ("policy", "pol"), _OF_POLICY, _POLICIES),
    Shelf("cnp", ("ciliumnetworkpolicies",), _OF_POLICY, (kinds.CILIUM_NETWORK_POLICIES,)),
    Shelf(
        "ccnp",
        ("ciliumclusterwidenetworkpolicies",),
        _OF_POLICY,
        (kinds.CILIUM_CLUSTERWIDE_NETWORK_POLICIES,),
        has_namespaces=False,
    ),
    Shelf("netpol", ("networkpolicies",), _OF_POLICY, (kinds.NETWORK_POLICIES,)),
    Shelf(
        "identities",
        ("ciliumid", "ciliumidentities"),
        ("ENDPOINTS", "NAMESPACE", "LABELS"),
        (kinds.CILIUM_IDENTITIES,),
        has_namespaces=False,
    ),
    Shelf(
        "slices",
        ("endpointslices", "eps"),
        ("STATE", "SERVICE", "READY", "PORTS"),
        (kinds.ENDPOINT_SLICES,),
    ),
)
"""In the order of the help page."""


def shelf_of(word: str) -> Shelf | None:
    """The list that a word stands for."""
    return next((one for one in SHELVES if word == one.key or word in one.words), None)


Details = tuple[tuple[str, str], ...]
"""Labels and values; raw."""


@dataclass(frozen=True, slots=True)
class Item:
    """One object."""

    ref: Ref
    """The object; raw."""
    cells: tuple[str, ...]
    """What stands in the columns after its name; raw."""
    resource: Resource
    """What it is to the API."""
    is_sick: bool = False
    """Whether something is wrong with it at a glance."""
    target: str = ""
    """How it is named to aim at it; empty where it has its page only."""
    namespace: str = ""
    """Where it belongs: also an identity, whose object is in no namespace."""
    details: Callable[[], Details] = tuple
    """Says what else its page says: made only when somebody looks."""
    workload: str = ""
    """Of a pod: the name of the workload that it belongs to."""
    containers: tuple[str, ...] = ()
    """Of a pod: whose logs there are, the one that is worth reading first."""

    @property
    def path(self) -> str:
        """Its name, with its namespace before a slash."""
        return f"{self.ref.namespace}/{self.ref.name}" if self.ref.namespace else self.ref.name

    def holds(self, wanted: str) -> bool:
        """Whether it holds a text, in small letters."""
        return wanted in self.path.lower() or any(wanted in cell.lower() for cell in self.cells)


@dataclass(frozen=True, slots=True)
class Listed:
    """A list as it was read."""

    items: tuple[Item, ...]
    """Sick ones first, then by name."""
    gaps: tuple[Gap, ...] = ()
    """What could not be read."""
    taken_at: datetime | None = None
    """When, UTC."""
    only: str = ""
    """The one namespace that could be read, where the whole cluster could not."""
    widths: tuple[int, ...] = ()
    """Columns that the names and each cell take at most."""


def sorted_items(items: Iterable[Item]) -> tuple[Item, ...]:
    """Sick ones first, then by name."""
    return tuple(sorted(items, key=lambda one: (not one.is_sick, one.ref.namespace, one.ref.name)))


def widths_of(items: tuple[Item, ...], titles: tuple[str, ...]) -> tuple[int, ...]:
    """How wide the names and each column are."""
    widths = [len("NAME"), *map(len, titles)]
    for one in items:
        widths[0] = max(widths[0], len(one.path))
        for at, cell in enumerate(one.cells, 1):
            if len(cell) > widths[at]:
                widths[at] = len(cell)
    return tuple(widths)
