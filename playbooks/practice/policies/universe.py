"""Everybody whom one agent knows: identities with their labels, those of the node itself among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from playbooks.practice.naming import stable
from playbooks.practice.policies.peers import (
    Labelled,
    Labels,
    Named,
    Ranged,
    Selector,
    indexed,
    is_inside,
    network,
)  # fmt: skip

HOST, WORLD, HEALTH, REMOTE_NODE, API_SERVER, INGRESS = 1, 2, 4, 6, 7, 8
"""Reserved identities."""
OF_CLUSTER, OF_MESH, OF_WORLD, OF_NODES = 11, 12, 13, 14
"""Identities that stand for many."""
LOCAL = (1 << 24) + 1
"""The first identity that means something on its own node only."""
_RESERVED = (
    "host", "world", "unmanaged", "health", "init", "remote-node", "kube-apiserver", "ingress",
    "world-ipv4", "world-ipv6", "aggregate-cluster", "aggregate-cluster-mesh", "aggregate-world",
    "aggregate-remote-node",
)  # fmt: skip
_ROOM = (1 << 20) - 2


def aggregate_of(identity: int, cluster_id: int = 1) -> int:
    """The identity that stands for many, this one among them; 0 for none."""
    if identity >= LOCAL:
        return OF_WORLD
    if identity > 255:
        return OF_CLUSTER if identity >> 16 == cluster_id else OF_MESH
    return {WORLD: OF_WORLD, 9: OF_WORLD, 10: OF_WORLD, REMOTE_NODE: OF_NODES, API_SERVER: OF_NODES}.get(
        identity, 0
    )


def reserved(*, is_api_server: bool) -> dict[int, tuple[str, ...]]:
    """Identities that every agent knows, with their labels."""
    found: dict[int, tuple[str, ...]] = {
        number: (f"reserved:{name}",) for number, name in enumerate(_RESERVED, 1)
    }
    found[API_SERVER] = ("reserved:kube-apiserver", "reserved:remote-node")
    if is_api_server:
        found[HOST] = ("reserved:host", "reserved:kube-apiserver")
    return found


def local_number(labels: Iterable[str]) -> int:
    """The identity that an agent gives to labels of its own: the same on every node here."""
    return stable("\n".join(labels), LOCAL, LOCAL + _ROOM)


@dataclass(frozen=True)
class Outside:
    """Ranges and addresses outside of the cluster that policies tell apart, with their labels."""

    labels: Mapping[str, tuple[str, ...]]
    """By range."""
    waiting: tuple[tuple[str, ...], ...] = ()
    """Labels of identities that no address has yet."""

    def number(self, prefix: str) -> int:
        """The identity of a range."""
        return local_number(self.labels[prefix])

    def find(self, ip: str) -> str:
        """The narrowest range with an address in it; empty for none."""
        found = [prefix for prefix in self.labels if is_inside(ip, prefix)]
        return max(found, key=lambda prefix: network(prefix).prefixlen, default="")

    @property
    def identities(self) -> dict[int, tuple[str, ...]]:
        """All of them by number."""
        return {local_number(labels): labels for labels in (*self.labels.values(), *self.waiting)}


def outside(
    ranges: Iterable[Ranged],
    groups: Mapping[str, tuple[str, ...]],
    names: Iterable[Named],
    found: Mapping[str, tuple[Named, ...]],
    *,
    has_both: bool,
) -> Outside:
    """What policies tell apart outside of the cluster.

    `groups` are labels of CIDR groups by range, `names` all selectors of names, `found` the selectors that
    the names of an address fit. `has_both` tells whether the cluster has both families.
    """
    own = {one for item in ranges for one in (item.prefix, *item.excepts) if network(one).prefixlen}
    exact = {ip: selectors for ip, selectors in found.items() if selectors}
    every = {str(network(prefix)) for prefix in (*own, *groups, *exact)}
    labels = {}
    for prefix in sorted(every):
        above = [one for one in own if is_inside(prefix, one)]
        nearest = max(above, key=lambda one: network(one).prefixlen, default="")
        said = [f"cidr:{network(nearest)}"] if nearest else []
        said += [one for wide, given in groups.items() if is_inside(prefix, wide) for one in given]
        said += [one.label for ip, named in exact.items() if str(network(ip)) == prefix for one in named]
        labels[prefix] = (*sorted(set(said)), _world(prefix, has_both=has_both))
    waiting = [_unresolved(one, has_both=has_both) for one in sorted(names, key=lambda one: one.label)]
    return Outside(labels, tuple(dict.fromkeys(waiting)))


def _unresolved(one: Named, *, has_both: bool) -> tuple[str, ...]:
    """Labels of the identity that agents make for a name before it is looked up."""
    return (one.label, "reserved:world-ipv4" if has_both else "reserved:world")


def _world(prefix: str, *, has_both: bool) -> str:
    return f"reserved:world-ipv{network(prefix).version}" if has_both else "reserved:world"


@dataclass
class Universe:
    """All identities that an agent knows."""

    labels: Mapping[int, tuple[str, ...]]
    """Labels by number, in the order of numbers."""
    outside: Outside
    """Those outside of the cluster."""
    index: Mapping[int, Labels]
    """The same labels, by key."""
    _selected: dict[Selector, tuple[int, ...]] = field(default_factory=dict)

    def selected(self, selector: Selector) -> tuple[int, ...]:
        """The identities that a selector means."""
        found = self._selected.get(selector)
        if found is None:
            found = tuple(number for number, labels in self.index.items() if selector.selects(labels))
            self._selected[selector] = found
        return found


def universe(pods: Mapping[int, tuple[str, ...]], outside: Outside, *, is_api_server: bool) -> Universe:
    """Put together what an agent knows."""
    labels = {**reserved(is_api_server=is_api_server), **dict(sorted(pods.items()))}
    labels |= dict(sorted(outside.identities.items()))
    return Universe(labels, outside, {number: indexed(said) for number, said in labels.items()})


def ranges_in(selectors: Iterable[Selector]) -> Iterator[Ranged]:
    """The ranges that selectors name, also by what they leave out of a group."""
    for one in selectors:
        if isinstance(one, Ranged):
            yield one
        elif isinstance(one, Labelled):
            for requirement in one.requirements:
                if requirement.key.startswith("cidr:"):
                    yield Ranged(requirement.key.removeprefix("cidr:"))
