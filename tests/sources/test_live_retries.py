from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from playbooks.model.answer import GapKind
from playbooks.model.request import ContainerLog, Objects
from playbooks.sources.live import LiveSource
from tests.sources.apiserver import Output, Reply, pod, refusal
from tests.sources.living import HASTY, PODS, agent, answered, gap_of, living

STATUS = ("cilium-dbg", "status")
EXEC = "/api/v1/namespaces/kube-system/pods/cilium-a/exec"


@pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
async def test_a_busy_server_is_asked_again(tmp_path: Path, code: int) -> None:
    felt: list[str] = []
    async with living(tmp_path) as (server, source):
        source.listen(felt.append)
        server.items["/api/v1/pods"] = [pod("a")]
        server.replies["/api/v1/pods"] = [refusal(code, "too many"), Reply(code, b"")]
        await answered(source, Objects(PODS))
    assert len(server.asked) == 3
    assert felt == [f"HTTP {code}"] * 2


async def test_a_busy_server_is_asked_again_for_commands_and_logs(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.outputs[STATUS] = Output(b"ok")
        server.replies[EXEC] = [refusal(429, "too many"), Reply(503, b"")]
        assert (await answered(source, agent(*STATUS))).body == b"ok"
        server.replies[EXEC.replace("/exec", "/log")] = [refusal(429, "too many")]
        await answered(source, ContainerLog("kube-system", "cilium-a", "cilium-agent"))


async def test_it_ends_after_a_few_tries(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.refuse = lambda asked: refusal(429, "too many requests")
        gap = await gap_of(source, Objects(PODS))
    assert len(server.asked) == HASTY.tries
    assert gap.kind is GapKind.FAILED
    assert "too busy" in gap.detail
    assert "--workers" in gap.remedy


async def test_retry_after_is_honoured_up_to_a_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    paused: list[float] = []

    async def pause(seconds: float) -> None:
        paused.append(seconds)

    async with living(tmp_path, replace(HASTY, page=30.0, longest_pause=8.0)) as (server, source):
        server.items["/api/v1/pods"] = []
        server.replies["/api/v1/pods"] = [
            refusal(429, "too many", Retry_After="3"),
            refusal(503, "too many", Retry_After="20"),
            refusal(503, "too many", Retry_After="nonsense"),
        ]
        monkeypatch.setattr("playbooks.sources.live.transport.asyncio.sleep", pause)
        await answered(source, Objects(PODS))
    assert paused[:2] == [3.0, 8.0]
    assert paused[2] < 1.0


async def test_nobody_waits_past_the_time_limit(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.refuse = lambda asked: refusal(503, "starting", Retry_After="600")
        gap = await gap_of(source, Objects(PODS))
    assert len(server.asked) == 1
    assert gap.kind is GapKind.UNREACHABLE
    assert "starting" in gap.detail


async def test_a_slow_server_is_a_gap(tmp_path: Path) -> None:
    patience = replace(HASTY, page=0.05)
    async with living(tmp_path, patience) as (server, source):
        server.delay = 30.0
        listed, log = await asyncio.gather(
            gap_of(source, Objects(PODS)),
            gap_of(source, ContainerLog("kube-system", "cilium-a", "cilium-agent", node_name="node-1")),
        )
    assert listed.kind is log.kind is GapKind.TIMED_OUT
    assert "0.05 s" in listed.detail
    assert log.node == "node-1"


async def test_a_connection_that_is_lost_is_opened_again(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.items["/api/v1/pods"] = [pod("a")]
        server.outputs[STATUS] = Output(b"ok")
        server.drops = 2
        await answered(source, Objects(PODS))
        server.drops = 2
        await answered(source, agent(*STATUS))
        server.drops = 100
        gap = await gap_of(source, Objects(PODS))
    assert gap.kind is GapKind.UNREACHABLE
    assert "broke off" in gap.detail


async def test_a_log_that_breaks_off_is_no_answer(tmp_path: Path) -> None:
    async with living(tmp_path) as (server, source):
        server.replies[EXEC.replace("/exec", "/log")] = [Reply(200, b"half", is_cut=True)]
        gap = await gap_of(source, ContainerLog("kube-system", "cilium-a", "cilium-agent"))
    assert gap.kind is GapKind.UNREACHABLE
    assert "broke off after 4 bytes" in gap.detail


async def test_time_passes_and_the_clock_is_ours(tmp_path: Path) -> None:
    async with living(tmp_path) as (_, source):
        assert isinstance(source, LiveSource)
        before = source.now
        await source.pause(0.001)
        assert source.now > before
