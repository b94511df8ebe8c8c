"""The endpoint playbook in the practice cluster: the injected faults, and silence where all is well."""

from __future__ import annotations

import asyncio

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.finding import Severity
from playbooks.practice import profile, scenarios
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World, build
from tests.agent.judged import excerpts

RULES = catalogue().rules_of(("endpoint",))
SEEDS = (0, 1)
OWN = [name for name in scenarios.names() if scenarios.load(name).playbook == "endpoint"]
OF_AGENTS = [name for name in scenarios.names() if scenarios.load(name).playbook == "agent"]


def judged(world: World) -> Snapshot:
    return asyncio.run(Run(WorldSource(world), Order(RULES)).start())


def loud(snapshot: Snapshot) -> list[str]:
    every = (one.finding for one in snapshot.every() if one.finding.severity > Severity.INFO)
    return [str(one.summary) for one in every]


@pytest.mark.parametrize("name", profile.names())
def test_a_healthy_profile_has_nothing_above_info_and_is_judged_whole(name: str) -> None:
    snapshot = judged(build(0, nodes=3, profile=name))
    assert loud(snapshot) == []
    assert {rule: one.why for rule, one in snapshot.outcomes.items() if not one.is_judged} == {}


@pytest.mark.parametrize("name", OF_AGENTS)
def test_faults_of_agents_are_left_to_their_playbook(name: str) -> None:
    assert loud(judged(scenarios.load(name).world(0, nodes=4))) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", OWN)
def test_the_roots_are_the_injected_fault(name: str, seed: int) -> None:
    scenario = scenarios.load(name)
    snapshot = judged(scenario.world(seed, nodes=4 if seed else 6))
    assert sorted({one.rule.id for one in snapshot.roots}) == sorted(scenario.expected)
    beside = {one.rule.name for one in snapshot.every()} - {*scenario.expected_faults, *scenario.allowed}
    assert beside == set()


@pytest.mark.parametrize("name", OWN)
def test_each_fix_turns_it_green(name: str) -> None:
    for fix in scenarios.load(name).fixes:
        world = scenarios.load(name).world(0)
        fix.carry_out(world)
        assert all(run.is_ready for run in world.runs.values())
        assert loud(judged(world)) == [], fix.title


def test_pods_that_hang_lead_to_the_node_and_to_the_addresses() -> None:
    (root,) = judged(scenarios.load("addresses-leak").world(0)).roots
    assert root.finding.subject.kind == "Node"
    assert "batch/nightly-report" in excerpts(root)
    (hanging,) = root.symptoms
    assert "log-shipper" in hanging.finding.summary.raw
    assert "range is full" in excerpts(hanging)
    assert root.finding.fixes[0].steps[0].is_capture
