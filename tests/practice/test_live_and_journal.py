"""Every fact of a practice cluster is the same from its journal as it was live, gaps included."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import playbooks.model
from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, Source
from playbooks.model.cilium.agent.endpoints import AgentEndpoints
from playbooks.model.cilium.agent.one_endpoint import endpoint_detail, endpoint_health, endpoint_log
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import Choice, Fact, Scope
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World, build
from playbooks.sources.journal import About, Journal, JournalSource, Recording

WORLDS = {
    "scenario healthy": 90,
    "scenario agent-crashloop": 90,
    "scenario narrow-rbac": 40,
    "profile dual-stack": 90,
}
"""Worlds, and how many kinds of facts are known of each at least: not all is there, or may be seen."""
SECONDS = 7.0
"""Time that passes between the looks."""

Known = dict[tuple[int, str, str], Fact | Gap]


@cache
def every_fact() -> tuple[type[Fact], ...]:
    """All facts of the model: those with ways of their own, and those computed from others."""
    for module in pkgutil.walk_packages(playbooks.model.__path__, "playbooks.model."):
        importlib.import_module(module.name)
    found = {kind for kind in _below(Fact) if kind.__module__.startswith("playbooks.")}
    made = (kind for kind in found if (kind.ways or kind.is_view) and "<locals>" not in kind.__qualname__)
    return tuple(sorted(made, key=lambda kind: (kind.__module__, kind.__name__)))


def _below(kind: type[Fact]) -> Iterator[type[Fact]]:
    for below in kind.__subclasses__():
        yield below
        yield from _below(below)


def world(name: str) -> World:
    what, _, of = name.partition(" ")
    return load(of).world(0) if what == "scenario" else build(0, profile=of)


async def everything(source: Source) -> Known:
    """All facts of the cluster and of some nodes in two looks, between which time passes."""
    found: Known = {}
    for look in (1, 2):
        knowing = Knowing(Asking(source, look, Turns(8)), Choice(), lambda: source.now)
        agents = await knowing.know(Agents)
        nodes = one_of_each(agents) if isinstance(agents, Agents) else ()
        for kind in every_fact():
            for node in nodes if kind.scope is Scope.NODE else ("",):
                found[look, kind.__name__, node] = await knowing.know(kind, node)
        for node in nodes[:1]:
            for kind in await about_one_endpoint(knowing, node):
                found[look, kind.__name__, node] = await knowing.know(kind, node)
        if look == 1:
            await source.pause(SECONDS)
    return found


def one_of_each(agents: Agents) -> tuple[str, ...]:
    """A node whose agent runs, and one whose agent does not, if there is one."""
    running = [node for node in agents.nodes if not isinstance(agents.on(node), Gap)]
    silent = [node for node in agents.nodes if node not in running]
    return (*running[:1], *silent[:1])


async def about_one_endpoint(knowing: Knowing, node: str) -> tuple[type[Fact], ...]:
    endpoints = await knowing.know(AgentEndpoints, node)
    if isinstance(endpoints, Gap):
        return ()
    number = endpoints.items[0].id
    return endpoint_detail(number), endpoint_log(number), endpoint_health(number)


@pytest.mark.parametrize("name", WORLDS)
async def test_every_fact_from_the_journal_is_what_it_was_live(name: str, tmp_path: Path) -> None:
    live_source = WorldSource(world(name))
    journal = Journal.open(tmp_path / "journal", About("practice", "0.1.0", "ada"), lambda: live_source.now)
    journal.begin_run("everything")
    live = await everything(Recording(live_source, journal))
    await journal.close()
    assert journal.stopped == ""

    again = await everything(JournalSource(tmp_path / "journal"))
    assert again.keys() == live.keys()
    assert {key: again[key] for key in live if again[key] != live[key]} == {}
    assert len({key[1] for key, fact in live.items() if isinstance(fact, Fact)}) >= WORLDS[name]
