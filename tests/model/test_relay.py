"""Hubble as Kubernetes has it, and as each agent tells it."""

from __future__ import annotations

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.model.answer import Gap, GapKind, Source
from playbooks.model.cilium.relay import NodeHubble, Relay
from playbooks.model.cilium.standing import Standing
from playbooks.model.fact import Choice
from playbooks.practice import scenarios
from playbooks.practice.source import WorldSource
from tests import recorded
from tests.edited import Object, command, each, edited, gap, of

NODE = "lab-node-1"


def knowing(source: Source) -> Knowing:
    return Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now)


async def relay(source: Source) -> Relay:
    known = await knowing(source).know(Relay)
    assert isinstance(known, Relay)
    return known


async def hubble(source: Source) -> NodeHubble:
    known = await knowing(source).know(NodeHubble, NODE)
    assert isinstance(known, NodeHubble)
    return known


async def test_relay_its_services_and_the_agents_behind_them() -> None:
    found = await relay(recorded.source("healthy"))
    assert found.is_wanted
    assert found.deployment is not None
    assert len(found.ready) == len(found.pods) == 1
    assert (found.service is not None, found.peer is not None) == (True, True)
    assert found.missing == ()


async def test_relay_beside_a_crashing_agent_is_not_ready() -> None:
    found = await relay(recorded.source("05"))
    assert found.ready == ()
    assert found.standing(found.pods[0]) is not Standing.READY


async def test_the_practice_cluster_has_a_peer_for_every_node() -> None:
    found = await relay(WorldSource(scenarios.load("healthy").world(nodes=3)))
    assert found.peers is not None
    assert len(found.peers) == 3


async def test_what_cannot_be_read_is_unknown_not_absent() -> None:
    found = await relay(edited(recorded.source("healthy"), gap(of("endpointslices")), gap(of("configmaps"))))
    assert (found.is_wanted, found.peers) == (None, None)
    assert {one.kind for one in found.missing} == {GapKind.FORBIDDEN}


async def test_hubble_switched_off_is_told() -> None:
    def off(item: Object) -> Object:
        return {**item, "data": {**item["data"], "enable-hubble": "false"}}

    found = await relay(edited(recorded.source("healthy"), each("configmaps", off)))
    assert found.is_wanted is False


async def test_an_agent_tells_state_and_buffer() -> None:
    found = await hubble(recorded.source("healthy"))
    assert found.part is not None
    assert (found.part.state, found.flows, found.max_flows, found.fill) == ("Ok", 4095, 4095, 1.0)
    assert found.flows_per_second is not None
    assert found.version.startswith("cilium v1.20.2")


async def test_without_its_command_the_text_of_the_status_tells_the_flows() -> None:
    found = await hubble(edited(recorded.source("healthy"), gap(command("hubble"))))
    assert (found.flows, found.max_flows, found.missing) == (4095, 4095, ())


async def test_the_status_as_json_alone_tells_less() -> None:
    gaps = (gap(command("hubble")), gap(command("cilium-dbg", "status", "--verbose")))
    found = await hubble(edited(recorded.source("healthy"), *gaps))
    assert (found.flows, found.fill, found.max_flows) == (None, None, 4095)
    assert found.seen_flows is not None
    assert len(found.missing) == 1


async def test_its_command_alone_tells_no_state() -> None:
    found = await hubble(edited(recorded.source("healthy"), gap(command("cilium-dbg", "status"))))
    assert (found.part, found.flows) == (None, 4095)


async def test_a_silent_agent_is_a_gap() -> None:
    known = await knowing(edited(recorded.source("healthy"), gap(command()))).know(NodeHubble, NODE)
    assert isinstance(known, Gap)
