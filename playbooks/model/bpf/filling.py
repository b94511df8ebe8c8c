"""How full the maps of a node are: what they hold against what they can hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import ClassVar

from playbooks.model.answer import Gap
from playbooks.model.bpf.programs import KernelMaps
from playbooks.model.bpf.state import MapCounts
from playbooks.model.fact import Fact, Scene, Scope

_FIXED = ("array", "percpu_array", "prog_array", "perf_event_array", "hash_of_maps", "array_of_maps")
"""Types of maps that are always full, or hold other maps."""


@dataclass(frozen=True, slots=True, order=True)
class Filling:
    """How full one map is."""

    name: str
    """Its name, such as `cilium_ipcache_v2`."""
    entries: int
    """How many it holds."""
    maximum: int
    """How many it can hold."""
    is_lru: bool
    """Whether a full map forgets its oldest entries instead of refusing new ones."""

    @property
    def share(self) -> float:
        """How full, from 0 to 1."""
        return self.entries / self.maximum


@dataclass(frozen=True, kw_only=True)
class MapFilling(Fact):
    """How full the maps of one node are, of those whose entries and size are both known for certain.

    The NAT table is not among them: agents do not count it. `NatTable` does.
    """

    items: tuple[Filling, ...]
    """The fullest first."""
    unknown: tuple[str, ...]
    """Maps of which the entries or the size is not known."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (MapCounts, KernelMaps)
    is_view: ClassVar[bool] = True

    @classmethod
    def derive(cls, scene: Scene) -> MapFilling | Gap:
        """Match the agent's counts with the kernel's sizes."""
        counts, maps = scene.get(MapCounts), scene.get(KernelMaps)
        if isinstance(counts, Gap):
            return counts
        if isinstance(maps, Gap):
            return maps
        found = tuple(_fillings(counts, maps))
        known = {one.name for one in found}
        return cls(
            provenance=replace(counts.provenance, way="entries against sizes"),
            items=tuple(sorted(found, key=lambda one: (-one.share, one.name))),
            unknown=tuple(one.name for one in counts.items if one.name not in known),
        )

    def at_least(self, share: float) -> tuple[Filling, ...]:
        """Maps that are so full or fuller."""
        return tuple(one for one in self.items if one.share >= share)


def _fillings(counts: MapCounts, maps: KernelMaps) -> Iterator[Filling]:
    for count in counts.items:
        sizes = {(one.max_entries, one.is_lru) for one in maps.named(count.name) if one.type not in _FIXED}
        # The kernel cuts names: where maps of different sizes look alike, nobody can tell which is meant.
        if count.entries is None or len(sizes) != 1 or "snat" in count.name:
            continue
        maximum, is_lru = sizes.pop()
        if maximum:
            yield Filling(count.name, count.entries, maximum, is_lru)
