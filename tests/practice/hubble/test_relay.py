"""Relay of the practice world: nodes first, then events by time; slow nodes, and those that come and go."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from playbooks.model.hubble.proto import flow_pb2, relay_pb2
from playbooks.practice import operations
from playbooks.practice.hubble.observers import Relay
from playbooks.practice.hubble.past import past_of
from playbooks.practice.objects import Json
from playbooks.practice.traffic.flows import flows
from playbooks.practice.world import World, build
from tests.practice.hubble.asking import SECOND, Filter, Flows, Response, begun, only_flows, states
from tests.practice.worlds import seen

WORKER: Json = {"worker": 1}


class Following:
    """A client that follows Relay."""

    def __init__(self, world: World, **asked: object) -> None:
        self.world = world
        self.stream = Relay(world).flows(Flows(follow=True, **asked))  # type: ignore[arg-type]
        past = past_of(world)
        raws = (*self.stream.greet(past), *self.stream.begin(past))
        self.begun = [Response.FromString(raw) for raw in raws]

    def after(self, *steps: Json) -> list[Response]:
        """What is told after steps."""
        operations.carry_out(self.world, list(steps))
        return [Response.FromString(raw) for raw in self.stream.more(past_of(self.world))]


def names(world: World) -> list[str]:
    return list(world.network.nodes)


def test_nodes_are_told_first_and_flows_by_time() -> None:
    world = seen()
    told = begun(Relay(world), world, number=20)
    assert states(told[:1]) == [("NODE_CONNECTED", sorted(names(world)))]
    assert told[0].node_status.node_names[0].startswith("orchard/")
    times = [one.time.ToNanoseconds() for one in told[1:]]
    assert times == sorted(times)


def test_numbers_are_counted_for_each_node() -> None:
    world = seen()
    counts = Counter(flow.node_name for flow in only_flows(begun(Relay(world), world, number=20)))
    assert counts == {f"orchard/{node}": 20 for node in names(world)}
    first = only_flows(begun(Relay(world), world, number=1, first=True))
    assert len({flow.node_name for flow in first}) == len(first) == len(names(world))


def test_following_tells_what_all_nodes_see() -> None:
    following = Following(build())
    assert only_flows(following.begun) == []
    begin = following.world.now
    told = [*following.after({"wait": 1}), *following.after({"wait": 2.5})]
    expected = [one.uuid for one in flows(following.world, begin, following.world.now)]
    assert [flow.uuid for flow in only_flows(told)] == expected


def test_filters_reach_all_nodes_and_node_states_pass_them() -> None:
    world = seen()
    told = begun(Relay(world), world, number=5, whitelist=[Filter(verdict=[flow_pb2.DROPPED])])
    assert {flow.verdict for flow in only_flows(told)} == {flow_pb2.DROPPED}
    assert len(states(told)) == 1


def test_a_node_that_does_not_answer_is_unavailable() -> None:
    world = build()
    away = names(world)[1]
    operations.carry_out(world, [{"silence_agent": WORKER}])
    told = begun(Relay(world), world, number=5)
    others = sorted(set(names(world)) - {away})
    assert states(told) == [("NODE_CONNECTED", others), ("NODE_UNAVAILABLE", [away])]
    assert f"orchard/{away}" not in {flow.node_name for flow in only_flows(told)}
    status = Relay(world).status(past_of(world))
    assert (status.num_connected_nodes.value, status.num_unavailable_nodes.value) == (5, 1)
    assert list(status.unavailable_nodes) == [f"orchard/{away}"]
    found = {one.name: one.state for one in Relay(world).nodes(past_of(world)).nodes}
    assert found[f"orchard/{away}"] == relay_pb2.NODE_UNAVAILABLE


def test_a_node_that_breaks_off_is_an_error_and_is_asked_again_when_it_is_back() -> None:
    world = build()
    node = names(world)[1]
    following = Following(world, number=3)
    following.after({"wait": 5})
    gone = following.after({"restart_agent": WORKER}, {"wait": 0.2})
    assert states(gone) == [("NODE_ERROR", [node])]
    assert "Unavailable" in gone[0].node_status.message
    silent = following.after({"wait": 0.2})
    assert f"orchard/{node}" not in {flow.node_name for flow in only_flows(silent)}
    back = following.after({"wait": 60})
    assert states(back) == [("NODE_CONNECTED", [node])]
    later = following.after({"wait": 10})
    assert f"orchard/{node}" in {flow.node_name for flow in only_flows(later)}
    every = [flow.uuid for flow in only_flows([*back, *later])]
    assert len(every) == len(set(every))


def test_a_node_that_is_removed_is_gone() -> None:
    world = build()
    node = names(world)[-1]
    following = Following(world)
    told = following.after({"delete": {"kind": "Node", "name": node}}, {"wait": 120})
    assert ("NODE_GONE", [node]) in states(told)


def test_a_slow_node_tells_later_and_loses_nothing() -> None:
    world = build()
    node = f"orchard/{names(world)[1]}"
    operations.carry_out(world, [{"slow_hubble": {**WORKER, "seconds": 3}}])
    relay = Relay(world)
    assert relay.flows(Flows(number=1)).delay(past_of(world)) == 3.0
    following = Following(world)
    begin = world.now
    told = [following.after({"wait": 0.5}) for _ in range(20)]
    for number, part in enumerate(told):
        now = past_of(world).epoch + past_of(world).now - (19 - number) * SECOND // 2
        times = [flow.time.ToNanoseconds() for flow in only_flows(part) if flow.node_name == node]
        assert all(now - 4 * SECOND < time <= now - 3 * SECOND for time in times)
    every = [flow.uuid for part in told for flow in only_flows(part)]
    expected = [
        one.uuid
        for one in flows(world, begin, world.now)
        if f"orchard/{one.node}" != node or one.time <= past_of(world).epoch + past_of(world).now - 3 * SECOND
    ]
    assert Counter(every) == Counter(expected)
    times = [one.time.ToNanoseconds() for part in told for one in part]
    assert any(one > two for one, two in pairwise(times))


def test_losses_of_a_node_come_in_their_place() -> None:
    following = Following(build())
    loss = {"worker": 2, "count": 12, "source": "HUBBLE_RING_BUFFER"}
    told = following.after({"wait": 1}, {"lose_flows": loss}, {"wait": 1})
    (lost,) = [one for one in told if one.HasField("lost_events")]
    assert lost.node_name == f"orchard/{names(following.world)[2]}"
    assert (lost.lost_events.num_events_lost, lost.lost_events.HasField("cpu")) == (12, False)
    times = [one.time.ToNanoseconds() for one in told]
    assert times == sorted(times)
    assert told[0] is not lost
    assert told[-1] is not lost


def test_the_status_is_that_of_all_agents() -> None:
    world = seen()
    status = Relay(world).status(past_of(world))
    found = Relay(world).nodes(past_of(world)).nodes
    assert status.version == "hubble-relay v1.20.2+g0000000000"
    assert [one.name for one in found] == [f"orchard/{node}" for node in sorted(names(world))]
    assert status.seen_flows == sum(one.seen_flows for one in found)
    assert status.num_flows == sum(one.num_flows for one in found)
    assert status.max_flows == 4095 * len(found)
    assert status.uptime_ns == max(one.uptime_ns for one in found)
    assert found[0].address.endswith(":4244")
    assert found[0].version == "cilium v1.20.2+g0000000000"
    spaces = Relay(world).namespaces(past_of(world)).namespaces
    assert [one.namespace for one in spaces] == ["default", "kube-system", "monitoring", "shop"]
