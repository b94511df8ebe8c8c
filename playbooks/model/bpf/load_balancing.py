"""The maps of services: where each address leads to, as the datapath sees it."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from playbooks.model.bpf.dumps import Rows, dumped, number_in, prefix_in
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_KEY = re.compile(r"(?P<address>\S{3,90}?)(?P<internal>/i)?(?: \((?P<slot>\d{1,6})\))?")
_BACKEND = re.compile(r"(?P<address>\S{3,90}) \((?P<rev>\d{1,10})\) \((?P<slot>\d{1,6})\)(?P<rest>.*)")
_FLAGS = re.compile(r" \[(?P<flags>[^\]]*)\]")
_NOT_FOUND = re.compile(r"backend (?P<id>\d{1,10}) not found")
_COUNT = re.compile(
    r"(?P<backend>\d{1,10}) (?P<count>\d{1,10})(?:\[(?P<quarantined>\d{1,10})\])? \((?P<rev>\d{1,10})\)"
    r" \[(?P<flags>[^\]]*)\]"
)
_ADDRESS = re.compile(
    r"(?:(?P<protocol>\w{1,10})://)?(?P<ip>[0-9a-fA-F.:\[\]]{2,50})(?P<zone>\[[^\]]*\])?(?:@\d+)?"
)
_LIST = ("cilium-dbg", "bpf", "lb", "list")


@dataclass(frozen=True, slots=True)
class MapService:
    """One frontend in the map with its slots."""

    address: str
    """`ip:port/PROTOCOL`, without the protocol before 1.17."""
    is_internal: bool
    """Whether it is the internal scope of a service with two scopes."""
    rev_nat: int | None
    """Its number, by which replies find it; nothing where slot 0 is missing."""
    flags: tuple[str, ...]
    """Its type first: `ClusterIP`, `NodePort` …; empty where slot 0 is missing."""
    backends: Mapping[int, str]
    """Backends by slot, from 1: `ip:port/PROTOCOL`."""
    broken: Mapping[int, int]
    """Slots whose backend is in no map: the backend's number by slot (0 for a slot that is not told)."""

    @property
    def is_wildcard(self) -> bool:
        """Whether it stands for all other ports of an address: such entries have no backend by design."""
        return self.rev_nat == 0 and ":0/" in self.address and not self.backends


@dataclass(frozen=True, kw_only=True)
class ServiceMap(Fact):
    """`cilium-dbg bpf lb list` of one node."""

    items: tuple[MapService, ...]
    """By address."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @cached_property
    def by_address(self) -> Mapping[tuple[str, bool], MapService]:
        """By address and whether it is the internal scope."""
        return {(item.address, item.is_internal): item for item in self.items}


@dataclass(slots=True)
class _Slots:
    rev_nat: int | None = None
    flags: tuple[str, ...] = ()
    backends: dict[int, str] | None = None
    broken: dict[int, int] | None = None

    def add(self, line: str, slot: int | None) -> None:
        missing = _NOT_FOUND.fullmatch(line)
        if missing:
            self.broken = {**(self.broken or {}), slot or 0: int(missing["id"])}
            return
        match = _BACKEND.fullmatch(line)
        if not match:
            raise Unreadable(f"not a slot of a service: {line[:80]!r}")
        if int(match["slot"]):
            self.backends = {**(self.backends or {}), int(match["slot"]): match["address"]}
            return
        flags = _FLAGS.match(match["rest"])
        self.rev_nat = int(match["rev"])
        self.flags = tuple(word.strip() for word in flags["flags"].split(",")) if flags else ()


def _services(provenance: Provenance, rows: Rows) -> ServiceMap:
    found: dict[tuple[str, bool], _Slots] = defaultdict(_Slots)
    for key, lines in rows.items():
        address, is_internal, slot = _frontend(key)
        for line in lines:
            found[address, is_internal].add(line.strip(), slot)
    items = tuple(
        MapService(
            address,
            internal,
            slots.rev_nat,
            slots.flags,
            dict(sorted((slots.backends or {}).items())),
            slots.broken or {},
        )
        for (address, internal), slots in sorted(found.items())
    )
    return ServiceMap(provenance=provenance, items=items)


def _frontend(key: str) -> tuple[str, bool, int | None]:
    match = _KEY.fullmatch(key)
    if not match or ":" not in match["address"]:
        raise Unreadable(f"not a frontend: {key[:80]!r}")
    return match["address"], bool(match["internal"]), int(match["slot"]) if match["slot"] else None


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of a frontend, by numbers."""

    address: str
    """`ip:port/PROTOCOL` of the frontend."""
    slot: int | None
    """0 for the frontend itself; nothing when not told."""
    backend: int
    """The number of its backend; 0 for slot 0, or the port of a proxy there."""
    count: int
    """How many slots follow, in slot 0."""
    quarantined: int | None
    """How many of them are quarantined; nothing before 1.17."""
    rev_nat: int
    """The number by which replies find the frontend."""
    flags: tuple[int, ...]
    """Both bytes of flags."""


