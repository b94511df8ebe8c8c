"""The agent playbook on the practice scenarios: exactly the injected fault."""

from __future__ import annotations

import asyncio
from functools import cache

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.model.answer import GapKind
from playbooks.model.finding import Severity
from playbooks.model.outcome import OutcomeKind
from playbooks.practice import scenarios
from playbooks.practice.source import WorldSource

SEEDS = (0, 1)


@cache
def snapshot(name: str, seed: int) -> Snapshot:
    world = scenarios.load(name).world(seed=seed, nodes=6 if seed else 4)
    return asyncio.run(Run(WorldSource(world), Order(catalogue().rules_of(("agent",)))).start())


def of_agent() -> list[str]:
    return [name for name in scenarios.names() if scenarios.load(name).playbook == "agent"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("name", of_agent())
def test_the_roots_are_the_injected_fault(name: str, seed: int) -> None:
    roots = sorted({one.rule.id for one in snapshot(name, seed).roots})
    assert roots == sorted(scenarios.load(name).expected)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_healthy_cluster_has_nothing_above_info_and_is_judged_whole(seed: int) -> None:
    made = snapshot("healthy", seed)
    assert [str(one.finding.summary) for one in made.every() if one.finding.severity > Severity.INFO] == []
    unjudged = {rule: one.why for rule, one in made.outcomes.items() if not one.is_judged}
    assert unjudged == {}


@pytest.mark.parametrize("seed", SEEDS)
def test_without_exec_nothing_is_green_that_needs_it(seed: int) -> None:
    made = snapshot("narrow-rbac", seed)
    assert made.roots == ()
    assert made.is_unjudged
    forbidden = [gap for gap in made.gaps if gap.kind is GapKind.FORBIDDEN]
    assert forbidden
    assert any("pods/exec" in gap.detail for gap in forbidden)


@pytest.mark.parametrize("name", of_agent())
def test_no_rule_crashes(name: str) -> None:
    bad = (OutcomeKind.CRASHED, OutcomeKind.TOO_SLOW)
    assert [one.traceback for one in snapshot(name, 0).outcomes.values() if one.kind in bad] == []


@pytest.mark.parametrize("name", of_agent())
def test_each_right_fix_turns_it_green(name: str) -> None:
    scenario = scenarios.load(name)
    for seed, fix in enumerate(scenario.fixes):
        world = scenario.world(seed, nodes=4)
        fix.carry_out(world)
        assert all(run.is_ready for run in world.runs.values())
        after = asyncio.run(Run(WorldSource(world), Order(catalogue().rules_of(("agent",)))).start())
        loud = [str(one.finding.summary) for one in after.every() if one.finding.severity > Severity.INFO]
        assert loud == [], fix.title
