"""The book of policies: what each agent made of them for its endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from playbooks.practice.policies import lockdown, universe
from playbooks.practice.policies.census import Census, serves_api
from playbooks.practice.policies.computing import Computed, Mode, computed
from playbooks.practice.policies.names import Lookup, lookups, selectors_by_ip
from playbooks.practice.policies.peers import Named, indexed
from playbooks.practice.policies.rows import Key, PolicyMap, policy_map
from playbooks.practice.policies.rules import Rule
from playbooks.practice.policies.shelf import Shelf
from playbooks.practice.policies.universe import Universe

if TYPE_CHECKING:
    from playbooks.practice.world import World

SYNC = timedelta(minutes=15)
"""After which an agent has put back what is missing in a map."""


@dataclass(frozen=True)
class Held:
    """What one agent holds for one identity."""

    policy: Computed
    """The policy."""
    map: PolicyMap
    """The entries that follow from it."""


class Book:
    """Everything that follows from policies, worked out when asked and kept until something changes."""

    def __init__(self, world: World) -> None:
        """Nothing is worked out yet."""
        self.shelf = Shelf(world)
        self.census = Census(world)
        self._world = world
        self._version: tuple[int, ...] = ()
        self._rules: tuple[Rule, ...] = ()
        self._universes: dict[object, Universe] = {}
        self._of_nodes: dict[str, Universe] = {}
        self._computed: dict[tuple[tuple[str, ...], Mode, bool], Computed] = {}
        self._held: dict[tuple[int, tuple[str, ...], Mode, bool], Held] = {}
        self._lost: dict[tuple[str, int, Key], datetime] = {}

    def universe(self, node: str) -> Universe:
        """Everybody whom the agent of a node knows."""
        self._refresh()
        if node not in self._of_nodes:
            self._of_nodes[node] = self._universe(node)
        return self._of_nodes[node]

    def computed(self, labels: tuple[str, ...], mode: Mode, *, is_node: bool = False) -> Computed:
        """What the rules say to an endpoint with these labels."""
        self._refresh()
        key = labels, mode, is_node
        if key not in self._computed:
            self._computed[key] = computed(self._rules, indexed(labels), mode, is_node=is_node)
        return self._computed[key]

    def held(self, node: str, labels: tuple[str, ...], mode: Mode, *, is_node: bool = False) -> Held:
        """What the agent of a node holds for an endpoint with these labels."""
        everybody = self.universe(node)
        key = id(everybody), labels, mode, is_node
        if key not in self._held:
            policy = self.computed(labels, mode, is_node=is_node)
            newest, number = self.shelf.is_newest, self._world.cluster_id
            rows = policy_map(policy, everybody, indexed(labels), is_newest=newest, cluster_id=number)
            self._held[key] = Held(policy, rows)
        return self._held[key]

    def lose(self, node: str, endpoint: int, key: Key) -> None:
        """Take an entry out of a map behind the agent's back."""
        self._lost[node, endpoint, key] = self._world.now
        # No object tells of it, so nobody else would look again: neither now nor when it is put back.
        self._world.traffic.renew()
        self._world.after(SYNC.total_seconds(), self._world.traffic.renew)

    def map_of(self, node: str, endpoint: int, held: Held) -> PolicyMap:
        """The map of an endpoint as the kernel has it; agents put back what is missing in time."""
        lost = {
            key
            for (where, number, key), at in self._lost.items()
            if (where, number) == (node, endpoint) and self._is_lost(node, at)
        }
        run = self._world.agents.get(node)
        wanted = lockdown.shut(held.map) if run and lockdown.is_locked(run.config, held.map) else held.map
        if not lost:
            return wanted
        rows = tuple(row for row in wanted.rows if row.key not in lost)
        return PolicyMap(rows, held.map.cluster_id)

    def _is_lost(self, node: str, at: datetime) -> bool:
        """Whether what was taken out then is still missing: an agent that starts writes its maps anew."""
        run = self._world.agents.get(node)
        current = [container.run for container in run.containers.values()] if run else []
        is_old = all(one.started <= at for one in current if one)
        return is_old and self._world.now - at < SYNC

    def lookups(self, node: str) -> Iterator[Lookup]:
        """What the pods of a node looked up through its agent's proxy."""
        run = self._world.agents.get(node)
        mode = mode_of(run.config if run else {})
        for pod in self.census.pods(node):
            yield from lookups(self._world, pod, self.computed(self.census.known(pod).labels, mode))

    def names(self, node: str) -> tuple[Named, ...]:
        """The selectors of names in the policies of a node's endpoints."""
        self._refresh()
        about = [
            (rule, tuple(peer for peer in rule.peers or () if isinstance(peer, Named)))
            for rule in self._rules
        ]
        about = [(rule, names) for rule, names in about if names]
        if not about:
            return ()
        known = {self.census.known(run) for run in self.census.pods(node)}
        found = {
            name
            for one in known
            for rule, names in about
            if rule.subject.selects(indexed(one.labels))
            for name in names
        }
        return tuple(sorted(found, key=lambda one: one.text))

    def renew(self) -> None:
        """Work everything out anew."""
        self._version = ()

    def shift(self, delta: timedelta) -> None:
        """Move its history in time."""
        self.shelf.shift(delta)
        self._lost = {key: at + delta for key, at in self._lost.items()}
        self.renew()

    def _refresh(self) -> None:
        if self._version == self.census.version:
            return
        self._version = self.census.version
        rules = self.shelf.rules()
        if rules != self._rules:
            self._computed.clear()
        self._rules = rules
        self._of_nodes.clear()
        self._universes.clear()
        self._held.clear()

    def _universe(self, node: str) -> Universe:
        names = self.names(node)
        found = selectors_by_ip(self.lookups(node), names) if names else {}
        is_api_server = serves_api(self._world, node)
        key = is_api_server, names, frozenset(found.items())
        if key not in self._universes:
            ranges = universe.ranges_in(peer for rule in self._rules for peer in rule.peers or ())
            has_both = len(self._world.profile.families) > 1
            out = universe.outside(ranges, self.shelf.groups(), names, found, has_both=has_both)
            pods = self.census.identities()
            self._universes[key] = universe.universe(pods, out, is_api_server=is_api_server)
        return self._universes[key]


def mode_of(config: Mapping[str, str]) -> Mode:
    """How an agent with this configuration enforces policies."""
    enforcement = config.get("enable-policy", "default").lower()
    return Mode(enforcement, config.get("allow-localhost", "auto") != "policy")
