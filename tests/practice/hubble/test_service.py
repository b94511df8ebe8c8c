"""Hubble's service over gRPC: what is on the wire around the answers."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import grpc
import pytest

from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from playbooks.practice import operations
from playbooks.practice.hubble.observers import Agent, Relay
from playbooks.practice.hubble.past import Past, past_of
from playbooks.practice.world import World, build
from tests.practice.hubble.asking import EVERYTHING, Filter, Flows, Response, begun, served, states
from tests.practice.worlds import seen

HEALTH = "/grpc.health.v1.Health/"
SERVING, NOT_SERVING = b"\x08\x01", b"\x08\x02"


def agent(world: World) -> Agent:
    return Agent(world, list(world.agents)[1])


def code(call: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as wrong:
        list(call)
    return wrong.value.code(), wrong.value.details()


def test_an_answer_over_the_wire_is_the_one_in_process(tmp_path: Path) -> None:
    world = seen()
    with served(Relay(world), lambda: past_of(world), tmp_path) as client:
        asked = {"number": 300, "blacklist": [Filter(protocol=["udp"])]}
        told = client.flows(**asked)
        assert told[1:] == begun(Relay(world), world, **asked)[1:]
        assert states(told) == states(begun(Relay(world), world, **asked))


def test_every_answer_names_the_version(tmp_path: Path) -> None:
    world = seen()
    for observer, key in ((agent(world), "hubble-server-version"), (Relay(world), "hubble-relay-version")):
        with served(observer, lambda: past_of(world), tmp_path) as client:
            call = client.stream("GetFlows", Flows(number=1))
            assert (key, "1.20.2+g0000000000") in [(one.key, one.value) for one in call.initial_metadata()]
            list(call)


def test_what_is_not_offered_is_unimplemented(tmp_path: Path) -> None:
    world = seen()
    unknown = grpc.StatusCode.UNIMPLEMENTED
    with served(Relay(world), lambda: past_of(world), tmp_path) as client:
        told = code(client.stream("GetAgentEvents", observer_pb2.GetAgentEventsRequest(number=1)))
        assert told == (unknown, "GetAgentEvents not yet implemented")
        told = code(client.stream("GetDebugEvents", observer_pb2.GetDebugEventsRequest(number=1)))
        assert told == (unknown, "GetDebugEvents not yet implemented")
        assert len(client.single("GetNodes", observer_pb2.GetNodesResponse).nodes) == 6
        assert code(client.stream("Nosuch", Flows()))[0] is unknown
    with served(agent(world), lambda: past_of(world), tmp_path) as client:
        with pytest.raises(grpc.RpcError) as wrong:
            client.single("GetNodes", observer_pb2.GetNodesResponse)
        assert (wrong.value.code(), wrong.value.details()) == (unknown, "GetNodes not implemented")
        assert list(client.stream("GetDebugEvents", observer_pb2.GetDebugEventsRequest(number=1))) == []


@pytest.mark.parametrize(
    "asked",
    [
        Flows(whitelist=[Filter(dns_query=["("])]),
        Flows(blacklist=[Filter(node_name=["["])]),
        Flows(whitelist=[Filter(experimental=Filter.Experimental(cel_expression=["_flow.nosuch"]))]),
        Flows(first=True, follow=True),
    ],
    ids=str,
)
def test_wrong_requests_are_invalid_arguments(asked: observer_pb2.GetFlowsRequest, tmp_path: Path) -> None:
    world = seen()
    with served(Relay(world), lambda: past_of(world), tmp_path) as client:
        assert code(client.stream("GetFlows", asked))[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_health_is_that_of_the_connection_to_agents(tmp_path: Path) -> None:
    world = build(nodes=3)
    with served(Relay(world), lambda: past_of(world), tmp_path) as client:
        check = client.channel.unary_unary(f"{HEALTH}Check")
        observer = b"\x0a\x16hubble.server.Observer"
        assert (check(b""), check(observer)) == (SERVING, SERVING)
        with pytest.raises(grpc.RpcError) as wrong:
            check(b"\x0a\x05other")
        assert wrong.value.code() is grpc.StatusCode.NOT_FOUND
        watch = client.channel.unary_stream(f"{HEALTH}Watch")(b"", timeout=20)
        assert next(watch) == SERVING
        operations.carry_out(world, [{"silence_agent": {"worker": number}} for number in range(3)])
        assert next(watch) == NOT_SERVING
        watch.cancel()


def test_a_stream_that_is_followed_goes_on_until_the_client_leaves(tmp_path: Path) -> None:
    world, turn = build(), threading.Lock()

    def later() -> Past:
        # As if the world's clock ran: every look is a second later.
        with turn:
            world.advance(1)
            return past_of(world)

    with served(Relay(world), later, tmp_path) as client:
        call = client.stream("GetFlows", Flows(follow=True))
        told = [Response.FromString(next(call)) for _ in range(200)]
        assert states(told[:1])[0][0] == "NODE_CONNECTED"
        uuids = [one.flow.uuid for one in told[1:]]
        assert len(set(uuids)) == len(uuids) == 199
        call.cancel()
        assert code(call)[0] is grpc.StatusCode.CANCELLED


def test_a_server_that_ends_ends_its_streams(tmp_path: Path) -> None:
    world = seen()
    with served(Relay(world), lambda: past_of(world), tmp_path) as client:
        call = client.stream("GetFlows", Flows(follow=True))
        assert states([Response.FromString(next(call))])
    with pytest.raises(grpc.RpcError):
        list(call)


def test_a_slow_node_holds_up_what_is_remembered_but_not_the_nodes(tmp_path: Path) -> None:
    world = build(nodes=3)
    operations.carry_out(world, [{"slow_hubble": {"worker": 1, "seconds": 3600}}])
    with served(Relay(world), lambda: past_of(world), tmp_path) as client:
        call = client.stream("GetFlows", Flows(number=5))
        assert states([Response.FromString(next(call))])[0][0] == "NODE_CONNECTED"
        call.cancel()


def test_a_world_that_is_gone_is_unavailable(tmp_path: Path) -> None:
    def gone() -> Past:
        raise RuntimeError("no pod of hubble-relay is running")

    with served(Relay(seen()), gone, tmp_path) as client:
        told = code(client.stream("GetFlows", Flows(number=1)))
        assert told == (grpc.StatusCode.UNAVAILABLE, "no pod of hubble-relay is running")
        with pytest.raises(grpc.RpcError) as wrong:
            client.single("ServerStatus", observer_pb2.ServerStatusResponse)
        assert wrong.value.code() is grpc.StatusCode.UNAVAILABLE


def test_many_clients_get_the_same(tmp_path: Path) -> None:
    world = seen()
    with served(agent(world), lambda: past_of(world), tmp_path) as client:
        asked = Flows(number=EVERYTHING, whitelist=[Filter(verdict=[flow_pb2.DROPPED])])
        calls = [client.stream("GetFlows", asked) for _ in range(8)]
        answers = [list(call) for call in calls]
        assert answers[0]
        assert all(one == answers[0] for one in answers)
