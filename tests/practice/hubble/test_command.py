"""`hubble` and `cilium-dbg monitor` in the agents' containers, in the shapes of a real agent's answers."""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import Any

import pytest

from playbooks.model.answer import Gap, GapKind, answer
from playbooks.model.cilium.agent.recent_flows import RefusedFlows
from playbooks.model.hubble.monitor import Monitor
from playbooks.model.hubble.proto import flow_pb2
from playbooks.model.request import AgentCommand
from playbooks.practice import commands, operations
from playbooks.practice.commands.following import Following
from playbooks.practice.profile import load, names
from playbooks.practice.source import WorldSource
from playbooks.practice.traffic.flows import flows
from playbooks.practice.traffic.sight import Event
from playbooks.practice.world import World, build
from tests.practice.hubble.shapes import SHAPES, kind, paths
from tests.practice.worlds import seen, set_up

DROPPED = ("hubble", "observe", "--verdict", "DROPPED", "--last", "100", "-o", "jsonpb")
RESET = ("hubble", "observe", "--tcp-flags", "RST", "--last", "100", "-o", "jsonpb")
MONITOR = ("cilium-dbg", "monitor", "-j", "-t", "drop", "-t", "policy-verdict")


def run_in(world: World, *argv: str, worker: int = 1) -> Any:
    run = world.agents[list(world.agents)[worker]]
    name = next(name for name in run.containers if "agent" in name or name == "cilium-agent")
    return commands.run(world, run, name, argv)


def lines(output: Any) -> list[dict[str, Any]]:
    assert (output.exit_code, output.stderr) == (0, b"")
    return [json.loads(line) for line in output.stdout.splitlines()]


@pytest.mark.parametrize("profile", [name for name in names() if "hubble" in load(name).manifests])
def test_what_rules_ask_is_answered_in_every_profile_with_hubble(profile: str) -> None:
    world = set_up(profile)
    found = [
        line for worker in range(len(world.agents)) for line in lines(run_in(world, *DROPPED, worker=worker))
    ]
    assert found
    assert {line["flow"]["verdict"] for line in found} == {"DROPPED"}
    for worker in range(len(world.agents)):
        assert run_in(world, *RESET, worker=worker).exit_code == 0


@pytest.mark.parametrize("profile", [name for name in names() if "hubble" not in load(name).manifests])
def test_without_hubble_the_command_finds_no_socket(profile: str) -> None:
    world = set_up(profile)
    for argv in (DROPPED, ("hubble", "status", "-o", "json")):
        output = run_in(world, *argv)
        assert (output.exit_code, output.stdout) == (1, b"")
        assert b"hubble.sock: connect: no such file or directory" in output.stderr


def test_every_kind_of_flow_has_the_fields_that_recorded_ones_have() -> None:
    world, shapes = seen(), json.loads(SHAPES.read_text())
    compared = set()
    for worker in range(len(world.agents)):
        for line in lines(run_in(world, "hubble", "observe", "--last", "500", "-o", "jsonpb", worker=worker)):
            name = kind(line)
            if name not in shapes:
                continue
            compared.add(name)
            found = set(paths(line))
            always = set(shapes[name]["always"])
            assert always <= found, name
            assert found <= always | set(shapes[name]["some"]), name
    assert len(compared) >= 18


def test_a_reset_connection_is_told_by_its_flags() -> None:
    world = build()
    port = {"name": "p80", "port": 80, "targetPort": 8081, "protocol": "TCP"}
    patch = {"kind": "Service", "namespace": "shop", "name": "checkout", "merge": {"spec": {"ports": [port]}}}
    policy = {"kind": "CiliumNetworkPolicy", "namespace": "shop", "name": "checkout-entities"}
    call = {"from": "shop/cart-client", "to": "http://checkout.shop.svc.cluster.local/"}
    operations.carry_out(world, [{"delete": policy}, {"patch": patch}, {"call": call}, {"wait": 30}])
    found = [line for worker in range(6) for line in lines(run_in(world, *RESET, worker=worker))]
    assert found
    assert all(line["flow"]["l4"]["TCP"]["flags"]["RST"] for line in found)
    assert found[0]["flow"]["Summary"] == "TCP Flags: ACK, RST"


def test_the_status_is_printed_as_a_real_one() -> None:
    world = seen()
    text = run_in(world, "hubble", "status").stdout.decode()
    pattern = (
        r"Healthcheck \(via unix:///var/run/cilium/hubble\.sock\): Ok\n"
        r"Current/Max Flows: 4,095/4,095 \(100\.00%\)\nFlows/s: \d+\.\d\d\n"
    )
    assert re.fullmatch(pattern, text)
    (status,) = lines(run_in(world, "hubble", "status", "-o", "json"))
    keys = ["num_flows", "max_flows", "seen_flows", "uptime_ns", "version", "flows_rate"]
    assert list(status) == keys
    assert (status["num_flows"], status["version"]) == ("4095", "cilium v1.20.2+g0000000000")
    agent = json.loads(run_in(world, "cilium-dbg", "status", "-o", "json").stdout)
    assert str(agent["hubble"]["observer"]["seen-flows"]) == status["seen_flows"]


def test_lists_of_an_agent() -> None:
    world = seen()
    assert run_in(world, "hubble", "list", "namespaces").stdout.startswith(b"NAMESPACE\ndefault\n")
    found: list[dict[str, str]] = json.loads(
        run_in(world, "hubble", "list", "namespaces", "-o", "json").stdout
    )
    assert found[0] == {"cluster": "orchard", "namespace": "default"}
    refused = run_in(world, "hubble", "list", "nodes")
    assert refused.stderr == b"rpc error: code = Unimplemented desc = GetNodes not implemented\n"
    assert refused.exit_code == 1


