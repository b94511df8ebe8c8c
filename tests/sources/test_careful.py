from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

from playbooks.model.answer import End, Gap, GapKind, answer
from playbooks.model.request import AgentCommand, ContainerLog, Objects, Request
from playbooks.sources.access import ConnectOptions, load
from playbooks.sources.careful import Careful, Limits
from playbooks.sources.live import live_cluster
from playbooks.sources.stream import Closing
from playbooks.sources.workers import Load, Slots, Workers
from tests.sources.apiserver import ApiServer, Output, pod, refusal
from tests.sources.living import HASTY, PODS, SECRETS, agent, answered, gap_of

NOW = datetime(2026, 11, 23, tzinfo=UTC)


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


class Asked:
    """A source that answers when the test lets it, and knows what is open."""

    name = "test"
    now = NOW

    def __init__(self, chunks: list[bytes] | None = None, gap: GapKind | None = None) -> None:
        self.chunks = chunks or []
        self.gap = gap
        self.open_now: list[Request] = []
        self.most = 0
        self.all: list[Request] = []
        self.memory = b"max\n200000000\nMemAvailable:   16000000 kB\n"
        self.gate = asyncio.Event()
        self.gate.set()

    async def open(self, request: Request, look: int) -> AsyncGenerator[bytes | End | Gap, None]:
        if isinstance(request, AgentCommand) and request.argv[0] == "cat":
            yield self.memory
            yield End(request.command(), "there", NOW, 0.1)
            return
        self.all.append(request)
        self.open_now.append(request)
        self.most = max(self.most, len(self.open_now))
        try:
            await self.gate.wait()
            for chunk in self.chunks:
                yield chunk
            if self.gap:
                yield Gap(self.gap, "so it is")
            else:
                yield End(request.command(), "there", NOW, 0.1)
        finally:
            self.open_now.remove(request)

    async def pause(self, seconds: float) -> None: ...

    async def close(self) -> None: ...


async def turns(count: int = 20) -> None:
    """Let every task run as far as it can."""
    for _ in range(count):
        await asyncio.sleep(0)


def several(count: int, node: str = "") -> list[AgentCommand]:
    return [agent("cilium-dbg", str(number), node=node or f"node-{number}") for number in range(count)]


async def test_one_command_at_a_time_in_one_agent() -> None:
    asked = Asked()
    careful = Careful(asked)
    await asyncio.gather(*(answered(careful, request) for request in several(10, "node-1")))
    assert asked.most == 1
    assert len(asked.all) == 10


async def test_agents_do_not_wait_for_each_other_beyond_the_workers() -> None:
    asked = Asked()
    asked.gate.clear()
    careful = Careful(asked, Limits(workers=3))
    asking = [asyncio.create_task(answer(careful, request, 1)) for request in several(10)]
    await turns()
    assert len(asked.open_now) == 3
    asked.gate.set()
    await asyncio.gather(*asking)
    assert asked.most == 3


async def test_a_hanging_agent_holds_one_worker_however_much_it_is_asked() -> None:
    asked = Asked()
    asked.gate.clear()
    careful = Careful(asked, Limits(workers=3))
    hanging = [asyncio.create_task(answer(careful, request, 1)) for request in several(10, "node-1")]
    await turns()
    others = [asyncio.create_task(answer(careful, agent("a", node=node), 1)) for node in ("node-2", "node-3")]
    await turns()
    assert sorted(request.node for request in asked.open_now) == ["node-1", "node-2", "node-3"]
    asked.gate.set()
    await asyncio.gather(*hanging, *others)


async def test_objects_are_read_even_when_all_workers_are_busy() -> None:
    asked = Asked()
    asked.gate.clear()
    careful = Careful(asked, Limits(workers=1))
    log = ContainerLog("kube-system", "cilium-a", "cilium-agent")
    asking = [
        asyncio.create_task(answer(careful, request, 1)) for request in (*several(1), log, Objects(PODS))
    ]
    await turns()
    assert len(asked.open_now) == 2
    asked.gate.set()
    await asyncio.gather(*asking)


