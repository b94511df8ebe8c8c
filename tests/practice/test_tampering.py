"""Faults inside of agents show in every answer that depends on them, and end with the agent."""

from __future__ import annotations

import shlex

from playbooks.practice import agents, commands, logs
from playbooks.practice.objects import labels_of
from playbooks.practice.runs import PodRun
from playbooks.practice.traffic.lane import Lane, Outcome
from playbooks.practice.traffic.logbook import lines
from playbooks.practice.world import World
from tests.practice.worlds import seen


def run_of(world: World, app: str) -> PodRun:
    return next(run for run in world.runs.values() if labels_of(run.pod).get("app") == app)


def said(world: World, node: str, command: str) -> str:
    output = commands.run(world, world.agents[node], "cilium-agent", tuple(shlex.split(command)))
    assert isinstance(output, commands.Output)
    return output.stdout.decode()


def calls_of(world: World, app: str) -> list[Lane]:
    return [one for one in world.traffic.lanes if one.client.workload == app and one.query is None]


def test_an_agent_that_has_not_heard_of_a_pod_has_its_address_nowhere() -> None:
    world = seen("pod-not-known")
    teller, ledger = run_of(world, "teller"), run_of(world, "ledger")
    for command in ("cilium-dbg bpf ipcache list", "cilium-dbg ip list -o json"):
        assert ledger.ip not in said(world, teller.node, command)
        assert ledger.ip in said(world, ledger.node, command)
    (lane,) = calls_of(world, "teller")
    assert (lane.drop_reason, lane.drops_at) == (133, teller.node)
    assert (lane.server.ip, lane.server.identity, lane.server.pod) == (ledger.ip, 2, "")


def test_a_connected_socket_keeps_its_port_and_a_pod_that_is_gone() -> None:
    world = seen("udp-sticks")
    (lane,) = calls_of(world, "figures")
    assert (lane.outcome, lane.drop_reason) == (Outcome.DROPPED, 151)
    assert lane.server.ip != run_of(world, "collector").ip
    assert len({lane.client_port(number) for number in range(5)}) == 1


def test_questions_that_are_led_to_an_old_port_are_not_answered() -> None:
    world = seen("dns-old-port")
    client = run_of(world, "checkout-client")
    assert "--on-port 45001 " in said(world, client.node, "iptables-save")
    assert "cilium-dns-egress" in said(world, client.node, "cilium-dbg status --verbose")
    assert client.namespace not in said(world, client.node, "cilium-dbg fqdn cache list")
    assert {lane.outcome for lane in calls_of(world, "checkout-client")} == {Outcome.NO_NAME_SERVER}
    assert any(
        "i/o timeout" in line.text for line in lines(world, client, client.started or world.now, world.now)
    )
    other = run_of(world, "cart-client")
    if other.node != client.node:
        assert "--on-port 45001 " not in said(world, other.node, "iptables-save")


def test_an_endpoint_whose_policy_does_not_fit_is_shut_off_and_its_agent_says_so_once() -> None:
    world = seen("policy-map-overflow")
    client = run_of(world, "cart-client")
    endpoint = world.network.endpoints[client.namespace, client.name]
    rows = said(world, client.node, f"cilium-dbg bpf policy get {endpoint.id}").splitlines()[1:]
    assert len(rows) == 10
    assert all(row.startswith("Deny") for row in rows)
    assert {lane.drop_reason for lane in world.traffic.lanes if lane.client.pod == client.name} <= {181, 0}
    assert "not-ready" in said(world, client.node, "cilium-dbg endpoint list")
    assert "Degraded(1)" in said(world, client.node, "cilium-dbg status")
    agent = world.agents[client.node]
    container = agents.container_of(agent)
    assert container.run is not None
    told = [
        line.text for line in logs.agent(world, agent, container, container.run) if "locking" in line.text
    ]
    assert len(told) == 1
    assert f"endpointID={endpoint.id} " in told[0]
