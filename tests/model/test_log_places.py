"""Which containers have logs, and the log of each as a fact."""

from __future__ import annotations

import pytest

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, GapKind, Source
from playbooks.model.cilium.log_places import Component, LogPlaces, Place, log_at
from playbooks.model.cilium.logs_agent import Log
from playbooks.model.cilium.logs_components import CorednsLog, EnvoyLog, MeshLog, RelayLog
from playbooks.model.fact import Choice
from playbooks.practice import scenarios
from playbooks.practice.source import WorldSource
from tests import recorded

NODE = "lab-node-1"


def knowing(source: Source) -> Knowing:
    return Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)


async def places(source: Source) -> tuple[Place, ...]:
    known = await knowing(source).know(LogPlaces)
    assert isinstance(known, LogPlaces)
    return known.items


async def test_every_part_of_cilium_and_dns_is_found_in_a_recording() -> None:
    found = await places(recorded.source("healthy"))
    mains = {(place.component.value, place.container) for place in found if not place.is_init}
    assert mains == {
        ("agent", "cilium-agent"),
        ("operator", "cilium-operator"),
        ("relay", "hubble-relay"),
        ("coredns", "coredns"),
    }
    assert all(place.is_done for place in found if place.is_init)
    assert all(place.has_run for place in found)


async def test_init_containers_come_before_the_agent_in_their_order() -> None:
    found = await places(recorded.source("healthy"))
    agent = [place.container for place in found if place.component is Component.AGENT]
    assert (agent[0], agent[-1]) == ("config", "cilium-agent")


async def test_a_crashing_agent_has_a_run_before() -> None:
    found = await places(recorded.source("05"))
    (agent,) = [place for place in found if place.container == "cilium-agent"]
    assert agent.has_previous
    told = await knowing(recorded.source("05")).know(log_at(agent, is_previous=True))
    assert isinstance(told, Log)
    assert any(line.level == "fatal" for line in told.lines)


async def test_no_operator_no_place() -> None:
    found = await places(recorded.source("11"))
    assert Component.OPERATOR not in {place.component for place in found}


@pytest.mark.parametrize(
    ("kind", "words"), [(RelayLog, "gRPC"), (CorednsLog, "CoreDNS-")], ids=["relay", "coredns"]
)
async def test_the_words_of_relay_and_coredns(kind: type[Log], words: str) -> None:
    told = await knowing(recorded.source("healthy")).know(kind)
    assert isinstance(told, Log)
    assert told.is_there
    assert any(words in line.raw for line in told.lines)
    assert told.provenance.command.endswith("--tail=500")


@pytest.mark.parametrize("kind", [MeshLog, EnvoyLog])
async def test_what_is_not_installed_has_no_log(kind: type[Log]) -> None:
    told = await knowing(recorded.source("healthy")).know(kind, NODE)
    assert isinstance(told, Log)
    assert not told.is_there


async def test_a_container_that_no_recording_holds_is_a_gap() -> None:
    source = recorded.source("healthy")
    found = await places(source)
    (init,) = [place for place in found if place.container == "mount-cgroup"] or [found[1]]
    told = await knowing(source).know(log_at(init))
    assert isinstance(told, Gap)
    assert told.kind is GapKind.NOT_RECORDED


async def test_the_practice_cluster_has_logs_of_every_agent() -> None:
    source = WorldSource(scenarios.load("healthy").world(nodes=3))
    found = await places(source)
    agents = [place for place in found if place.container == "cilium-agent"]
    assert len({place.node for place in agents}) == 3
    for place in agents:
        told = await knowing(source).know(log_at(place, tail=7, since_seconds=0))
        assert isinstance(told, Log)
        assert 0 < len(told.lines) <= 7
