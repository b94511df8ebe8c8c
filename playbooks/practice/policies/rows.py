"""The entries of policy maps, and how the datapath finds the one that decides."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from playbooks.practice.policies.computing import Computed, Direction, Filter, Outcome
from playbooks.practice.policies.peers import Labels, Selector
from playbooks.practice.policies.rules import PROTOCOLS, Origin, Port
from playbooks.practice.policies.universe import (
    OF_CLUSTER,
    OF_MESH,
    OF_NODES,
    OF_WORLD,
    Universe,
    aggregate_of,
)  # fmt: skip

NAMED_PORTS = "gen:io.cilium.k8s.named-ports"
"""The label that holds the named ports of a pod's containers."""
_ANY = 40
_WHOLE = 16
_ALLOW = 0xFFFFFF01
_WILDCARDS = (OF_CLUSTER, OF_MESH, OF_WORLD, OF_NODES)


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Which traffic an entry is about."""

    is_egress: bool
    """The direction."""
    identity: int
    """The other end; 0 for everybody."""
    protocol: int = 0
    """The protocol's number; 0 for all."""
    port: int = 0
    """The first port, or a type of ICMP."""
    bits: int = 0
    """How many bits of the port count: 16 for a single one, 0 for all."""

    @property
    def length(self) -> int:
        """The length of the key as the map counts it."""
        return _ANY + self.decided

    @property
    def decided(self) -> int:
        """Bits of protocol and port that count."""
        return 8 + self.bits if self.protocol else 0

    @property
    def last(self) -> int:
        """The last port."""
        return self.port | ((1 << (_WHOLE - self.bits)) - 1)

    def covers(self, protocol: int, port: int) -> bool:
        """Whether it is about a port of a protocol."""
        return not self.protocol or (self.protocol == protocol and self.port <= port <= self.last)

    def holds(self, other: Key) -> bool:
        """Whether it is about all ports that another is about."""
        return not self.protocol or (
            self.protocol == other.protocol and self.port <= other.port and other.last <= self.last
        )


@dataclass(frozen=True, slots=True)
class Row:
    """One entry."""

    key: Key
    """Its key."""
    precedence: int = _ALLOW
    """The highest wins."""
    is_deny: bool = False
    """Whether it refuses."""
    kind: str = ""
    """The kind of the proxy that traffic is led to; empty for none."""
    origins: tuple[Origin, ...] = ()
    """The policies behind it; none where nothing is enforced."""

    @property
    def flags(self) -> int:
        """As the map holds them."""
        return self.key.decided << 3 | self.is_deny


@dataclass(frozen=True)
class PolicyMap:
    """The map of one endpoint."""

    rows: tuple[Row, ...]
    """In the order in which the agent shows them."""
    cluster_id: int = 1
    """Number of the cluster, which its pods' identities hold."""

    @cached_property
    def _by_identity(self) -> dict[tuple[bool, int], list[Row]]:
        found: dict[tuple[bool, int], list[Row]] = {}
        for row in self.rows:
            found.setdefault((row.key.is_egress, row.key.identity), []).append(row)
        return found

    def find(self, identity: int, protocol: int, port: int, *, is_egress: bool) -> Row | None:
        """The entry that decides; nothing when none does, which refuses."""
        every = dict.fromkeys((identity, aggregate_of(identity, self.cluster_id), 0))
        rows = [
            row
            for one in every
            for row in self._by_identity.get((is_egress, one), ())
            if row.key.covers(protocol, port)
        ]
        return max(
            rows,
            key=lambda row: (row.precedence, row.key.decided, row.key.identity == identity),
            default=None,
        )


def policy_map(
    policy: Computed, everybody: Universe, subject: Labels, *, is_newest: bool, cluster_id: int = 1
) -> PolicyMap:
    """The map of an endpoint with this policy."""
    rows: list[Row] = []
    for is_egress, direction in ((False, policy.ingress), (True, policy.egress)):
        rows += _direction(direction, everybody, subject, is_egress=is_egress, is_newest=is_newest)
    kept = _needed(rows, cluster_id)
    return PolicyMap(tuple(sorted(kept, key=_order)), cluster_id)


