"""The agent playbook on healthy clusters that are set up differently: nothing to say, and nothing unseen."""

from __future__ import annotations

import asyncio

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.model.finding import Severity
from playbooks.practice import profile
from playbooks.practice.source import WorldSource
from playbooks.practice.world import build


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize("name", profile.names())
def test_a_healthy_profile_has_nothing_above_info_and_is_judged_whole(name: str, seed: int) -> None:
    source = WorldSource(build(seed, profile=name))
    made = asyncio.run(Run(source, Order(catalogue().rules_of(("agent",)))).start())
    assert [str(one.finding.summary) for one in made.every() if one.finding.severity > Severity.INFO] == []
    assert {rule: one.why for rule, one in made.outcomes.items() if not one.is_judged} == {}
