"""The service playbook's scenarios: the engine finds what they expect, and their fixes cure them."""

from __future__ import annotations

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from playbooks.practice import profile
from playbooks.practice.scenarios import load, names
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World, build

OURS = [name for name in names() if load(name).playbook == "service"]


async def found(world: World, *books: str) -> Snapshot:
    return await Run(WorldSource(world), Order(catalogue().rules_of(books or ("service",)))).start()


def loud(snapshot: Snapshot) -> list[str]:
    return [str(one.finding.summary) for one in snapshot.every() if one.finding.severity > Severity.INFO]


def test_there_is_one_without_backends() -> None:
    assert "service-no-backends" in OURS


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", OURS)
async def test_its_roots_are_the_expected_ones(name: str, seed: int) -> None:
    scenario = load(name)
    books = ("agent", "service") if seed == 0 else ("service",)
    roots = (await found(scenario.world(seed, nodes=4 if seed else 6), *books)).roots
    told = [one.rule for one in roots if one.finding.severity > Severity.INFO]
    assert [rule.id for rule in told] == list(scenario.expected)
    assert [rule.name for rule in told] == list(scenario.expected_faults)


@pytest.mark.parametrize("name", profile.names())
async def test_a_healthy_profile_is_judged_whole_and_silent(name: str) -> None:
    made = await found(build(0, 3, profile=name))
    assert loud(made) == []
    assert {rule: one.why for rule, one in made.outcomes.items() if not one.is_judged} == {}


@pytest.mark.parametrize("name", ["healthy", "mesh-healthy"])
async def test_a_healthy_cluster_is_silent(name: str) -> None:
    assert loud(await found(load(name).world(1))) == []
