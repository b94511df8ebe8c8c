"""What traffic leaves in maps, counters and metrics: readable as real ones are, and equal to the calls."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from playbooks.model.bpf.conntrack import Conntrack, Direction
from playbooks.model.bpf.counters import DatapathCounters
from playbooks.model.bpf.load_balancing import ServiceMap, SlotMap, SourceRangeMap
from playbooks.model.bpf.nat import NatRetries, NatTable
from playbooks.model.bpf.policy import PolicyMaps
from playbooks.model.bpf.state import MapCounts
from playbooks.model.cilium.agent.load_balancing import AgentFrontends
from playbooks.model.cilium.agent.metrics import AgentMetrics
from playbooks.model.cilium.agent.nat_stats import AgentPortsInUse
from playbooks.model.fact import Fact
from playbooks.practice import operations, profile
from playbooks.practice.traffic.flows import flows
from playbooks.practice.traffic.lane import SECOND, Outcome
from playbooks.practice.traffic.sight import Event, Ruling
from playbooks.practice.world import START, World, build
from tests.practice.test_tables import NOWHEN, read
from tests.practice.worlds import seen, set_up

TCP, UDP = 6, 17
LOOK = 30


def node_of(world: World, app: str) -> str:
    return next(run.node for run in world.runs.values() if run.pod["metadata"]["labels"].get("app") == app)


def calls(world: World, node: str, seconds: float, protocol: str) -> int:
    """Answered calls that clients of a node made in the last seconds."""
    now = world.traffic.now
    return sum(
        lane.count(now - round(seconds * SECOND) - lane.duration + 1, now)
        for lane in world.traffic.lanes
        if lane.client.node == node and lane.client.is_endpoint
        if lane.protocol == protocol and lane.outcome is Outcome.ANSWERED
    )


@pytest.mark.parametrize("name", profile.names())
@pytest.mark.parametrize(
    "kind", [Conntrack, NatTable, DatapathCounters, SlotMap, SourceRangeMap], ids=lambda kind: kind.__name__
)
def test_text_and_json_tell_the_same(kind: type[Fact], name: str) -> None:
    world = set_up(name)
    node = node_of(world, "checkout-client")
    as_json, *others = (read(kind, world, node, number) for number in range(len(kind.ways)))
    for other in others:
        assert comparable(as_json) == comparable(other)


def comparable(fact: Fact) -> Fact:
    """The fact without its origin, and without ages, which JSON tells only against its newest entry."""
    fact = replace(fact, provenance=NOWHEN)
    return replace(fact, by_age=()) if isinstance(fact, NatTable) else fact


def test_entries_of_connections_are_the_calls_that_are_still_remembered() -> None:
    world = seen()
    node = node_of(world, "cart-client")
    fact = read(Conntrack, world, node)
    run = next(
        run for run in world.runs.values() if run.pod["metadata"]["labels"].get("app") == "cart-client"
    )
    held = {talker.address: talker.entries for talker in fact.sources}
    assert held[run.ip] >= calls(world, node, 10, "TCP") + calls(world, node, 60, "UDP") > 0
    assert fact.by_protocol.keys() == {TCP, UDP}
    assert fact.by_direction.keys() == {Direction.OUT, Direction.IN}


def test_what_is_refused_on_arrival_waits_for_an_answer() -> None:
    world = seen()
    fact = read(Conntrack, world, node_of(world, "intruder"))
    assert fact.unanswered > 0
    assert fact.closing > 0


def test_translations_are_the_calls_that_leave_the_cluster() -> None:
    world = seen()
    node = node_of(world, "checkout-client")
    fact = read(NatTable, world, node)
    (use,) = fact.uses
    assert (use.address, use.target, use.target_port) == (
        world.network.nodes[node].node_ip,
        "198.51.100.10",
        80,
    )
    assert fact.entries == 2 * use.ports == 2 * fact.outgoing
    (counted,) = read(AgentPortsInUse, world, node, 1).items
    assert (counted.count, counted.remote) == (use.ports, "198.51.100.10:80")
    assert read(NatRetries, world, node, 1).most_tries == 0


@pytest.mark.parametrize("name", ["aks-delegated", "aws-cni-chaining"])
def test_where_the_datapath_does_not_masquerade_nothing_is_translated(name: str) -> None:
    world = set_up(name)
    assert read(NatTable, world, node_of(world, "checkout-client")).entries == 0


def test_two_looks_differ_by_what_happened_between_them() -> None:
    world = build()
    node = node_of(world, "intruder")
    first, begin = read(DatapathCounters, world, node), world.now
    world.advance(LOOK)
    second = read(DatapathCounters, world, node)
    # Packets are counted with their call, at its beginning.
    dropped = Counter(
        lane.drop_reason
        for lane in world.traffic.lanes
        for _ in range(lane.count(world.traffic.moment(begin), world.traffic.now))
        for step in lane.steps
        if step.sight.event is Event.DROP and step.sight.node == node
    )
    grown = {
        reason: sum(second.packets(text, way) - first.packets(text, way) for way in ("ingress", "egress"))
        for reason, text in ((133, "Policy denied"), (181, "Policy denied by denylist"))
    }
    assert grown[133] == dropped[133] > 0
    assert grown[181] == dropped[181]
    assert second.packets("Success", "egress") > first.packets("Success", "egress")


def test_metrics_maps_and_counters_agree() -> None:
    world = seen()
    node = node_of(world, "intruder")
    metrics, counters = read(AgentMetrics, world, node), read(DatapathCounters, world, node)
    counts = {one.name: one.entries for one in read(MapCounts, world, node).items}
    for way in ("INGRESS", "EGRESS"):
        assert metrics.total("forward_count_total", direction=way) == counters.packets("Success", way.lower())
    assert metrics.total("drop_count_total", reason="Policy denied") == sum(
        counters.packets("Policy denied", way) for way in ("ingress", "egress")
    )
    conntrack = read(Conntrack, world, node)
    assert counts["cilium_ct4_global"] == conntrack.by_protocol[TCP]
    assert counts["cilium_ct_any4_global"] == conntrack.by_protocol[UDP]
    (pressure,) = metrics.of("bpf_map_pressure", map_name="ct4_global")
    assert pressure.value == conntrack.by_protocol[TCP] / 221_723
    for one in read(PolicyMaps, world, node).items:
        assert counts[f"cilium_policy_v3_{one.endpoint:05}"] == len(one.entries)
    assert metrics.total("endpoint") == metrics.total("policy_endpoint_enforcement_status")
    assert metrics.total("unreachable_nodes") == 0
    assert [one.value for one in metrics.of("node_health_connectivity_status", status="reachable")] == [6, 6]


def test_flows_and_counters_tell_of_the_same_drops() -> None:
    world = build()
    node = node_of(world, "checkout-client")
    begin = read(DatapathCounters, world, node).packets("Policy denied by denylist", "egress")
    since = world.now
    world.advance(120)
    counted = read(DatapathCounters, world, node).packets("Policy denied by denylist", "egress") - begin
    told = sum(
        flow.sight.event is Event.DROP and flow.sight.drop_reason == 181
        for flow in flows(world, since, world.now, node)
    )
    # Up to two packets of a call may still be on their way at either end.
    assert abs(counted - told) <= 4
    assert told > 0


def test_what_a_new_policy_refuses_is_counted_from_then_on_only() -> None:
    world = build()
    node = node_of(world, "cart-client")
    target = node_of(world, "redis")
    operations.carry_out(
        world,
        [{"patch": {"kind": "CiliumNetworkPolicy", "namespace": "shop", "name": "redis-ingress", "merge": {
            "spec": {"ingress": [{"fromEndpoints": [{"matchLabels": {"app": "nobody"}}]}]}}}}],
    )  # fmt: skip
    before, begin = (
        read(DatapathCounters, world, target).packets("Policy denied", "ingress"),
        world.traffic.now,
    )
    world.advance(60)
    grown = read(DatapathCounters, world, target).packets("Policy denied", "ingress") - before
    refused = [lane for lane in world.traffic.lanes if lane.drops_at == target]
    assert {lane.client.workload for lane in refused} == {"cart-client", "intruder"}
    assert grown == sum(3 * lane.count(begin, world.traffic.now) for lane in refused)
    forwarded = list(flows(world, world.now - timedelta(seconds=200), world.now, node))
    old = [flow for flow in forwarded if flow.sight.destination.workload == "redis"]
    assert {flow.verdict for flow in old} == {Ruling.FORWARDED}


def test_slots_of_services_are_those_of_the_service_map() -> None:
    world = seen()
    node = node_of(world, "frontend")
    slots, services = read(SlotMap, world, node), read(ServiceMap, world, node)
    assert {slot.address for slot in slots.items} == {one.address for one in services.items}
    masters = {slot.address: slot for slot in slots.items if slot.slot == 0}
    for one in services.items:
        assert (masters[one.address].count, masters[one.address].rev_nat) == (
            len(one.backends),
            one.rev_nat,
        )
    host = world.network.nodes[node].node_ip
    assert masters["0.0.0.0:30080/TCP"].flags == (0x02, 0)
    assert masters[f"{host}:30080/TCP"].flags == (0x42, 0)


def test_the_table_of_frontends_is_the_same_as_json_and_text() -> None:
    world = seen()
    node = node_of(world, "frontend")
    as_json, as_text = (read(AgentFrontends, world, node, number).items for number in (0, 1))
    assert [replace(one, id=None, changed_at=None) for one in as_json] == list(as_text)
    assert all(one.is_in_datapath for one in as_json)


def test_a_history_can_be_moved_in_time() -> None:
    world = build()
    node = node_of(world, "cart-client")
    before = read(DatapathCounters, world, node).items
    world.shift_to(START + timedelta(days=30))
    assert read(DatapathCounters, world, node).items == before
