"""The world: objects, a clock, and what follows from both."""

from __future__ import annotations

import heapq
import itertools
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from playbooks.practice import controllers, mesh
from playbooks.practice.access import Access
from playbooks.practice.catalog import Kind
from playbooks.practice.crowd import fill, plan
from playbooks.practice.frontends import Numbers
from playbooks.practice.hubble.state import Hubble
from playbooks.practice.layout import furnish
from playbooks.practice.naming import Names
from playbooks.practice.network import Network
from playbooks.practice.objects import Json, name_of, namespace_of, stamp
from playbooks.practice.ownership import Writer, claim
from playbooks.practice.policies import installing
from playbooks.practice.policies.book import Book
from playbooks.practice.profile import DEFAULT, Profile, load
from playbooks.practice.runs import PodRun
from playbooks.practice.store import Store
from playbooks.practice.tampering import Tampering
from playbooks.practice.traffic.history import Traffic

START = datetime(2026, 11, 23, 8, 0, 0, tzinfo=UTC)
"""Where the clock of a world stands unless told otherwise."""
AGE = timedelta(hours=26)
"""How old a cluster is when somebody first looks at it."""
INSTALLER = Writer("helm")
"""Who installed what is there from the start."""

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_WITHOUT_GENERATION = frozenset(
    {"nodes", "services", "namespaces", "configmaps", "secrets", "leases", "events"}
)


