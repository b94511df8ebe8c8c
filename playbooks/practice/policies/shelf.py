"""The policies that are in force, read into rules, and how often they changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from playbooks.practice.catalog import (
    CILIUM_CIDR_GROUPS,
    CILIUM_CLUSTERWIDE_POLICIES,
    CILIUM_POLICIES,
    POLICIES,
    SERVICES,
    SLICES,
    Kind,
)  # fmt: skip
from playbooks.practice.objects import Json, labels_of, name_of, namespace_of
from playbooks.practice.policies import kubernetes, reading
from playbooks.practice.policies.peers import GROUP, Labelled, Ranged, Selector, extended, indexed
from playbooks.practice.policies.rules import Rule

if TYPE_CHECKING:
    from playbooks.practice.world import World

NEWEST = (1, 20)
"""From this version on agents know identities that stand for many."""
_SWITCHES = {
    CILIUM_POLICIES.key: "enable-cilium-network-policy",
    CILIUM_CLUSTERWIDE_POLICIES.key: "enable-cilium-clusterwide-network-policy",
    POLICIES.key: "enable-k8s-networkpolicy",
}


class Shelf:
    """The policies in force."""

    def __init__(self, world: World) -> None:
        """Nothing is read yet."""
        self._world = world
        self._read: dict[str, tuple[Json, tuple[Rule, ...]]] = {}
        self._seen: dict[str, int] = {}
        self._changes: list[tuple[datetime, int]] = []
        self._version = -1
        self._rules: tuple[Rule, ...] = ()

    @property
    def is_newest(self) -> bool:
        """Whether agents know identities that stand for many."""
        return self._world.profile.minor >= NEWEST

    def objects(self) -> Iterator[tuple[Kind, Json]]:
        """All policies that agents read."""
        store, config = self._world.store, self._world.profile.config
        for key, switch in _SWITCHES.items():
            kind = store.kind(*key)
            if kind is not None and config.get(switch, "true") == "true":
                yield from ((kind, item) for item in store.all(kind))

    def rules(self) -> tuple[Rule, ...]:
        """All rules in force; a policy that is not valid says nothing."""
        if self._version != self._world.store.version:
            self._version = self._world.store.version
            self._rules = tuple(rule for _, item in self.objects() for rule in self._rules_of(item))
        return self._rules

    def groups(self) -> dict[str, tuple[str, ...]]:
        """The labels that groups give to ranges."""
        kind = self._world.store.kind(*CILIUM_CIDR_GROUPS.key)
        found: dict[str, tuple[str, ...]] = {}
        for item in self._world.store.all(kind) if kind else ():
            labels = [f"{GROUP}{name_of(item)}"]
            labels += [f"cidrgroup:{key}={value}" for key, value in labels_of(item).items()]
            for prefix in (item.get("spec") or {}).get("externalCIDRs") or ():
                found[prefix] = (*found.get(prefix, ()), *labels)
        return found

    def notice(self, generations: dict[str, int]) -> None:
        """Count what was added, removed and changed; every such thing makes a revision."""
        for uid in self._seen.keys() | generations.keys():
            if uid not in self._seen or uid not in generations:
                self._changes.append((self._world.now, 1 if uid in generations else -1))
            elif self._seen[uid] != generations[uid]:
                self._changes.append((self._world.now, 0))
        self._seen = generations

    def revision(self, since: datetime) -> int:
        """The revision of an agent that came up then."""
        loaded = sum(delta for at, delta in self._changes if at <= since)
        return 1 + loaded + sum(1 for at, _ in self._changes if at > since)

    def shift(self, delta: timedelta) -> None:
        """Move its history in time."""
        self._changes = [(at + delta, count) for at, count in self._changes]
        self._version = -1

    def _rules_of(self, item: Json) -> tuple[Rule, ...]:
        uid = item["metadata"]["uid"]
        before = self._read.get(uid)
        # Who stands behind a service changes without the policy.
        if before is None or before[0] is not item or "toServices" in str(item):
            read = kubernetes.rules_of if item["kind"] == "NetworkPolicy" else reading.rules_of
            rules = () if _is_refused(item) else tuple(read(item, self._surroundings))
            before = self._read[uid] = (item, rules)
        return before[1]

    @property
    def _surroundings(self) -> reading.Surroundings:
        config = self._world.profile.config
        is_local = config.get("policy-default-local-cluster", "true") == "true"
        return reading.Surroundings(self._world.cluster, self.is_newest, is_local, self._behind)

    def _behind(self, entry: Json, namespace: str) -> Iterable[Selector]:
        """Who stands behind the services that a rule names."""
        named, chosen = entry.get("k8sService") or {}, entry.get("k8sServiceSelector") or {}
        place = named.get("namespace") or chosen.get("namespace") or namespace
        wanted = reading.labelled(chosen.get("selector") or {}, extended)
        for item in self._world.store.all(SERVICES, place):
            if named and name_of(item) != named.get("serviceName"):
                continue
            said = indexed(f"k8s:{key}={value}" for key, value in labels_of(item).items())
            if chosen and not wanted.selects(said):
                continue
            yield from self._backends(item)

    def _backends(self, service: Json) -> Iterator[Selector]:
        namespace = namespace_of(service)
        chosen = service["spec"].get("selector")
        if chosen:
            labels = {f"any:{key}": value for key, value in chosen.items()}
            yield Labelled(tuple(sorted({**labels, reading.NAMESPACE: namespace}.items())))
            return
        for item in self._world.store.all(SLICES, namespace):
            if labels_of(item).get("kubernetes.io/service-name") == name_of(service):
                for endpoint in item.get("endpoints") or ():
                    yield from (Ranged(f"{ip}/{128 if ':' in ip else 32}") for ip in endpoint["addresses"])


def _is_refused(item: Json) -> bool:
    conditions = (item.get("status") or {}).get("conditions") or ()
    return any(one.get("type") == "Valid" and one.get("status") == "False" for one in conditions)