async def test_who_stops_waiting_leaves_the_line() -> None:
    asked = Asked()
    asked.gate.clear()
    careful = Careful(asked, Limits(workers=1))
    asking = [asyncio.create_task(answer(careful, request, 1)) for request in several(4)]
    await turns()
    asking[1].cancel()
    asking[0].cancel()
    await turns()
    assert [request.node for request in asked.open_now] == ["node-2"]
    asked.gate.set()
    await asyncio.gather(*asking, return_exceptions=True)
    assert not asked.open_now


async def test_an_agent_runs_only_so_many_commands_in_a_look() -> None:
    asked = Asked()
    careful = Careful(asked, kubectl="kubectl --context prod")
    for request in several(40, "node-1"):
        await answered(careful, request)
    gap = await gap_of(careful, agent("cilium-dbg", "status", "-o", "json"))
    assert gap.kind is GapKind.TOO_COSTLY
    assert "40 commands" in gap.detail
    assert gap.command == (
        "kubectl --context prod -n kube-system exec cilium-a -c cilium-agent -- cilium-dbg status -o json"
    )
    assert "by hand" in gap.remedy
    assert gap.node == "node-1"
    assert len(asked.all) == 40
    await answered(careful, agent("cilium-dbg", "status"), look=2)
    await answered(careful, agent("cilium-dbg", "status", node="node-2"))


async def test_4_megabytes_of_light_output_per_agent_and_look() -> None:
    asked = Asked([b"x" * 1024 * 1024] * 3)
    careful = Careful(asked)
    await answered(careful, agent("a"))
    cut = await gap_of(careful, agent("b"))
    unsent = await gap_of(careful, agent("c"))
    assert cut.kind is unsent.kind is GapKind.TOO_COSTLY
    assert "4 MiB" in cut.detail
    assert len(asked.all) == 2
    assert not asked.open_now
    await answered(careful, agent("dump", is_heavy=True))
    await answered(careful, agent("d"), look=2)


async def test_dumps_run_on_one_node_in_twenty() -> None:
    asked = Asked()
    careful = Careful(asked)
    for request in several(40):
        await answered(careful, request)
    asked.most = 0
    asked.gate.clear()
    dumps = [agent("dump", node=f"node-{number}", is_heavy=True) for number in range(6)]
    asking = [asyncio.create_task(answer(careful, request, 1)) for request in dumps]
    await turns()
    asked.gate.set()
    await asyncio.gather(*asking)
    assert asked.most == 2


async def test_one_dump_at_a_time_in_a_small_cluster() -> None:
    asked = Asked()
    careful = Careful(asked)
    dumps = [agent("dump", node=f"node-{number}", is_heavy=True) for number in range(3)]
    await asyncio.gather(*(answered(careful, request) for request in dumps))
    assert asked.most == 1


async def test_without_exec_nothing_runs() -> None:
    asked = Asked()
    careful = Careful(asked, Limits(no_exec=True))
    gap = await gap_of(careful, agent("cilium-dbg", "status"))
    assert gap.kind is GapKind.TOO_COSTLY
    assert gap.detail == "exec is switched off (--no-exec)"
    assert asked.all == []
    await answered(careful, Objects(PODS))


async def test_an_agent_that_is_silent_twice_is_not_asked_a_third_time() -> None:
    asked = Asked(gap=GapKind.TIMED_OUT)
    careful = Careful(asked)
    gaps = [await gap_of(careful, request) for request in several(5, "node-1")]
    assert {gap.kind for gap in gaps} == {GapKind.TIMED_OUT}
    assert len(asked.all) == 2
    assert "not asked" in gaps[2].detail
    await gap_of(careful, agent("a"), look=2)
    assert len(asked.all) == 3


