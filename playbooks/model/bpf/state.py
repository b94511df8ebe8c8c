"""What maps and files tell of the datapath itself: its clock, its templates, how many entries maps hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from playbooks.model.answer import Answer
from playbooks.model.bpf.dumps import Rows, dumped, entries_of, lines_of, mapped, number_in
from playbooks.model.cilium.agent.columns import Row, rows_in
from playbooks.model.cilium.agent.commands import answered, asks
from playbooks.model.cilium.agents import Agents
from playbooks.model.cilium.wire import number_of, struct_of, text_of
from playbooks.model.fact import Fact, Provenance, Scope, Unreadable, Way


@dataclass(frozen=True, kw_only=True)
class RuntimeConfig(Fact):
    """`cilium-dbg bpf config list` of one node."""

    values: Mapping[str, int]
    """By name, such as `AgentLiveness`."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def agent_alive_at(self) -> int | None:
        """When the agent last said that it lives, in nanoseconds of uptime; stands still while it hangs."""
        return self.values.get("AgentLiveness")


class _Setting(msgspec.Struct, frozen=True, rename="pascal"):
    key: str
    value: int


def _config_json(answer: Answer) -> RuntimeConfig:
    values = {one.key: one.value for one in entries_of(answer, _Setting)}
    return RuntimeConfig(provenance=Provenance.of(answer.request, answer.end), values=values)


def _config_text(answer: Answer) -> RuntimeConfig:
    rows = rows_in(lines, ("KEY", "VALUE")) if (lines := lines_of(answer)) else ()
    values = {row.text("KEY"): row.number("VALUE") for row in rows}
    return RuntimeConfig(provenance=Provenance.of(answer.request, answer.end), values=values)


@dataclass(frozen=True, kw_only=True)
class Templates(Fact):
    """`cilium-dbg bpf sha list` of one node: which endpoints share a compiled program."""

    endpoints: Mapping[str, tuple[int, ...]]
    """Endpoints by the template's hash."""
    troubled: Mapping[str, tuple[int, ...]]
    """Endpoints whose template cannot be told, by what is wrong with it."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]


def _templates(provenance: Provenance, rows: Rows) -> Templates:
    # A template that no endpoint uses any more stands with a dash.
    used = {key: [line.strip() for line in lines if line.strip() != "-"] for key, lines in rows.items()}
    found = {key: tuple(map(number_in, lines)) for key, lines in used.items()}
    return Templates(
        provenance=provenance,
        endpoints={key: ids for key, ids in found.items() if not key.startswith("<")},
        troubled={key.strip("<>"): ids for key, ids in found.items() if key.startswith("<")},
    )


@dataclass(frozen=True, slots=True)
class MapCount:
    """How full one map is, as the agent knows it."""

    name: str
    """Its name, such as `cilium_ipcache_v2`."""
    entries: int | None
    """How many it holds, by the agent's cache or the kernel; nothing for maps that it does not have open."""
    errors: int | None
    """Entries that could not be written; nothing when not told."""


@dataclass(frozen=True, kw_only=True)
class MapCounts(Fact):
    """`cilium-dbg map list` of one node."""

    items: tuple[MapCount, ...]
    """In no order."""
    scope: ClassVar[Scope] = Scope.NODE
    needs: ClassVar[tuple[type[Fact], ...]] = (Agents,)
    ways: ClassVar[tuple[Way, ...]]

    @property
    def failing(self) -> tuple[MapCount, ...]:
        """Maps with entries that could not be written."""
        return tuple(item for item in self.items if item.errors)


class _CacheEntry(msgspec.Struct, frozen=True, rename="kebab"):
    last_error: str = ""


class _Cache(msgspec.Struct, frozen=True):
    path: str
    cache: tuple[_CacheEntry, ...] | None = None


class _Caches(msgspec.Struct, frozen=True):
    maps: tuple[_Cache, ...]


def _counts_text(answer: Answer) -> MapCounts:
    rows = rows_in(text_of(answer).split("\n"), ("Name", "Num entries", "Num errors"))
    return MapCounts(provenance=Provenance.of(answer.request, answer.end), items=tuple(map(_count, rows)))


def _count(row: Row) -> MapCount:
    return MapCount(row.text("Name"), number_of(row.text("Num entries")), number_of(row.text("Num errors")))


def _counts_json(answer: Answer) -> MapCounts:
    maps = struct_of(answer, _Caches).maps
    return MapCounts(provenance=Provenance.of(answer.request, answer.end), items=tuple(map(_counted, maps)))


def _counted(one: _Cache) -> MapCount:
    # A map that is not open has no cache either: it may be empty or not.
    if one.cache is None:
        return MapCount(one.path.rpartition("/")[2], None, None)
    errors = sum(bool(entry.last_error) for entry in one.cache)
    return MapCount(one.path.rpartition("/")[2], len(one.cache), errors)


_HEADING = re.compile(r"^## Map: (\S{1,200})$")


def _counts_verbose(answer: Answer) -> MapCounts:
    lines = text_of(answer).split("\n")
    starts = [at for at, line in enumerate(lines) if _HEADING.match(line)]
    if not starts:
        raise Unreadable("the answer names no map", 0)
    ends = [*starts[1:], len(lines)]
    blocks = [lines[start:end] for start, end in zip(starts, ends, strict=True)]
    if answer.end.is_truncated:
        # The last map may lack entries, or its end mark.
        blocks.pop()
    items = tuple(map(_count_of_block, blocks))
    return MapCounts(provenance=Provenance.of(answer.request, answer.end), items=items)


def _count_of_block(block: Sequence[str]) -> MapCount:
    name = block[0].removeprefix("## Map: ")
    first, *rest = [line for line in block[1:] if line.strip()] or [""]
    if first == "Cache is disabled":
        return MapCount(name, None, None)
    if first == "Cache is empty":
        return MapCount(name, 0, 0)
    at, state = first.find("Error"), first.find("State")
    if not first.startswith("Key ") or not 0 < state < at:
        raise Unreadable(f"what map {name[:80]} holds is not told: {first[:80]!r}")
    # Values of conntrack end with a line break, so that they reach over the columns behind them.
    is_over = any(line[state - 1 : state].strip() for line in rest)
    return MapCount(name, len(rest), None if is_over else sum(bool(line[at:].strip()) for line in rest))


_CONFIG = ("cilium-dbg", "bpf", "config", "list")
RuntimeConfig.ways = (
    mapped("runtime configuration", asks(*_CONFIG, "-o", "json"), _config_json),
    mapped("runtime configuration as text", asks(*_CONFIG), _config_text),
)
Templates.ways = dumped(
    "templates", ("cilium-dbg", "bpf", "sha", "list"), ("Datapath SHA", "Endpoint(s)"), _templates
)
# As JSON it prints everything that all maps hold, so the table is asked for first.
MapCounts.ways = (
    answered("agent's maps", asks("cilium-dbg", "map", "list"), _counts_text),
    answered(
        "agent's maps with their content",
        asks("cilium-dbg", "map", "list", "-o", "json", is_heavy=True),
        _counts_json,
    ),
    answered(
        "agent's maps with their content as text",
        asks("cilium-dbg", "map", "list", "--verbose", is_heavy=True),
        _counts_verbose,
    ),
)
