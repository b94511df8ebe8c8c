"""What the kernel has loaded: programs and maps, as bpftool shows them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.bpf.bpftool import Block, blocks_in, shown
from playbooks.model.bpf.dumps import number_in
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.health_response import time_of
from playbooks.model.cilium.wire import rows_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way

_LATEST = 1 << 37
"""Seconds since 1970 that no clock shows."""
NAME_LENGTH = 15
"""The kernel cuts names of maps, and of programs without types, after so many characters."""


@dataclass(frozen=True, slots=True)
class Program:
    """One loaded program."""

    id: int
    """Its number in the kernel."""
    type: str
    """`sched_cls`, `cgroup_sock_addr` …; a number where bpftool does not know it."""
    name: str
    """Its name, cut after 15 characters where its types are not known; empty for none."""
    tag: str
    """A hash of its instructions."""
    loaded_at: datetime | None
    """When it was loaded; nothing when not told."""
    maps: tuple[int, ...]
    """Numbers of the maps that it uses."""


@dataclass(frozen=True, kw_only=True)
class Programs(Fact):
    """`bpftool prog show` on one node."""

    items: tuple[Program, ...]
    """By number."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @cached_property
    def by_id(self) -> Mapping[int, Program]:
        """By number."""
        return {item.id: item for item in self.items}

    def named(self, name: str) -> Iterator[Program]:
        """Programs of a name, cut or not."""
        return (item for item in self.items if item.name in (name, name[:NAME_LENGTH]))


class _Program(msgspec.Struct, frozen=True):
    id: int
    type: str | int
    name: str = ""
    tag: str = ""
    loaded_at: int | None = None
    map_ids: tuple[int, ...] | None = None


def _programs_json(answer: Answer) -> Programs:
    items = tuple(
        Program(one.id, str(one.type), one.name, one.tag, _time(one.loaded_at), one.map_ids or ())
        for one in rows_of(answer, _Program)
    )
    return Programs(provenance=Provenance.of(answer.request, answer.end), items=items)


def _time(seconds: int | None) -> datetime | None:
    return datetime.fromtimestamp(seconds, UTC) if seconds is not None and 0 <= seconds < _LATEST else None


def _programs_text(answer: Answer) -> Programs:
    items = tuple(map(_program, blocks_in(answer)))
    if not items:
        raise Unreadable("the answer holds no program", 0)
    return Programs(provenance=Provenance.of(answer.request, answer.end), items=items)


def _program(block: Block) -> Program:
    maps = tuple(number_in(number) for number in block.after("map_ids").split(",") if number)
    loaded = time_of(block.after("loaded_at").replace("+0000", "Z"))
    return Program(block.id, block.type, block.after("name"), block.after("tag"), loaded, maps)


@dataclass(frozen=True, slots=True)
class KernelMap:
    """One map."""

    id: int
    """Its number in the kernel."""
    type: str
    """`hash`, `lru_hash`, `lpm_trie` …"""
    name: str
    """Its name, cut after 15 characters; empty for none."""
    max_entries: int | None
    """How many entries it can hold; nothing when not told."""
    key_bytes: int | None
    """Size of a key; nothing when not told."""
    value_bytes: int | None
    """Size of a value; nothing when not told."""

    @property
    def is_lru(self) -> bool:
        """Whether a full map forgets its oldest entries instead of refusing new ones."""
        return self.type.startswith("lru_")


@dataclass(frozen=True, kw_only=True)
class KernelMaps(Fact):
    """`bpftool map show` on one node."""

    items: tuple[KernelMap, ...]
    """By number."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    def named(self, name: str) -> Iterator[KernelMap]:
        """Maps that may be of this name: the kernel cuts names, so that several names may look alike."""
        return (item for item in self.items if item.name == name[:NAME_LENGTH])


class _Map(msgspec.Struct, frozen=True):
    id: int
    type: str | int
    name: str = ""
    max_entries: int | None = None
    bytes_key: int | None = None
    bytes_value: int | None = None


def _maps_json(answer: Answer) -> KernelMaps:
    items = tuple(
        KernelMap(one.id, str(one.type), one.name, one.max_entries, one.bytes_key, one.bytes_value)
        for one in rows_of(answer, _Map)
    )
    return KernelMaps(provenance=Provenance.of(answer.request, answer.end), items=items)


def _maps_text(answer: Answer) -> KernelMaps:
    items = tuple(map(_map, blocks_in(answer)))
    if not items:
        raise Unreadable("the answer holds no map", 0)
    return KernelMaps(provenance=Provenance.of(answer.request, answer.end), items=items)


def _map(block: Block) -> KernelMap:
    sizes = (block.number(word) for word in ("max_entries", "key", "value"))
    return KernelMap(block.id, block.type, block.after("name"), *sizes)


Programs.ways = (
    shown("bpftool's programs", "prog", "show", "-j", decode=_programs_json),
    shown("bpftool's programs as text", "prog", "show", decode=_programs_text),
)
KernelMaps.ways = (
    shown("bpftool's maps", "map", "show", "-j", decode=_maps_json),
    shown("bpftool's maps as text", "map", "show", decode=_maps_text),
)