async def test_closing_early_lets_go_of_everything() -> None:
    asked = Asked([b"x"] * 10)
    careful = Careful(asked, Limits(workers=1))
    async with Closing(careful.open(agent("a"), 1)) as pieces:
        assert await anext(pieces) == b"x"
    assert not asked.open_now
    await answered(careful, agent("b"))


class TestWorkers:
    def test_pressure_halves_once_a_second(self) -> None:
        clock = Clock()
        workers = Workers(64, clock)
        for _ in range(64):
            workers.press("HTTP 429")
        assert workers.state == Load(32, 64, "HTTP 429")
        clock.seconds += 1.5
        workers.press("HTTP 503")
        assert workers.state == Load(16, 64, "HTTP 503")
        for _ in range(10):
            clock.seconds += 1.5
            workers.press("HTTP 503")
        assert workers.state.workers == 1

    def test_it_recovers_slowly(self) -> None:
        workers = Workers(64, Clock())
        workers.press("HTTP 429")
        for _ in range(31):
            workers.answered("status", 0.1)
        assert workers.state.workers == 32
        workers.answered("status", 0.1)
        assert workers.state == Load(36, 64, "HTTP 429")
        for _ in range(1000):
            workers.answered("status", 0.1)
        assert workers.state == Load(64, 64, "")

    def test_rising_latency_halves(self) -> None:
        clock = Clock()
        workers = Workers(64, clock)
        for _ in range(20):
            workers.answered("status", 0.2)
        for _ in range(16):
            workers.answered("status", 2.0)
        assert workers.state.workers == 32
        assert "times as long as before" in workers.state.reason

    def test_slow_commands_are_no_rising_latency(self) -> None:
        workers = Workers(64, Clock())
        for number in range(64):
            workers.answered(f"slow {number % 3}", 3.0)
            workers.answered("quick", 0.05 if number % 2 else 0.3)
        assert workers.state == Load(64, 64, "")

    async def test_a_smaller_limit_holds_for_those_who_wait(self) -> None:
        slots = Slots(4)
        running = 0
        gate = asyncio.Event()

        async def work() -> None:
            nonlocal running
            async with slots:
                running += 1
                await gate.wait()
                running -= 1

        first = [asyncio.create_task(work()) for _ in range(4)]
        await turns()
        slots.limit = 1
        more = [asyncio.create_task(work()) for _ in range(3)]
        await turns()
        assert running == 4
        first[0].cancel()
        await turns()
        assert running == 4
        gate.set()
        await asyncio.gather(*first, *more, return_exceptions=True)


async def test_a_whole_live_cluster(tmp_path: Path) -> None:
    async with ApiServer() as server:
        server.items["/api/v1/pods"] = [pod("a")]
        server.outputs[("cilium-dbg", "status")] = Output(b"token=abc\n")
        server.replies["/api/v1/pods"] = [refusal(429, "too many", Retry_After="0")]
        cluster = live_cluster(server.access(tmp_path), patience=HASTY)
        assert await cluster.live.connect() == "v1.34.4"
        assert (await answered(cluster.source, agent("cilium-dbg", "status"))).body == b"token=<redacted>\n"
        assert cluster.source.state.workers == 64
        await answered(cluster.source, Objects(PODS))
        assert cluster.source.state == Load(32, 64, "HTTP 429")
        secret = await gap_of(cluster.source, Objects(SECRETS))
        assert "--context test get secrets -A" in secret.command
        await cluster.source.close()
    assert not any("secrets" in asked.path for asked in server.asked)


async def test_the_number_of_workers_is_an_option(tmp_path: Path) -> None:
    async with ApiServer() as server:
        access = server.access(tmp_path)
        options = ConnectOptions(kubeconfig=access.options.kubeconfig, workers=5)
        cluster = live_cluster(load(options, {}))
        assert cluster.source.state == Load(5, 5, "")
        await cluster.source.close()


async def test_pauses_and_names_are_the_sources() -> None:
    careful = Careful(Asked())
    assert (careful.name, careful.now) == ("test", NOW)
    await careful.pause(5.0)