@pytest.mark.parametrize(
    ("argv", "error"),
    [
        (("observe", "--nosuch"), "unknown flag: --nosuch\n"),
        (
            ("observe", "--verdict", "NOSUCH"),
            'invalid argument "NOSUCH" for "--verdict" flag: invalid --verdict value: NOSUCH\n',
        ),
        (
            ("observe", "--http-path", "("),
            "rpc error: code = InvalidArgument desc = invalid http path filter",
        ),
        (("nosuch",), 'unknown command "nosuch" for "hubble"\n'),
    ],
)
def test_wrong_words_are_refused(argv: tuple[str, ...], error: str) -> None:
    output = run_in(seen(), "hubble", *argv)
    assert (output.exit_code, output.stdout) == (1, b"")
    assert output.stderr.decode().startswith(error)


def test_raw_filters_and_help_need_no_server() -> None:
    world = set_up("no-hubble")
    printed = run_in(world, "hubble", "observe", "--print-raw-filters", "--verdict", "DROPPED")
    assert b'{"verdict":["DROPPED"]}' in printed.stdout
    assert b"--verdict" in run_in(world, "hubble", "observe", "--help").stdout
    assert run_in(world, "hubble").stdout.startswith(b"Hubble is a utility")
    assert run_in(world, "hubble", "version").stdout.startswith(b"hubble v1.20.2")


def test_agent_events_are_printed_and_debug_events_are_none() -> None:
    world = build()
    operations.carry_out(world, [{"restart_agent": {"worker": 1}}, {"wait": 60}])
    text = run_in(world, "hubble", "observe", "agent-events", worker=-1).stdout.decode()
    assert "AGENT_STARTED" in text
    assert run_in(world, "hubble", "observe", "debug-events").stdout == b""


def test_following_prints_what_comes_until_its_time_is_over() -> None:
    world = build()
    following = run_in(world, "timeout", "-s", "INT", "4", "hubble", "observe", "-f", "-o", "jsonpb")
    assert isinstance(following, Following)
    assert (following.seconds, following.ends_with) == (4.0, 124)
    assert following.more() == b""
    begin = world.now
    world.advance(3)
    node = list(world.agents)[1]
    told = [json.loads(line)["flow"]["uuid"] for line in following.more().splitlines()]
    assert told == [one.uuid for one in flows(world, begin, world.now, node)]


@pytest.mark.parametrize("profile", ["tunnel", "no-hubble", "ipv6-only"])
def test_the_monitor_prints_drops_and_verdicts_as_flows_can_be_read_from(profile: str) -> None:
    world = build(profile=profile)
    node = list(world.agents)[1]
    following = run_in(world, *MONITOR)
    begin = world.now
    world.advance(60)
    reader = Monitor(node)
    read = [reader.read(line, 1) for line in following.more().splitlines()]
    wanted = (Event.DROP, Event.POLICY_VERDICT)
    expected = [one for one in flows(world, begin, world.now, node) if one.sight.event in wanted]
    assert (len(read), reader.skipped) == (len(expected), 0)
    assert {one.sight.event for one in expected} == set(wanted)
    for told, one in zip(read, expected, strict=True):
        assert told is not None
        flow = told.flow
        assert flow.event_type.type == one.sight.event
        assert flow_pb2.Verdict.Name(flow.verdict) == one.verdict.value
        assert flow_pb2.TrafficDirection.Name(flow.traffic_direction) == one.sight.direction.value
        assert (flow.IP.source, flow.IP.destination) == (one.sight.source.ip, one.sight.destination.ip)
        ports = flow.l4.TCP if one.sight.protocol == "TCP" else flow.l4.UDP
        assert (ports.source_port, ports.destination_port) == (one.source_port, one.destination_port)
        assert flow.drop_reason == one.sight.drop_reason


def test_a_monitor_of_an_agent_that_is_down_says_so() -> None:
    world = build()
    node = list(world.agents)[1]
    run = world.agents[node]
    operations.carry_out(world, [{"restart_agent": {"worker": 1}}])
    output = commands.run(world, run, "cilium-agent", MONITOR)
    assert not isinstance(output, (Following, commands.NoProgram))
    assert b"Is the agent running?" in output.stderr


async def test_in_process_a_command_that_goes_on_does_not_answer_in_time() -> None:
    world = seen()
    run = world.agents[list(world.agents)[1]]
    request = AgentCommand(run.node, run.namespace, run.name, "cilium-agent", MONITOR)
    result = await answer(WorldSource(world), request, 0)
    assert isinstance(result, Gap)
    assert result.kind is GapKind.TIMED_OUT


async def test_rules_read_the_refused_flows_of_an_agent() -> None:
    world = seen()
    run = world.agents[list(world.agents)[1]]
    request = AgentCommand(run.node, run.namespace, run.name, "cilium-agent", DROPPED)
    way = RefusedFlows.ways[0]
    result = await answer(WorldSource(world), request, 0)
    assert not isinstance(result, Gap)
    reader = way.reader()
    reader.feed(result.body)
    fact = reader.finish(result.request, result.end)
    assert isinstance(fact, RefusedFlows)
    assert fact.items
    assert all(flow.protocol for flow in islice(fact.items, 5))
