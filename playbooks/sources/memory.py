"""Whether an agent has the memory for a dump: its command collects everything before it prints."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec

from playbooks.model.answer import Answer, Gap, Source, answer
from playbooks.model.bpf.state import MapCounts
from playbooks.model.fact import Unreadable
from playbooks.model.request import AgentCommand

TIMES = 10
"""How many times the expected output must fit into what is free."""
COMMANDS = 2
"""How many light commands are run to find that out."""
ASSUMED = 200_000
"""Entries that a dump is taken to have where nobody counts them."""
_FILES = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory.current",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
    "/sys/fs/cgroup/memory/memory.usage_in_bytes",
    "/proc/meminfo",
)
_AVAILABLE = re.compile(rb"^MemAvailable:\s*(\d{1,15}) kB\s*$", re.MULTILINE)
_AMOUNT = re.compile(rb"^(\d{1,20}|max)$")
_CONNECTION, _TRANSLATION, _OTHER = 350, 250, 250
_MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Room:
    """What is free in a container, and what a dump would need there."""

    free: int
    """Bytes that its processes may still take."""
    expected: int
    """Bytes that the dump would print."""

    @property
    def is_enough(self) -> bool:
        """Whether the dump may be asked for."""
        return self.free >= TIMES * self.expected


async def refusal(source: Source, request: AgentCommand, look: int) -> str:
    """Why a dump is too costly for the agent that it would run in; empty when it is not.

    Two light commands are run there: files that tell the memory, and the agent's counts of its maps.
    """
    free = await _free(source, request, look)
    if free is None:
        return "nothing tells how much memory the agent has left, and this dump is collected in it"
    room = Room(free, await _expected(source, request, look))
    if room.is_enough:
        return ""
    needed, free_ = (-(-size // _MIB) for size in (TIMES * room.expected, room.free))
    return f"the agent has {free_} MiB of memory left, and this dump may take {needed} MiB of it"


async def _free(source: Source, request: AgentCommand, look: int) -> int | None:
    got = await answer(source, _light(request, "cat", *_FILES), look)
    # Some of the files are missing on every system, which is an exit code and no matter.
    return free_memory(got.body) if isinstance(got, Answer) else None


async def _expected(source: Source, request: AgentCommand, look: int) -> int:
    got = await answer(source, _light(request, "cilium-dbg", "map", "list"), look)
    return expected_size(request.argv, _counts(got))


def free_memory(text: bytes) -> int | None:
    """What is free by the container's limit and by the node's memory, the less of both, if told."""
    lines = [line.strip() for line in text.split(b"\n", len(_FILES))]
    amounts = [line for line in lines[: len(_FILES) - 1] if _AMOUNT.match(line)][:2]
    if len(amounts) < 2:
        return None
    found = _AVAILABLE.search(text)
    free = [int(found[1]) * 1024] if found else []
    if b"max" not in amounts:
        limit, used = map(int, amounts)
        free.append(max(limit - used, 0))
    return min(free, default=None)


def expected_size(argv: tuple[str, ...], counts: MapCounts | None) -> int:
    """How many bytes a dump prints at most, as far as counts tell."""
    if argv[1:3] == ("bpf", "ct"):
        return _CONNECTION * _entries(counts, "cilium_ct")
    if argv[1:3] == ("bpf", "nat"):
        # Nobody counts translations: there are two for a connection at most.
        return _TRANSLATION * 2 * _entries(counts, "cilium_ct")
    return _OTHER * _entries(counts, "cilium_")


def _entries(counts: MapCounts | None, prefix: str) -> int:
    known = list(_known(counts, prefix)) if counts is not None else []
    return sum(known) if known else ASSUMED


def _known(counts: MapCounts, prefix: str) -> Iterator[int]:
    for one in counts.items:
        if one.name.startswith(prefix):
            yield ASSUMED if one.entries is None and "_ct" in one.name else one.entries or 0


def _counts(got: Answer | Gap) -> MapCounts | None:
    if isinstance(got, Gap):
        return None
    reader = MapCounts.ways[0].reader()
    try:
        reader.feed(got.body)
        fact = reader.finish(got.request, got.end)
    except Unreadable:
        return None
    return fact if isinstance(fact, MapCounts) else None


def _light(request: AgentCommand, *argv: str) -> AgentCommand:
    return msgspec.structs.replace(request, argv=argv, is_heavy=False)
