"""Scenarios: what they say about themselves is what the engine finds, and their fixes cure them."""

from __future__ import annotations

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.engine.snapshot import Snapshot
from playbooks.practice import agents
from playbooks.practice.scenarios import DEFAULT, load, names
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World
from tests.practice.worlds import seen

ELSEWHERE = ("agent", "endpoint")
"""Playbooks whose own tests carry out the fixes of their scenarios."""
BROKEN = [name for name in names() if load(name).expected and load(name).playbook not in ELSEWHERE]


async def found(world: World, playbook: str) -> Snapshot:
    return await Run(WorldSource(world), Order(catalogue().rules_of((playbook,)), looks=2)).start()


def test_the_names_are_those_that_people_know() -> None:
    assert set(names()) == {
        "healthy",
        "agent-crashloop",
        "operator-down",
        "agent-hangs",
        "addresses-leak",
        "narrow-rbac",
        "mesh-healthy",
        "maglev-size",
        "service-map-stale",
        "service-named-port",
        "service-no-backends",
        "sidecars-bypassed",
        "hubble-off",
        "api-server-by-address",
        "default-deny",
        "deny-swallows",
        "dns-forgotten",
        "map-row-missing",
        "names-unlearned",
        "one-end-admits",
        "policy-label-typo",
        "range-full",
        "policy-on-host-network",
        "audit-mode-left-on",
        "nodes-without-backend",
        "source-ranges",
        "callers-come-as-nodes",
        "ipsec-secret-missing",
        "pod-not-known",
        "udp-sticks",
        "dns-old-port",
        "policy-map-overflow",
        "policy-service-port",
        "announced-elsewhere",
        "dns-asleep",
        "ingress-refused",
        "endpoints-time-out",
        "pod-unmanaged",
        "node-without-agent",
    }
    assert names()[0] == "healthy"
    assert DEFAULT == "agent-crashloop"


def test_an_unknown_name_says_which_there_are() -> None:
    with pytest.raises(ValueError, match="agent-crashloop"):
        load("nosuch")


@pytest.mark.parametrize("name", names())
def test_a_scenario_says_what_a_person_would_report(name: str) -> None:
    scenario = load(name)
    assert scenario.symptom.endswith(".")
    faults = {rule.id: rule.name for rule in catalogue().rules_of((scenario.playbook,))}
    assert [faults[rule_id] for rule_id in scenario.expected] == list(scenario.expected_faults)
    assert bool(scenario.fixes) == bool(scenario.expected)


@pytest.mark.parametrize("name", BROKEN)
async def test_each_fix_turns_the_world_green(name: str) -> None:
    scenario = load(name)
    for fix in scenario.fixes:
        world = scenario.world(nodes=4)
        fix.carry_out(world)
        assert all(run.is_ready for run in world.runs.values())
        assert (await found(world, scenario.playbook)).roots == ()


def test_the_crashing_agent_looks_as_a_real_one_does() -> None:
    world = seen("agent-crashloop")
    node, run = next((node, run) for node, run in world.agents.items() if not run.is_ready)
    container = agents.container_of(run)
    assert container.run is not None
    assert (container.run.exit_code, container.run.reason) == (255, "Error")
    assert container.run.message.endswith(
        'level=fatal msg="unable to run agent: failed to start: failed to populate object graph: '
        'invalid tunnel protocol \\"vxlann\\"" subsys=daemon\n'
    )
    assert len(container.run.message.encode()) <= 2048
    relay = next(run for run in world.runs.values() if run.name.startswith("hubble-relay"))
    assert relay.node == node
    assert not relay.is_ready


def test_agents_without_an_operator_wait_and_say_for_what() -> None:
    world = seen("operator-down")
    assert not any(agents.is_up(world, node) for node in world.agents)
    assert len(agents.missing_definitions(world)) == 10
    assert all(agents.container_of(run).restarts == 1 for run in world.agents.values())
