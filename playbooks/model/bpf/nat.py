"""The NAT table of a node, folded while it streams: who holds which ports towards whom, and since when.

Shapes: facts of `cilium-dbg bpf nat list`: ports in network byte order, addresses as arrays of bytes, nothing
reversed. Each translation stands twice: OUT changes the source, IN the destination of the answer.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from operator import attrgetter, itemgetter
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer, End, Gap
from playbooks.model.bpf.dumps import address_in, address_of, folded, mapped, number_in, port_of, protocol_in
from playbooks.model.bpf.heavy_hitters import HeavyHitters
from playbooks.model.bpf.streaming import Lines, Rows
from playbooks.model.cilium.agent.commands import asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import documents_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way
from playbooks.model.request import Request

TOP = 20
"""How many heavy hitters are kept."""
AGES = (60, 600, 3600)
"""Bounds of age in seconds by which entries are counted."""
_OUT, _IN = 0, 1


@dataclass(frozen=True, slots=True)
class PortUse:
    """Ports of an address of this node that are in use towards one target."""

    address: str
    """The address that others see."""
    target: str
    """The address that is talked to."""
    target_port: int
    """Its port."""
    protocol: int
    """IANA number: 6 TCP, 17 UDP."""
    ports: int
    """How many are in use."""


@dataclass(frozen=True, kw_only=True)
class NatTable(Fact):
    """What a node's NAT table holds, in numbers."""

    entries: int
    """All entries, two for each translation."""
    outgoing: int
    """Entries of translated sources."""
    by_protocol: Counter[int]
    """Entries by IANA protocol number."""
    uses: tuple[PortUse, ...]
    """Who uses most ports towards one target, most first."""
    sources: tuple[tuple[str, int], ...]
    """Addresses whose traffic is translated most, with entries, most first."""
    by_age: tuple[int, ...]
    """Entries by age: up to each of `AGES`, and older. In JSON the newest entry tells what time it is."""
    count_error: int
    """By how much a count in `uses` or `sources` may be too small."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


class _Key(msgspec.Struct, gc=False, rename="pascal"):
    dest_addr: tuple[int, ...]
    source_addr: tuple[int, ...]
    source_port: int
    dest_port: int
    next_header: int
    flags: int


class _Value(msgspec.Struct, gc=False, rename="pascal"):
    created: int
    addr: tuple[int, ...]


class _Entry(msgspec.Struct, gc=False, rename="pascal"):
    key: _Key
    value: _Value


_decode = msgspec.json.Decoder(list[_Entry]).decode
_kind_of = attrgetter("key.flags", "key.next_header")
_created_of = attrgetter("value.created")
_use_of = attrgetter("value.addr", "key.dest_addr", "key.dest_port", "key.next_header")
_source_of = attrgetter("key.source_addr")


@dataclass(slots=True)
class _Fold:
    """Counts entries batch by batch and keeps none of them."""

    rows: Rows[_Entry] = field(default_factory=lambda: Rows(_decode))
    kinds: Counter[tuple[int, int]] = field(default_factory=Counter)
    created: HeavyHitters[int] = field(default_factory=lambda: HeavyHitters(1 << 16))
    uses: HeavyHitters[tuple[tuple[int, ...], tuple[int, ...], int, int]] = field(
        default_factory=HeavyHitters
    )
    sources: HeavyHitters[tuple[int, ...]] = field(default_factory=HeavyHitters)

    def feed(self, chunk: bytes) -> None:
        for batch in self.rows.feed(chunk):
            self._count(batch)

    def finish(self, request: Request, end: End) -> Fact | Gap:
        self._count(self.rows.finish())
        newest = max(self.created.counts, default=0)
        ages = Counter({newest - created: number for created, number in self.created.counts.items()})
        return _fact(
            Provenance.of(request, end),
            self.kinds,
            [
                PortUse(address_of(a), address_of(b), port_of(port), protocol, n)
                for (a, b, port, protocol), n in self.uses.top(TOP)
            ],
            [(address_of(a), n) for a, n in self.sources.top(TOP)],
            ages,
            max(self.uses.error, self.sources.error),
        )

    def _count(self, batch: list[_Entry]) -> None:
        self.kinds.update(map(_kind_of, batch))
        self.created.update(map(_created_of, batch))
        out = [entry for entry in batch if entry.key.flags == _OUT]
        self.uses.update(map(_use_of, out))
        self.sources.update(map(_source_of, out))


_LINE = re.compile(
    r"^(\w+) (IN|OUT) (\S+):\d+ -> (\S+):(\d+) XLATE_(?:SRC|DST) (\S+):\d+ Created=(\d{1,12}) ?sec.*$",
    re.MULTILINE,
)
_text_kind_of = itemgetter(1, 0)
_text_created_of = itemgetter(6)
_text_use_of = itemgetter(5, 3, 4, 0)
_text_source_of = itemgetter(2)


@dataclass(slots=True)
class _TextFold:
    """Counts lines and keeps none of them."""

    lines: Lines = field(default_factory=lambda: Lines(_LINE))
    kinds: Counter[tuple[str, str]] = field(default_factory=Counter)
    ages: HeavyHitters[str] = field(default_factory=lambda: HeavyHitters(1 << 16))
    uses: HeavyHitters[tuple[str, str, str, str]] = field(default_factory=HeavyHitters)
    sources: HeavyHitters[str] = field(default_factory=HeavyHitters)

    def feed(self, chunk: bytes) -> None:
        self._count(self.lines.feed(chunk))

    def finish(self, request: Request, end: End) -> Fact | Gap:
        self._count(self.lines.finish(is_truncated=end.is_truncated))
        kinds = Counter(
            {(_OUT if way == "OUT" else _IN, protocol_in(name)): n for (way, name), n in self.kinds.items()}
        )
        return _fact(
            Provenance.of(request, end),
            kinds,
            [
                PortUse(_bare(a), _bare(b), number_in(port), protocol_in(name), n)
                for (a, b, port, name), n in self.uses.top(TOP)
            ],
            [(_bare(a), n) for a, n in self.sources.top(TOP)],
            Counter({int(age): number for age, number in self.ages.counts.items()}),
            max(self.uses.error, self.sources.error),
        )

    def _count(self, rows: Iterable[tuple[str, ...]]) -> None:
        batch = list(rows)
        self.kinds.update(map(_text_kind_of, batch))
        self.ages.update(map(_text_created_of, batch))
        out = [row for row in batch if row[1] == "OUT"]
        self.uses.update(map(_text_use_of, out))
        self.sources.update(map(_text_source_of, out))


def _bare(address: str) -> str:
    return address_in(address.strip("[]"))


def _fact(
    provenance: Provenance,
    kinds: Counter[tuple[int, int]],
    uses: list[PortUse],
    sources: list[tuple[str, int]],
    ages: Counter[int],
    error: int,
) -> NatTable:
    protocols: Counter[int] = Counter()
    for (_, protocol), number in kinds.items():
        protocols[protocol] += number
    by_age = [0] * (len(AGES) + 1)
    for age, number in ages.items():
        by_age[sum(age > bound for bound in AGES)] += number
    return NatTable(
        provenance=provenance,
        entries=sum(kinds.values()),
        outgoing=sum(number for (flags, _), number in kinds.items() if flags == _OUT),
        by_protocol=protocols,
        uses=tuple(uses),
        sources=tuple(sources),
        by_age=tuple(by_age),
        count_error=error,
    )


@dataclass(frozen=True, kw_only=True)
class NatRetries(Fact):
    """`cilium-dbg bpf nat retries list` of one node: how hard it was to find a free port."""

    families: tuple[tuple[int, ...], ...]
    """For each address family, IPv4 first: how many connections took so many further tries."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def most_tries(self) -> int | None:
        """The largest number of further tries that any connection took; nothing when none was counted."""
        tried = [tries for family in self.families for tries, number in enumerate(family) if number]
        return max(tried, default=None)


