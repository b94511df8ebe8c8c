"""An agent without the memory for a dump is not asked for one."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import UTC, datetime

import pytest

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.request import AgentCommand, Request
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World
from playbooks.sources.careful import Careful, Limits
from playbooks.sources.memory import free_memory
from tests.practice.worlds import seen
from tests.sources.living import agent, answered, gap_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)
MIB = 1024 * 1024
HEAD = "Name                    Num entries   Num errors   Cache enabled\n"
CONNTRACK = ("cilium-dbg", "bpf", "ct", "list", "global", "-o", "json")


class Node:
    """A source that tells its memory, its maps, and prints a small dump."""

    name = "test"
    now = NOW

    def __init__(self, memory: bytes | Gap, maps: str) -> None:
        self.memory, self.maps = memory, maps.encode()
        self.asked: list[str] = []

    async def open(self, request: Request, look: int) -> AsyncGenerator[bytes | End | Gap, None]:
        del look
        assert isinstance(request, AgentCommand)
        self.asked.append(request.argv[0] if request.argv[0] == "cat" else request.argv[1])
        if request.argv[0] == "cat":
            yield self.memory
            if isinstance(self.memory, Gap):
                return
        else:
            yield self.maps if request.argv[1] == "map" else b"[]"
        yield End(request.command(), "node-1", NOW, 0.1)

    async def pause(self, seconds: float) -> None: ...

    async def close(self) -> None: ...


def memory(limit: str, used: int, available: int) -> bytes:
    return f"{limit}\n{used}\nMemTotal: 16179520 kB\nMemAvailable: {available // 1024} kB\n".encode()


def maps(entries: object) -> str:
    return f"{HEAD}cilium_ct4_global       {entries}        0            true\n"


def dump(*argv: str) -> AgentCommand:
    return agent(*(argv or CONNTRACK), is_heavy=True)


async def test_a_dump_that_fits_ten_times_is_asked_for() -> None:
    node = Node(memory("max", 100 * MIB, 2000 * MIB), maps(500_000))
    assert (await answered(Careful(node), dump())).body == b"[]"
    assert node.asked == ["cat", "map", "bpf"]


@pytest.mark.parametrize(
    ("told", "left"),
    [
        (memory("max", 100 * MIB, 1000 * MIB), 1000),
        (memory(str(1024 * MIB), 300 * MIB, 64_000 * MIB), 724),
        (memory("9223372036854771712", 300 * MIB, 900 * MIB), 900),
        (memory(str(512 * MIB), 600 * MIB, 900 * MIB), 0),
    ],
)
async def test_a_dump_that_does_not_is_too_costly(told: bytes, left: int) -> None:
    node = Node(told, maps(500_000))
    gap = await gap_of(Careful(node, kubectl="kubectl --context prod"), dump())
    assert gap.kind is GapKind.TOO_COSTLY
    assert gap.detail == (f"the agent has {left} MiB of memory left, and this dump may take 1669 MiB of it")
    assert (
        gap.command
        == f"kubectl --context prod -n kube-system exec cilium-a -c cilium-agent -- {' '.join(CONNTRACK)}"
    )
    assert gap.remedy == "run the command by hand"
    assert node.asked == ["cat", "map"]


@pytest.mark.parametrize("text", ["unknown", "entries", ""])
async def test_where_nobody_counts_many_entries_are_assumed(text: str) -> None:
    node = Node(memory("max", 0, 500 * MIB), maps(text) if text else "")
    assert "may take 668 MiB" in (await gap_of(Careful(node), dump())).detail


async def test_translations_are_taken_to_be_two_for_a_connection() -> None:
    node = Node(memory("max", 0, 500 * MIB), maps(120_000))
    gap = await gap_of(Careful(node), dump("cilium-dbg", "bpf", "nat", "list", "-o", "json"))
    assert "may take 573 MiB" in gap.detail


@pytest.mark.parametrize(
    "told", [b"", b"cat: not found\n", b"max\n", b"MemAvailable: 16000000 kB\n", Gap(GapKind.TIMED_OUT, "no")]
)
async def test_an_agent_whose_memory_is_not_told_is_not_asked(told: bytes | Gap) -> None:
    node = Node(told, maps(5))
    gap = await gap_of(Careful(node), dump())
    assert gap.kind is GapKind.TOO_COSTLY
    assert "nothing tells how much memory the agent has left" in gap.detail
    assert node.asked == ["cat"]


async def test_light_commands_ask_for_no_memory() -> None:
    node = Node(b"", "")
    await answered(Careful(node), agent("cilium-dbg", "status"))
    assert node.asked == ["status"]


async def test_the_check_counts_among_the_commands_of_an_agent() -> None:
    node = Node(memory("max", 0, 9000 * MIB), maps(5))
    careful = Careful(node, Limits(commands=24))
    for _ in range(8):
        await answered(careful, dump())
    gap = await gap_of(careful, dump())
    assert "has run 24 commands" in gap.detail


@pytest.mark.parametrize(
    ("text", "free"),
    [
        (b"max\n5\nMemAvailable: 7 kB\n", 7 * 1024),
        (b"100\n40\nMemAvailable: 7 kB\n", 60),
        (b"100\n400\n", 0),
        (b"max\n5\n", None),
        (b"-1\n5\n", None),
        (b"max\n" + b"9" * 30 + b"\nMemAvailable: 7 kB\n", None),
        (b"\xff" * 100, None),
    ],
)
def test_what_is_free(text: bytes, free: int | None) -> None:
    assert free_memory(text) == free


async def test_agents_of_the_practice_world_have_room() -> None:
    world: World = seen()
    run = next(iter(world.agents.values()))
    request = AgentCommand(run.node, run.namespace, run.name, "cilium-agent", CONNTRACK, is_heavy=True)
    got = await answered(Careful(WorldSource(world)), request)
    assert got.body.startswith(b"[")
