"""What clients of the practice world ask for, what comes of it, and the flows that tell of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest

from playbooks.practice import operations
from playbooks.practice.logs import Line
from playbooks.practice.objects import Json
from playbooks.practice.policies.book import SYNC
from playbooks.practice.policies.losing import lose
from playbooks.practice.scenarios import load
from playbooks.practice.traffic.call import call_of
from playbooks.practice.traffic.flows import WorldFlow, flows
from playbooks.practice.traffic.lane import Lane, Outcome
from playbooks.practice.traffic.logbook import lines
from playbooks.practice.traffic.sight import Event, Point, Ruling, Way
from playbooks.practice.world import World, build
from tests.practice.worlds import seen, set_up


def last(world: World, seconds: float, node: str = "") -> list[WorldFlow]:
    return list(flows(world, world.now - timedelta(seconds=seconds), world.now, node))


def lanes(world: World, client: str, server: str = "") -> list[Lane]:
    return [
        lane
        for lane in world.traffic.lanes
        if lane.client.workload == client and lane.server.workload == server and lane.query is None
    ]


def told(flow: WorldFlow) -> tuple[object, ...]:
    sight = flow.sight
    point = sight.point.name if sight.point is not None else ""
    return sight.event.name, point, sight.direction.value, ",".join(sight.flags), sight.verdict.value


def call_flows(world: World, client: str, server: str) -> Iterator[list[WorldFlow]]:
    """The flows of each connection of a minute."""
    found: dict[int, list[WorldFlow]] = {}
    for flow in last(world, 60):
        ends = {flow.sight.source.workload, flow.sight.destination.workload}
        if ends == {client, server} and flow.sight.protocol == "TCP":
            found.setdefault(flow.client_port, []).append(flow)
    return iter(found.values())


def test_the_same_times_tell_the_same_flows_in_order() -> None:
    world = seen()
    found = last(world, 60)
    assert found == last(world, 60)
    assert all(one.time <= two.time for one, two in pairwise(found))
    assert len({flow.uuid for flow in found}) == len(found)
    assert {flow.node for flow in last(world, 130)} == set(world.network.nodes)


def test_two_windows_join_without_a_gap_or_a_repetition() -> None:
    world = seen()
    middle = world.now - timedelta(seconds=23.456)
    begin = world.now - timedelta(seconds=60)
    parts = [*flows(world, begin, middle), *flows(world, middle, world.now)]
    assert parts == last(world, 60)


def test_a_node_tells_its_own_flows_only() -> None:
    world = seen()
    node = list(world.network.nodes)[2]
    assert last(world, 30, node) == [flow for flow in last(world, 30) if flow.node == node]


def test_another_seed_tells_other_flows_of_the_same_kind() -> None:
    first, second = seen(seed=0), seen(seed=1)
    assert {flow.uuid for flow in last(first, 10)}.isdisjoint(flow.uuid for flow in last(second, 10))
    kinds = [{told(flow) for flow in last(world, 60)} for world in (first, second)]
    assert kinds[0] & kinds[1] >= {
        ("DROP", "", "EGRESS", "SYN", "DROPPED"),
        ("DROP", "", "INGRESS", "SYN", "DROPPED"),
        ("POLICY_VERDICT", "", "EGRESS", "", "REDIRECTED"),
        ("TRACE", "TO_NETWORK", "EGRESS", "SYN", "FORWARDED"),
        ("TRACE", "TO_OVERLAY", "EGRESS", "SYN", "FORWARDED"),
        ("ACCESS_LOG", "", "EGRESS", "", "FORWARDED"),
    }


def test_a_connection_opens_talks_and_closes_as_recorded() -> None:
    world = seen()
    complete = [one for one in call_flows(world, "cart-client", "redis") if one[0].sight.flags == ("SYN",)]
    packets = [flow for flow in complete[0] if flow.sight.event is Event.TRACE]
    client = [flow for flow in packets if flow.node == packets[0].node]
    flags = [("reply " if flow.sight.is_reply else "") + ",".join(flow.sight.flags) for flow in client]
    assert flags == [
        "SYN", "reply SYN,ACK", "ACK", "PSH,ACK", "reply PSH,ACK", "reply FIN,ACK", "FIN,ACK", "reply ACK",
    ]  # fmt: skip
    assert {flow.sight.trace_reason for flow in packets} == {"NEW", "ESTABLISHED", "REPLY"}


def test_between_nodes_both_sides_tell_of_a_packet() -> None:
    world = seen()
    remote = next(lane for lane in lanes(world, "frontend-client", "cart") if lane.path == "overlay")
    synced = [step.sight for step in remote.steps if step.sight.flags == ("SYN",)]
    traces = [(sight.node, sight.point, sight.direction) for sight in synced if sight.event is Event.TRACE]
    assert traces == [
        (remote.client.node, Point.TO_OVERLAY, Way.EGRESS),
        (remote.server.node, Point.TO_ENDPOINT, Way.INGRESS),
    ]


def test_natively_routed_packets_leave_through_the_network() -> None:
    lane = next(
        lane for lane in lanes(set_up("native-routing"), "cart-client", "redis") if lane.path != "local"
    )
    assert {step.sight.point for step in lane.steps} & {Point.TO_OVERLAY, Point.TO_NETWORK} == {
        Point.TO_NETWORK
    }


def test_what_a_policy_refuses_is_told_twice_and_tried_again() -> None:
    world = seen()
    (lane,) = lanes(world, "intruder", "redis")
    assert lane.outcome is Outcome.DROPPED
    refused = [step.sight for step in lane.steps if step.sight.verdict is Ruling.DROPPED]
    assert [sight.event for sight in refused] == [Event.POLICY_VERDICT, Event.DROP] * 3
    assert {(sight.drop_reason, sight.drop_name) for sight in refused} == {(133, "POLICY_DENIED")}
    assert [(sight.file, sight.line) for sight in refused][:2] == [("", 0), ("bpf_lxc.c", 2410)]


def test_a_deny_rule_names_its_policy() -> None:
    world = seen()
    lane = next(lane for lane in world.traffic.lanes if lane.server.ip == "198.51.100.20")
    verdict, drop = (step.sight for step in lane.steps[:2])
    assert (verdict.drop_reason, drop.sub_type) == (181, 181)
    assert [origin.name for origin in verdict.denied_by] == ["deny-ads"]
    assert not drop.denied_by


def test_lookups_through_the_proxy_are_redirected_and_logged() -> None:
    world = seen()
    every = [lane for lane in world.traffic.lanes if lane.query and lane.client.workload == "checkout-client"]
    lane = next(lane for lane in every if lane.query and lane.query.name == "nosuch.payments.example.")
    assert told_points(lane)[:2] == ["REDIRECTED", "TO_PROXY"]
    logged = [step.sight.l7 for step in lane.steps if step.sight.l7]
    assert [layer.is_response for layer in logged] == [False, True]
    answer = logged[1].dns
    assert answer is not None
    assert (answer.rcode, answer.ips) == (3, ())


def told_points(lane: Lane) -> list[str]:
    return [
        step.sight.point.name if step.sight.point is not None else step.sight.verdict.value
        for step in lane.steps
    ]


def test_a_name_that_does_not_exist_is_tried_in_every_domain() -> None:
    names = {
        lane.query.name
        for lane in seen().traffic.lanes
        if lane.query and lane.call.host == "nosuch.payments.example"
    }
    assert names == {
        "nosuch.payments.example.",
        "nosuch.payments.example.shop.svc.cluster.local.",
        "nosuch.payments.example.svc.cluster.local.",
        "nosuch.payments.example.cluster.local.",
    }


def test_requests_through_a_proxy_are_logged_with_their_answer() -> None:
    lane = lanes(seen(), "prober", "legacy")[0]
    logged = [step.sight.l7.http for step in lane.steps if step.sight.l7 and step.sight.l7.http]
    assert [(http.method, http.url, http.code) for http in logged] == [
        ("GET", "http://legacy.default.svc.cluster.local/healthz", 0),
        ("GET", "http://legacy.default.svc.cluster.local/healthz", 200),
    ]


def test_a_forbidden_request_gets_the_proxys_own_answer() -> None:
    world = build()
    target = "http://legacy.default.svc.cluster.local/admin"
    world.traffic.add({"from": "monitoring/prober", "to": target, "method": "DELETE", "every": 2})
    lane = next(lane for lane in lanes(world, "prober", "legacy") if lane.call.method == "DELETE")
    assert lane.outcome is Outcome.FORBIDDEN
    logged = [step.sight for step in lane.steps if step.sight.event is Event.ACCESS_LOG]
    assert [sight.verdict for sight in logged] == [Ruling.DROPPED, Ruling.FORWARDED]
    assert logged[1].l7 is not None
    assert logged[1].l7.http is not None
    assert logged[1].l7.http.code == 403
    arrived = [step for step in lane.steps if step.sight.interface == lane.server.interface]
    assert arrived == []


@pytest.mark.parametrize(
    ("steps", "outcome", "reason"),
    [
        ([{"scale": {"namespace": "shop", "name": "redis", "replicas": 0}}], Outcome.UNREACHABLE, 0),
        ([{"scale": {"kind": "Deployment", "namespace": "kube-system", "name": "coredns", "replicas": 0}}],
         Outcome.UNKNOWN_NAME, 0),
        ([{"patch": {"kind": "Service", "namespace": "shop", "name": "redis", "merge": {"spec": {"ports": [
            {"name": "p6379", "port": 6379, "targetPort": 1, "protocol": "TCP"}]}}}}], Outcome.DROPPED, 133),
        ([{"patch": {"kind": "Service", "namespace": "shop", "name": "redis", "merge": {"spec": {"ports": [
            {"name": "p6380", "port": 6380, "targetPort": 6379, "protocol": "TCP"}]}}}}],
         Outcome.DROPPED, 158),
    ],
)  # fmt: skip
def test_a_broken_way_breaks_the_call(steps: list[Json], outcome: Outcome, reason: int) -> None:
    world = build()
    operations.carry_out(world, [*steps, {"wait": 60}])
    found = [
        lane
        for lane in world.traffic.lanes
        if lane.client.workload == "cart-client" and "redis" in lane.call.host and not lane.query
    ]
    assert {(lane.outcome, lane.drop_reason) for lane in found} == {(outcome, reason)}


def test_nobody_who_listens_means_a_reset() -> None:
    world = build()
    port = {"name": "p80", "port": 80, "targetPort": 8081, "protocol": "TCP"}
    patch = {"kind": "Service", "namespace": "shop", "name": "checkout", "merge": {"spec": {"ports": [port]}}}
    policy = {"kind": "CiliumNetworkPolicy", "namespace": "shop", "name": "checkout-entities"}
    operations.carry_out(world, [{"delete": policy}, {"patch": patch}, {"wait": 5}])
    world.traffic.add({"from": "shop/cart-client", "to": "http://checkout.shop.svc.cluster.local/"})
    every = lanes(world, "cart-client", "checkout")
    assert {lane.outcome for lane in every} == {Outcome.RESET}
    assert every[0].steps[-1].sight.flags == ("RST", "ACK")


def test_a_lost_entry_of_a_policy_map_drops_what_it_let_through_until_it_is_put_back() -> None:
    world = build()
    lost = {"runs": {"app": "redis"}, "peer": {"app": "cart-client"}, "direction": "ingress", "port": 6379}
    lose(world, lost)
    assert {lane.outcome for lane in lanes(world, "cart-client", "redis")} == {Outcome.DROPPED}
    world.advance(SYNC.total_seconds() + 1)
    assert {lane.outcome for lane in lanes(world, "cart-client", "redis")} == {Outcome.ANSWERED}


def test_calls_reach_another_cluster_where_nobody_answers_here_and_that_one_tells_its_own_part() -> None:
    world = load("mesh-healthy").world()
    (peer,) = world.peers
    scale = {"namespace": "shop", "name": "checkout", "replicas": 0}
    operations.carry_out(world, [{"scale": scale}, {"wait": 60}])
    abroad = lanes(world, "frontend-client", "checkout")
    assert {lane.server.cluster for lane in abroad} == {peer.cluster}
    assert {lane.outcome for lane in abroad} == {Outcome.ANSWERED}
    assert {step.sight.node for lane in abroad for step in lane.steps} == {abroad[0].client.node}
    assert not any(lane.masquerade for lane in abroad)
    assert all(lane.server.identity >> 16 == peer.cluster_id for lane in abroad)


def test_clients_write_down_what_came_of_their_calls() -> None:
    world = seen()
    logs = {
        app: "\n".join(line.text for line in log(world, app))
        for app in ("intruder", "checkout-client", "cart-client")
    }
    assert "redis.shop.svc.cluster.local:6379 ERR dial tcp" in logs["intruder"]
    assert "http:http://tracker.ads.example/ ERR Get" in logs["checkout-client"]
    assert (
        "dns:nosuch.payments.example ERR lookup nosuch.payments.example: no such host"
        in logs["checkout-client"]
    )
    assert "tcp:redis.shop.svc.cluster.local:6379 +PONG" in logs["cart-client"]


def log(world: World, app: str) -> list[Line]:
    run = next(run for run in world.runs.values() if run.pod["metadata"]["labels"].get("app") == app)
    return lines(world, run, world.now - timedelta(hours=1), world.now)


def test_scenarios_add_stop_and_lead_calls_elsewhere() -> None:
    world = build()
    url = "http://api.payments.example/"
    operations.carry_out(
        world,
        [
            {"call": {"from": "shop/cart-client", "to": url, "every": 1}},
            {"hush": {"from": "shop/cart-client", "to": "tcp://redis.shop.svc.cluster.local:6379"}},
            {"lead": {"name": "api.payments.example", "to": ["198.51.100.30"]}},
            {"wait": 10},
        ],
    )
    mine = {
        (lane.call.url, lane.server.ip)
        for lane in world.traffic.lanes
        if lane.client.workload == "cart-client" and not lane.query and lane.server.is_outside
    }
    assert mine == {(url, "198.51.100.30")}
    assert not lanes(world, "cart-client", "redis")


@pytest.mark.parametrize(
    "row",
    [
        {"to": "http://somewhere/"},
        {"from": "shop/cart", "to": "gopher://somewhere/"},
        {"from": "shop/cart", "to": "tcp://somewhere"},
        {"from": "shop/cart", "to": "http://somewhere/", "every": 0},
        {"from": "shop/cart", "to": "http://somewhere/", "colour": "red"},
    ],
)
def test_data_that_describes_no_call_is_refused(row: Json) -> None:
    with pytest.raises(ValueError, match="call"):
        call_of(row)


def test_thousands_of_flows_come_from_one_fast_call() -> None:
    world = build()
    target = "tcp://redis.shop.svc.cluster.local:6379"
    world.traffic.add({"from": "shop/cart-client", "to": target, "every": 0.002})
    world.advance(3)
    found = last(world, 1)
    assert len(found) > 5_000
    assert Counter(flow.verdict for flow in found)[Ruling.FORWARDED] > 5_000


@pytest.mark.parametrize("name", ["ipv6-only", "dual-stack", "eni", "gke", "no-hubble", "kvstore"])
def test_traffic_flows_in_every_profile(name: str) -> None:
    world = set_up(name)
    assert {lane.outcome for lane in lanes(world, "cart-client", "redis")} == {Outcome.ANSWERED}
    families = {":" in flow.sight.source.ip for flow in last(world, 20)}
    assert families == {name == "ipv6-only"}