class _Tries(msgspec.Struct, frozen=True, rename="pascal"):
    key: int


class _Number(msgspec.Struct, frozen=True, rename="pascal"):
    value: int


class _Retry(msgspec.Struct, frozen=True, rename="pascal"):
    key: _Tries
    value: _Number


_MOST_TRIES = 255


def _retries_json(answer: Answer) -> NatRetries:
    try:
        documents = [msgspec.convert(one, tuple[_Retry, ...]) for one in documents_of(answer)]
    except msgspec.ValidationError as error:
        raise Unreadable(f"not a histogram of retries: {error}") from error
    families = tuple(_histogram((one.key.key, one.value.value) for one in rows) for rows in documents)
    return _retries(answer, families)


def _retries_text(answer: Answer) -> NatRetries:
    families: list[list[tuple[int, int]]] = []
    for line in text_of(answer).split("\n"):
        tries, mark, number = line.partition(":")
        if not line.strip():
            continue
        if not mark:
            raise Unreadable(f"not a row of a histogram: {line[:80]!r}")
        row = number_in(tries.strip()), number_in(number.strip())
        if not families or row[0] == 0:
            families.append([])
        families[-1].append(row)
    return _retries(answer, tuple(map(_histogram, families)))


def _histogram(rows: Iterable[tuple[int, int]]) -> tuple[int, ...]:
    found = dict(rows)
    if sorted(found) != [*range(len(found))] or len(found) > _MOST_TRIES:
        raise Unreadable("a histogram of retries has holes")
    return tuple(found[tries] for tries in range(len(found)))


def _retries(answer: Answer, families: tuple[tuple[int, ...], ...]) -> NatRetries:
    if not any(families):
        raise Unreadable("the answer holds no histogram", 0)
    return NatRetries(provenance=Provenance.of(answer.request, answer.end), families=families)


_LIST = ("cilium-dbg", "bpf", "nat", "list")
_RETRIES = ("cilium-dbg", "bpf", "nat", "retries", "list")
NatTable.ways = (
    folded("NAT table JSON", asks(*_LIST, "-o", "json", is_heavy=True), _Fold),
    folded("NAT table as text", asks(*_LIST, is_heavy=True), _TextFold),
)
NatRetries.ways = (
    mapped("NAT retries", asks(*_RETRIES, "-o", "json", since=(1, 18)), _retries_json),
    mapped("NAT retries as text", asks(*_RETRIES, since=(1, 18)), _retries_text),
)