class World:
    """A cluster in memory.

    Everything that is asked is derived from the objects in `store`, the pods that run and the clock.
    Whatever is written is followed by what the controllers, kubelets, agents and the operator make of it.
    """

    def __init__(self, names: Names, now: datetime, profile: Profile, cluster_id: int = 1) -> None:
        """An empty world; `build` makes one with a cluster in it."""
        self.names = names
        self.cluster_id = cluster_id
        self.peers: tuple[World, ...] = ()
        self.profile = profile
        self.now = now
        self.access = Access()
        self.exec_delay = 0.0
        self.silent_nodes: set[str] = set()
        self.tampered = Tampering()
        self.astray: dict[tuple[str, str], str] = {}
        self.agent_program = "cilium-dbg"
        self.store = Store()
        self.runs: dict[str, PodRun] = {}
        self.agents: dict[str, PodRun] = {}
        self.template_hashes: dict[tuple[str, int], str] = {}
        self.network = Network(names, profile, cluster_id)
        self.frontend_ids = Numbers()
        self.backend_ids = Numbers()
        self.policies = Book(self)
        self.traffic = Traffic(self)
        self.hubble = Hubble()
        self._agenda: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order = itertools.count()

    @property
    def cluster(self) -> str:
        """The cluster's name."""
        return self.names.cluster

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        """Have something happen later."""
        heapq.heappush(self._agenda, (self.now + timedelta(seconds=seconds), next(self._order), action))

    def advance(self, seconds: float) -> None:
        """Let time pass, with everything that is due in it."""
        target = self.now + timedelta(seconds=seconds)
        self.settle()
        while self._agenda and self._agenda[0][0] <= target:
            self.now = self._agenda[0][0]
            while self._agenda and self._agenda[0][0] == self.now:
                heapq.heappop(self._agenda)[2]()
            self.settle()
        self.now = target
        controllers.beat(self)
        self.store.dirty.clear()
        for peer in self.peers:
            # Whoever is behind catches up; who was first finds nobody behind.
            if peer.now < target:
                peer.advance((target - peer.now).total_seconds())

    def settle(self) -> None:
        """Let every controller do what is to be done at this moment."""
        every: set[tuple[str, str]] = set()
        for _ in range(50):
            if not self.store.dirty:
                self.traffic.note(every)
                return
            changed = set(self.store.dirty)
            every |= changed
            self.store.dirty.clear()
            controllers.reconcile(self, changed)
        raise RuntimeError("the controllers of the practice cluster do not come to rest")

    def put(self, kind: Kind, item: Json, writer: Writer) -> Json:
        """Write an object as `writer`; an unchanged one stays as it is."""
        namespace = namespace_of(item) if kind.is_namespaced else ""
        before = self.store.get(kind, namespace, name_of(item))
        metadata = {key: value for key, value in item["metadata"].items() if key != "managedFields"}
        if before is None:
            metadata |= {"uid": self.names.uid(), "creationTimestamp": stamp(self.now)}
            if kind.plural not in _WITHOUT_GENERATION:
                metadata["generation"] = 1
        else:
            old = before["metadata"]
            metadata |= {key: old[key] for key in ("uid", "creationTimestamp", "generation") if key in old}
            # A pod's spec changes by its binding only, which does not count.
            is_counted = "generation" in old and kind.plural != "pods"
            if is_counted and before.get("spec") != item.get("spec"):
                metadata["generation"] = old["generation"] + 1
        after = {**item, "metadata": metadata}
        fields = claim(before, after, writer, stamp(self.now))
        if (
            before is not None
            and fields == (before["metadata"].get("managedFields") or [])
            and _same(before, after)
        ):
            return before
        after["metadata"] = {**metadata, "managedFields": fields}
        return self.store.put(kind, after)

    def put_status(self, kind: Kind, item: Json, status: Json, manager: str) -> Json:
        """Write an object's status."""
        if item.get("status") == status:
            return item
        return self.put(kind, {**item, "status": status}, Writer(manager, subresource="status"))

    def remove(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """Delete an object."""
        return self.store.remove(kind, namespace, name)

    def shift_to(self, now: datetime) -> None:
        """Move the whole history so that this moment is `now`."""
        delta = now - self.now

        def moved(value: object) -> object:
            if isinstance(value, dict):
                return {key: moved(inner) for key, inner in value.items()}
            if isinstance(value, list):
                return [moved(inner) for inner in value]
            if isinstance(value, str):
                return _TIME.sub(lambda found: _shifted(found.group(), delta), value)
            return value

        def moved_item(item: Json) -> Json:
            changed = moved(item)
            assert isinstance(changed, dict)
            return changed

        self.store.rewrite(moved_item)
        for run in self.runs.values():
            run.shift(delta)
        self.network.shift(delta)
        self.policies.shift(delta)
        self.traffic.shift(delta)
        self._agenda = [(when + delta, order, action) for when, order, action in self._agenda]
        self.now = now


def _same(before: Json, after: Json) -> bool:
    def content(item: Json) -> Json:
        metadata = {
            key: value
            for key, value in item["metadata"].items()
            if key not in ("managedFields", "resourceVersion")
        }
        return {**item, "metadata": metadata}

    return content(before) == content(after)


def _shifted(text: str, delta: timedelta) -> str:
    whole, dot, fraction = text[:-1].partition(".")
    moment = datetime.fromisoformat(whole).replace(tzinfo=UTC) + delta
    return f"{moment.strftime('%Y-%m-%dT%H:%M:%S')}{dot}{fraction}Z"


def build(
    seed: int = 0,
    nodes: int = 6,
    now: datetime = START,
    profile: str = DEFAULT,
    crowd: int = 0,
    *,
    mesh_id: int = 0,
    config: Mapping[str, str] | None = None,
) -> World:
    """A healthy cluster that has been up for a day; the seed decides names, nodes and their order.

    `crowd` is how many pods there are beside the shop and the system; `mesh_id` is the cluster's id where it
    is to be joined with others, `config` what `cilium-config` holds from the start beside what the profile
    says. Raises `ValueError` for too many pods.
    """
    set_up = load(profile)
    if config:
        set_up = replace(set_up, config={**set_up.config, **config})
    if mesh_id:
        set_up = replace(set_up, manifests=(*set_up.manifests, mesh.APP))
    world = World(Names(seed), now - AGE, set_up, mesh_id or 1)
    furnish(world, nodes, INSTALLER)
    plan(world, crowd)
    world.settle()
    world.advance(180)
    installing.install(world)
    world.traffic.begin()
    world.advance((now - world.now).total_seconds())
    if crowd:
        fill(world, crowd)
    return world