def _order(row: Row) -> tuple[bool, bool, int, int, int, int]:
    key = row.key
    return not row.is_deny, key.is_egress, key.identity, -key.length, key.protocol, key.port


def _direction(
    direction: Direction, everybody: Universe, subject: Labels, *, is_egress: bool, is_newest: bool
) -> list[Row]:
    if not direction.is_enforced:
        return [Row(Key(is_egress, one)) for one in _everyone(is_newest=is_newest)]
    found: dict[Key, Row] = {}
    for one in direction.filters:
        for selector, outcome in one.outcomes:
            for key in _keys(one, selector, everybody, subject, is_egress=is_egress, is_newest=is_newest):
                found[key] = _stronger(found.get(key), key, outcome)
    return list(found.values())


def _everyone(*, is_newest: bool) -> tuple[int, ...]:
    return (0, *_WILDCARDS) if is_newest else (0,)


def _stronger(old: Row | None, key: Key, outcome: Outcome) -> Row:
    new = Row(key, outcome.precedence, outcome.is_deny, outcome.kind, outcome.origins)
    if old is None or old.precedence < new.precedence:
        return new
    if old.precedence > new.precedence:
        return old
    return Row(key, old.precedence, old.is_deny, old.kind, tuple(sorted({*old.origins, *new.origins})))


def _needed(rows: list[Row], cluster_id: int) -> Iterator[Row]:
    found = {row.key: row for row in rows}
    return (row for row in rows if not _is_needless(row, found, cluster_id))


def _is_needless(row: Row, found: dict[Key, Row], cluster_id: int) -> bool:
    """Whether another entry says the same of the same ports to many, or refuses more."""
    key = row.key
    many = aggregate_of(key.identity, cluster_id)
    if many:
        twin = found.get(Key(key.is_egress, many, key.protocol, key.port, key.bits))
        if twin and (twin.precedence, twin.is_deny, twin.kind) == (row.precedence, row.is_deny, row.kind):
            return True
    return not row.is_deny and any(
        other.is_deny and other.precedence > row.precedence and other.key.holds(key)
        for one in dict.fromkeys((key.identity, many, 0))
        for other in _of(found, key.is_egress, one)
    )


def _of(found: dict[Key, Row], is_egress: bool, identity: int) -> Iterator[Row]:
    for key, row in found.items():
        if row.is_deny and key.identity == identity and key.is_egress == is_egress:
            yield row


def _keys(
    one: Filter,
    selector: Selector,
    everybody: Universe,
    subject: Labels,
    *,
    is_egress: bool,
    is_newest: bool,
) -> Iterator[Key]:
    if selector.is_everybody and not (is_egress and one.port.name):
        identities: Iterable[int] = _everyone(is_newest=is_newest)
    else:
        identities = everybody.selected(selector)
    for identity in identities:
        receiver = everybody.index.get(identity, {}) if is_egress else subject
        for port in numbered(one.port, receiver):
            for number, bits in blocks(port):
                yield Key(is_egress, identity, PROTOCOLS.get(port.protocol, 0), number, bits)


def numbered(port: Port, receiver: Labels) -> Iterator[Port]:
    """A port by its number: a name means the port of whoever receives, if it has one."""
    if not port.name:
        yield port
    for said in receiver.get(NAMED_PORTS, ()) if port.name else ():
        for entry in said.split("_"):
            name, protocol, number = entry.rsplit(".", 2)
            if name == port.name and port.protocol in (protocol, "ANY"):
                yield Port(protocol, int(number))


def blocks(port: Port) -> Iterator[tuple[int, int]]:
    """A port, or a range as blocks that each have the same first bits."""
    if port.protocol in ("ICMP", "ICMPv6"):
        yield port.number, _WHOLE
        return
    if not port.number:
        yield 0, 0
        return
    first, last = port.number, max(port.last, port.number)
    while first <= last:
        size = 0
        while not first & (1 << size) and first + (2 << size) - 1 <= last and size < _WHOLE:
            size += 1
        yield first, _WHOLE - size
        first += 1 << size