@dataclass(frozen=True, kw_only=True)
class SlotMap(Fact):
    """`cilium-dbg bpf lb list --frontends` of one node."""

    items: tuple[Slot, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _slots(provenance: Provenance, rows: Rows) -> SlotMap:
    items = tuple(_slot(key, line.strip()) for key, lines in rows.items() for line in lines)
    return SlotMap(provenance=provenance, items=items)


def _slot(key: str, line: str) -> Slot:
    address, _, slot = _frontend(key)
    match = _COUNT.fullmatch(line)
    if not match:
        raise Unreadable(f"not a slot of a service: {line[:80]!r}")
    quarantined = int(match["quarantined"]) if match["quarantined"] else None
    flags = tuple(map(number_in, match["flags"].split()))
    return Slot(
        address, slot, int(match["backend"]), int(match["count"]), quarantined, int(match["rev"]), flags
    )


@dataclass(frozen=True, slots=True)
class MapBackend:
    """One backend; its port stands only in the list of services."""

    id: int
    """Its number, by which slots name it."""
    address: str
    """Its address."""
    protocol: str
    """`TCP`, `UDP` …; empty when not told."""
    zone: str
    """Where it is; empty when not told."""


@dataclass(frozen=True, kw_only=True)
class BackendMap(Fact):
    """`cilium-dbg bpf lb list --backends` of one node."""

    items: tuple[MapBackend, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _backends(provenance: Provenance, rows: Rows) -> BackendMap:
    items = tuple(_backend(key, line.strip()) for key, lines in rows.items() for line in lines)
    return BackendMap(provenance=provenance, items=items)


def _backend(key: str, line: str) -> MapBackend:
    match = _ADDRESS.fullmatch(line)
    if not match:
        raise Unreadable(f"not a backend: {line[:80]!r}")
    return MapBackend(number_in(key), match["ip"], match["protocol"] or "", (match["zone"] or "").strip("[]"))


@dataclass(frozen=True, kw_only=True)
class ReverseNatMap(Fact):
    """`cilium-dbg bpf lb list --revnat` of one node: to which frontend replies are turned back."""

    frontends: Mapping[int, str]
    """`ip:port` by number."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _reverse(provenance: Provenance, rows: Rows) -> ReverseNatMap:
    if any(len(lines) != 1 or ":" not in lines[0] for lines in rows.values()):
        raise Unreadable("a number leads to no frontend")
    found = {number_in(key): lines[0].strip() for key, lines in rows.items()}
    return ReverseNatMap(provenance=provenance, frontends=found)


@dataclass(frozen=True, kw_only=True)
class SourceRangeMap(Fact):
    """`cilium-dbg bpf lb list --source-ranges` of one node: who may use a service."""

    items: tuple[tuple[int, str], ...]
    """Number of the frontend, and prefix."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


_RANGE = re.compile(r"(?P<cidr>\S{3,60}) \((?P<rev>\d{1,10})\)")


def _ranges(provenance: Provenance, rows: Rows) -> SourceRangeMap:
    matches = [_RANGE.fullmatch(key.strip()) for key in rows]
    items = tuple((int(match["rev"]), prefix_in(match["cidr"])) for match in matches if match)
    if len(items) < len(matches):
        raise Unreadable("a source range names no prefix or no frontend")
    return SourceRangeMap(provenance=provenance, items=items)


_SLOTS_OF = "BACKEND ADDRESS (REVNAT_ID) (SLOT)"
ServiceMap.ways = dumped("service map", _LIST, ("SERVICE ADDRESS", _SLOTS_OF), _services)
SlotMap.ways = dumped("map of slots", (*_LIST, "--frontends"), ("SERVICE ADDRESS", "BACKEND ID"), _slots)
BackendMap.ways = dumped("backend map", (*_LIST, "--backends"), ("ID", _SLOTS_OF), _backends)
ReverseNatMap.ways = dumped("reverse NAT map", (*_LIST, "--revnat"), ("ID", _SLOTS_OF), _reverse)
SourceRangeMap.ways = dumped(
    "source range map", (*_LIST, "--source-ranges"), ("SOURCE RANGE (REVNAT_ID)",), _ranges
)
