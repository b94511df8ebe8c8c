"""The policy playbook on the practice cluster: exactly the injected fault, and nothing where all is well."""

from __future__ import annotations

import asyncio

import pytest

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.discovery import catalogue
from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.asking import reach
from playbooks.engine.reaching.verdicts import Reach, Said
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.engine.targets.parsing import parse
from playbooks.engine.targets.resolving import Directory, Resolved
from playbooks.model.fact import Choice
from playbooks.model.finding import Severity
from playbooks.model.kube.endpoint_slices import EndpointSlices
from playbooks.model.kube.services import Services
from playbooks.model.outcome import OutcomeKind
from playbooks.model.policies.pods import LabelledPods
from playbooks.practice import profile, scenarios
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World, build

OURS = [name for name in scenarios.names() if scenarios.load(name).playbook == "policy"]

BOOKS = ("agent", "endpoint", "policy")
"""The playbooks that look at what these faults touch."""


def judged(world: World, *books: str) -> Snapshot:
    rules = catalogue().rules_of(books) if books else catalogue().rules
    return asyncio.run(Run(WorldSource(world), Order(rules)).start())


def loud(snapshot: Snapshot) -> list[str]:
    return [
        f"{one.rule.id} {one.finding.summary}"
        for one in snapshot.every()
        if one.finding.severity > Severity.INFO
    ]


@pytest.mark.parametrize("name", OURS)
def test_the_roots_are_the_injected_fault(name: str) -> None:
    scenario = scenarios.load(name)
    made = judged(scenario.world(seed=1, nodes=3), *BOOKS)
    rules = {one.rule.id: one.rule.name for one in made.roots if one.finding.severity > Severity.INFO}
    assert rules == dict(zip(scenario.expected, scenario.expected_faults, strict=True))
    bad = (OutcomeKind.CRASHED, OutcomeKind.TOO_SLOW)
    assert [one.traceback for one in made.outcomes.values() if one.kind in bad] == []


@pytest.mark.parametrize("name", profile.names())
def test_a_healthy_profile_has_nothing_above_info(name: str) -> None:
    assert loud(judged(build(1, nodes=3, profile=name), "policy")) == []


async def reached(world: World, source: str, destination: str) -> Reach:
    asking = WorldSource(world)
    knowing = Knowing(Asking(asking, 1, Turns(8)), Choice(), lambda: asking.now)
    pods, services = await knowing.know(LabelledPods), await knowing.know(Services)
    slices = await knowing.know(EndpointSlices)
    assert isinstance(pods, LabelledPods)
    assert isinstance(services, Services)
    assert isinstance(slices, EndpointSlices)
    names = Directory(pods, services, slices)
    ends = [names.resolve(parse(word, "default")) for word in (source, destination)]
    one, other = (end for end in ends if isinstance(end, Resolved))
    return await reach(knowing, one, other)


async def test_from_a_dropped_flow_over_the_policy_to_the_row_that_the_map_lacks() -> None:
    found = await reached(scenarios.load("map-row-missing").world(), "shop/cart-client", "shop/redis:6379")
    assert found.said is Said.NOT_ADMITTED
    assert found.observed
    (pair,) = found.pairs
    assert [str(ref) for ref in pair.ingress.default_deny] == ["CiliumNetworkPolicy shop/redis-ingress"]
    assert "the policies as written admit it, the policy map does not" in pair.ingress.doubts[0]
    # No rule is missing, so none is drafted.
    assert found.drafts == ()


async def test_from_a_dropped_flow_to_the_rule_that_the_other_end_lacks() -> None:
    found = await reached(scenarios.load("one-end-admits").world(), "shop/frontend-client", "shop/redis:6379")
    (draft,) = found.drafts
    assert draft.holder is not None
    assert str(draft.holder.policy) == "CiliumNetworkPolicy shop/redis-ingress"
    assert '+            "app": "frontend-client"' in draft.shown
    assert draft.opened is not None
    assert not draft.opened.is_wider
