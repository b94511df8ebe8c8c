"""Services, addresses and identities of the practice agents, read by the decoders of real ones."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from playbooks.model.answer import End
from playbooks.model.bpf.endpoints import EndpointMap
from playbooks.model.bpf.ipcache import IpcacheMap
from playbooks.model.bpf.load_balancing import BackendMap, ReverseNatMap, ServiceMap
from playbooks.model.cilium.agent.addresses import AgentAddresses
from playbooks.model.cilium.agent.identities import AgentIdentities
from playbooks.model.cilium.agent.load_balancing import AgentBackends
from playbooks.model.cilium.agent.nodes import AgentNodeNumbers, AgentNodes
from playbooks.model.cilium.agent.services import AgentServices
from playbooks.model.cilium.agents import Agents
from playbooks.model.fact import F, Fact, Provenance, Scene
from playbooks.model.request import AgentCommand
from playbooks.practice import commands, profile, writing
from playbooks.practice.catalog import DEPLOYMENTS, PODS, SERVICES
from playbooks.practice.frontends import frontends
from playbooks.practice.objects import name_of
from playbooks.practice.ownership import Writer
from playbooks.practice.world import World, build
from tests.facts import running_agent
from tests.practice.worlds import set_up

AGENT = (AgentAddresses, AgentIdentities, AgentNodeNumbers, AgentNodes, AgentServices)
MAPS = (BackendMap, EndpointMap, IpcacheMap, ReverseNatMap, ServiceMap)
PERSON = Writer("kubectl-edit")
NOWHEN = Provenance("", "", datetime(2026, 11, 23, tzinfo=UTC))


def read(kind: type[F], world: World, node: str, number: int = 0) -> F:
    run = world.agents[node]
    agents = running_agent(node, run.namespace, run.name, "cilium-agent", version=world.profile.version)
    way = kind.ways[number]
    request = way.ask(Scene({Agents: agents}, node))
    assert isinstance(request, AgentCommand)
    output = commands.run(world, run, "cilium-agent", request.argv)
    assert isinstance(output, commands.Output)
    reader = way.reader()
    reader.feed(output.stdout)
    fact = reader.finish(
        request, End(request.command(), node, world.now, 0.0, output.exit_code, output.stderr)
    )
    assert isinstance(fact, kind), fact
    return fact


def told(world: World, command: str, node: str) -> list[list[str]]:
    output = commands.run(world, world.agents[node], "cilium-agent", tuple(shlex.split(command)))
    assert isinstance(output, commands.Output)
    return [line.split() for line in output.stdout.decode().splitlines()]


def first(world: World) -> str:
    return next(iter(world.agents))


@pytest.mark.parametrize("name", profile.names())
@pytest.mark.parametrize("kind", [*AGENT, *MAPS], ids=lambda kind: kind.__name__)
def test_text_and_json_tell_the_same_and_are_readable(kind: type[Fact], name: str) -> None:
    world = set_up(name)
    node = first(world)
    as_json, as_text = (read(kind, world, node, number) for number in (0, 1))
    if kind in MAPS:
        assert replace(as_json, provenance=NOWHEN) == replace(as_text, provenance=NOWHEN)
    else:
        assert len(as_json.items) == len(as_text.items) > 0  # type: ignore[attr-defined]


def test_every_agent_has_every_service_and_its_map_holds_all_of_it() -> None:
    world = set_up("tunnel")
    for node in world.agents:
        services = {one.address: one for one in read(AgentServices, world, node).items}
        assert len(services) == len([one for one in frontends(world, node) if one.is_surrogate])
        backends = {backend.address for one in services.values() for backend in one.backends}
        assert {
            row[2].removeprefix("ADDR=")
            for row in told(world, "cilium-dbg shell -- lb/maps-dump", node)
            if row[0] == "BE:"
        } == backends
        assert len(read(BackendMap, world, node).items) == len(backends)
        assert len(read(ReverseNatMap, world, node).frontends) == len(frontends(world, node))


def test_the_peer_service_has_the_backend_of_its_own_node_only() -> None:
    world = set_up("tunnel")
    for node, network in world.network.nodes.items():
        (peer,) = [one for one in frontends(world, node) if name_of(one.service) == "hubble-peer"]
        assert [one.ip for one in peer.backends] == [network.node_ip]
        assert "InternalLocal" in peer.flags


def test_a_deleted_label_empties_the_service_in_the_agent_and_in_its_map() -> None:
    world = build(seed=1)
    node = first(world)
    (cart,) = [one for one in frontends(world, node) if one.title == "shop/cart"]
    assert len(cart.active) == 2
    merge = {"spec": {"selector": {"app": "kart"}}}
    writing.patch(world, SERVICES, "shop", "cart", "application/merge-patch+json", merge, PERSON)
    world.advance(5)
    services = {one.address: one for one in read(AgentServices, world, node).items}
    assert not services[cart.address].backends
    rows = [row for row in told(world, "cilium-dbg bpf lb list", node) if row[0] == cart.address]
    assert [row[1] for row in rows] == ["(0)"]


def test_a_service_keeps_its_number_when_another_one_goes() -> None:
    world = build(seed=1)
    node = first(world)
    before = {one.address: one.spec.id for one in read(AgentServices, world, node).items}
    writing.delete(world, SERVICES, "shop", "cart")
    world.advance(5)
    after = {one.address: one.spec.id for one in read(AgentServices, world, node).items}
    assert len(after) == len(before) - 1
    assert after.items() <= before.items()


def test_a_scaled_workload_is_known_on_every_node() -> None:
    world = build(seed=1)
    writing.scale(world, DEPLOYMENTS, "shop", "cart", 5, PERSON)
    world.advance(30)
    carts = {
        endpoint.ip: world.runs[uid].node
        for uid, run in world.runs.items()
        if (endpoint := world.network.endpoints.get((run.namespace, run.name)))
        and run.name.startswith("cart-")
        and not run.name.startswith("cart-client")
    }
    assert len(carts) == 5
    for node in world.agents:
        held = {one.cidr: one for one in read(IpcacheMap, world, node).items}
        assert len({held[f"{ip}/32"].identity for ip in carts}) == 1
        for ip, where in carts.items():
            tunnel = "" if where == node else world.network.nodes[where].node_ip
            assert held[f"{ip}/32"].tunnel == tunnel


def test_the_api_server_s_node_is_known_as_such_from_everywhere() -> None:
    world = set_up("tunnel")
    control, *workers = world.agents
    ip = f"{world.network.nodes[control].node_ip}/32"
    held = {
        node: {one.cidr: one.identity for one in read(IpcacheMap, world, node).items} for node in world.agents
    }
    assert held[control][ip] == 1
    assert {held[node][ip] for node in workers} == {7}


def test_backends_that_are_not_ready_wait_in_maintenance() -> None:
    world = build(seed=1)
    node = first(world)
    assert {one.state for one in read(AgentBackends, world, node).items} == {"active"}
    run = world.agents[list(world.agents)[1]]
    writing.delete(world, PODS, run.namespace, run.name)
    world.advance(3)
    states = {one.state for one in read(AgentBackends, world, node).items}
    assert states == {"active", "maintenance"}


def test_one_endpoint_and_one_identity_are_as_in_their_lists() -> None:
    world = set_up("tunnel")
    run = world.agents[first(world)]

    def answer(*words: str) -> commands.Output:
        output = commands.run(world, run, "cilium-agent", ("cilium-dbg", *words, "-o", "json"))
        assert isinstance(output, commands.Output)
        return output

    for kind in ("endpoint", "identity"):
        every = json.loads(answer(kind, "list").stdout)
        one = every[-1]
        assert json.loads(answer(kind, "get", str(one["id"])).stdout) == [one]
        unknown = answer(kind, "get", "60000")
        assert (unknown.exit_code, unknown.stdout) == (1, b"")
        assert b"[404]" in unknown.stderr
