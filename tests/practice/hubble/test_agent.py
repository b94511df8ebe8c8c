"""What an agent of the practice world answers: by Hubble's rules of numbers, times and filters."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp

from playbooks.model.hubble.proto import flow_pb2, observer_pb2
from playbooks.practice import operations
from playbooks.practice.hubble.observers import Agent, NotOffered
from playbooks.practice.hubble.past import CAPACITY, past_of
from playbooks.practice.hubble.question import WrongRequest
from playbooks.practice.traffic.flows import flows
from playbooks.practice.world import World, build
from tests.practice.hubble.asking import EVERYTHING, Filter, Flows, Response, begun, only_flows
from tests.practice.worlds import seen, set_up


def busy(world: World) -> Agent:
    """The agent of a node with clients of the shop."""
    return Agent(world, list(world.agents)[1])


def moment(seconds_ago: float, world: World) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(world.now - timedelta(seconds=seconds_ago))
    return found


def uuids(told: list[Response]) -> list[str]:
    return [flow.uuid for flow in only_flows(told)]


def test_an_agent_tells_the_flows_of_its_node_that_the_world_has() -> None:
    world = seen()
    agent = busy(world)
    told = begun(agent, world, since=moment(30, world))
    expected = [
        one for one in flows(world, world.now - timedelta(seconds=30), world.now) if one.node == agent.node
    ]
    assert uuids(told) == [one.uuid for one in expected]
    for one, flow in zip(expected, only_flows(told), strict=True):
        assert flow.time.ToNanoseconds() == one.time
        ports = flow.l4.TCP if one.sight.protocol == "TCP" else flow.l4.UDP
        assert (ports.source_port, ports.destination_port) == (one.source_port, one.destination_port)
        assert flow.source.pod_name == one.sight.source.pod
        assert flow_pb2.Verdict.Name(flow.verdict) == one.verdict.value
    assert {one.node_name for one in told} == {f"orchard/{agent.node}"}
    assert all(one.time == one.flow.time for one in told)


def test_what_is_sent_is_what_protobuf_itself_would_send() -> None:
    world = seen()
    for raw in busy(world).flows(Flows(number=400)).begin(past_of(world)):
        assert Response.FromString(raw).SerializeToString() == raw


def test_numbers_count_from_the_end_or_the_beginning_of_what_is_kept() -> None:
    world = seen()
    agent = busy(world)
    every = uuids(begun(agent, world, number=EVERYTHING))
    assert CAPACITY * 0.9 < len(every) <= CAPACITY
    assert uuids(begun(agent, world)) == every
    assert uuids(begun(agent, world, number=20)) == every[-20:]
    assert uuids(begun(agent, world, number=20, first=True)) == every[:20]
    assert begun(agent, world, follow=True) == []
    assert uuids(begun(agent, world, number=3, follow=True)) == every[-3:]


def test_times_bound_what_is_told_and_numbers_then_count_forward() -> None:
    world = seen()
    agent = busy(world)
    since, until = moment(60, world), moment(20, world)
    between = only_flows(begun(agent, world, since=since, until=until))
    assert between
    assert all(
        since.ToNanoseconds() <= flow.time.ToNanoseconds() <= until.ToNanoseconds() for flow in between
    )
    first = uuids(begun(agent, world, since=since, number=5))
    assert first == [flow.uuid for flow in between[:5]]
    assert uuids(begun(agent, world, until=until, number=5)) == [flow.uuid for flow in between[-5:]]


@pytest.mark.parametrize(
    "wanted",
    [
        Filter(verdict=[flow_pb2.DROPPED]),
        Filter(protocol=["dns"]),
        Filter(destination_port=["53"]),
        Filter(source_pod=["shop/"], destination_port=["8080"]),
        Filter(experimental=Filter.Experimental(cel_expression=["_flow.l4.TCP.flags.SYN"])),
    ],
    ids=str,
)
def test_filters_keep_exactly_what_matches(wanted: flow_pb2.FlowFilter) -> None:
    from playbooks.model.hubble.filters.matching import matching

    world = seen()
    agent = busy(world)
    since = moment(20, world)
    every, matcher = only_flows(begun(agent, world, since=since)), matching([wanted])
    kept = [flow for flow in every if matcher.flow(flow)]
    assert len(kept) > 2
    assert only_flows(begun(agent, world, since=since, whitelist=[wanted])) == kept
    assert only_flows(begun(agent, world, number=2, whitelist=[wanted])) == kept[-2:]
    rest = only_flows(begun(agent, world, since=since, blacklist=[wanted]))
    assert len(rest) == len(every) - len(kept)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        (Flows(whitelist=[Filter(http_path=["("])]), "invalid http path filter"),
        (Flows(blacklist=[Filter(source_pod=[""])]), "must be"),
        (Flows(first=True, follow=True, number=1), "first cannot be specified with follow"),
        (Flows(field_mask=FieldMask(paths=["nosuch"])), 'invalid path "nosuch"'),
    ],
)
def test_what_makes_no_sense_is_refused(asked: observer_pb2.GetFlowsRequest, why: str) -> None:
    with pytest.raises(WrongRequest, match=why):
        busy(seen()).flows(asked)


def test_a_mask_leaves_out_what_was_not_asked_for() -> None:
    world = seen()
    mask = FieldMask(paths=["source.identity", "verdict"])
    (told,) = begun(busy(world), world, number=1, field_mask=mask)
    assert {field.name for field, _ in told.flow.ListFields()} <= {"source", "verdict"}
    assert {field.name for field, _ in told.flow.source.ListFields()} == {"identity"}
    assert (told.node_name, told.HasField("time")) == ("", False)


def test_following_goes_on_without_a_gap_or_a_repetition() -> None:
    world = build()
    agent = busy(world)
    begin = world.now
    stream = agent.flows(Flows(follow=True))
    list(stream.begin(past_of(world)))
    told = []
    for seconds in (0.2, 0.2, 1.0, 7.3):
        world.advance(seconds)
        told += [Response.FromString(raw) for raw in stream.more(past_of(world))]
    assert uuids(told) == [one.uuid for one in flows(world, begin, world.now, agent.node)]
    assert all(one.time.ToNanoseconds() <= two.time.ToNanoseconds() for one, two in pairwise(told))


def test_an_agent_that_was_restarted_remembers_nothing_from_before() -> None:
    world = build()
    agent = busy(world)
    operations.carry_out(world, [{"restart_agent": {"worker": 1}}, {"wait": 60}])
    past = past_of(world)
    oldest = min(flow.time.ToNanoseconds() for flow in only_flows(begun(agent, world)))
    assert oldest >= past.epoch + past.watched[agent.node]
    status = agent.status(past)
    assert status.num_flows == status.seen_flows < CAPACITY
    assert status.uptime_ns < 60 * 10**9
    asked = observer_pb2.GetAgentEventsRequest(number=1, first=True)
    (raw,) = agent.agent_events(asked).begin(past)
    event = observer_pb2.GetAgentEventsResponse.FromString(raw)
    assert event.agent_event.type == flow_pb2.AGENT_STARTED
    assert event.time.ToNanoseconds() == past.epoch + past.watched[agent.node]


def test_a_new_pod_is_an_event_of_its_agent() -> None:
    world = build()
    observers = [Agent(world, node) for node in world.agents]
    streams = [one.agent_events(observer_pb2.GetAgentEventsRequest(follow=True)) for one in observers]
    for stream in streams:
        list(stream.begin(past_of(world)))
    scale = {"kind": "Deployment", "namespace": "shop", "name": "cart", "replicas": 5}
    operations.carry_out(world, [{"scale": scale}, {"wait": 30}])
    told = [
        observer_pb2.GetAgentEventsResponse.FromString(raw).agent_event
        for stream in streams
        for raw in stream.more(past_of(world))
    ]
    created = [one.endpoint_update for one in told if one.type == flow_pb2.ENDPOINT_CREATED]
    assert created
    assert {one.namespace for one in created} == {"shop"}
    assert sum(one.type == flow_pb2.ENDPOINT_REGENERATE_SUCCESS for one in told) == len(created)


def test_events_that_were_lost_pass_every_filter_and_are_not_counted() -> None:
    world = build()
    agent = busy(world)
    loss = {"worker": 1, "count": 7, "cpu": 1}
    operations.carry_out(world, [{"lose_flows": loss}, {"wait": 5}])
    told = begun(agent, world, number=2000, whitelist=[Filter(verdict=[flow_pb2.DROPPED])])
    (lost,) = [one.lost_events for one in told if one.HasField("lost_events")]
    assert (lost.num_events_lost, lost.cpu.value) == (7, 1)
    assert lost.source == flow_pb2.PERF_EVENT_RING_BUFFER
    assert len(begun(agent, world, number=300)) == 301


def test_more_flows_than_a_stream_takes_are_lost_and_said_to_be() -> None:
    world = build()
    call = {
        "from": "shop/frontend-client",
        "to": "http://checkout.shop.svc.cluster.local:8080/",
        "every": 0.0005,
    }
    operations.carry_out(world, [{"call": call}])
    node = next(
        run.node
        for run in world.runs.values()
        if run.pod["metadata"]["labels"].get("app") == "frontend-client"
    )
    stream = Agent(world, node).flows(Flows(follow=True))
    list(stream.begin(past_of(world)))
    begin = world.now
    world.advance(1.0)
    told = [Response.FromString(raw) for raw in stream.more(past_of(world))]
    lost = sum(one.lost_events.num_events_lost for one in told)
    found = only_flows(told)
    assert lost > 0
    assert len(found) == CAPACITY
    assert len(found) + lost == len(list(flows(world, begin, world.now, node)))
    source = next(one.lost_events for one in told if one.HasField("lost_events"))
    assert source.source == flow_pb2.HUBBLE_RING_BUFFER


@pytest.mark.parametrize("profile", ["ipv6-only", "dual-stack", "eni", "kvstore"])
def test_every_profile_with_hubble_has_flows(profile: str) -> None:
    world = set_up(profile)
    told = only_flows(begun(busy(world), world, number=50))
    assert len(told) == 50
    family = flow_pb2.IPv6 if profile == "ipv6-only" else flow_pb2.IPv4
    assert all(flow.IP.ipVersion == family for flow in told)


def test_an_agent_knows_its_namespaces_but_no_nodes() -> None:
    world = seen()
    told = busy(world).namespaces(past_of(world))
    assert ("orchard", "shop") in [(one.cluster, one.namespace) for one in told.namespaces]
    with pytest.raises(NotOffered, match="GetNodes not implemented"):
        busy(world).nodes(past_of(world))
