"""Clients outside of the cluster: where their packets come in, and as whom they are seen from there."""

from __future__ import annotations

from datetime import timedelta

import pytest

from playbooks.practice.announcing import announced
from playbooks.practice.catalog import LEASES
from playbooks.practice.frontends import frontends
from playbooks.practice.objects import labels_of, name_of
from playbooks.practice.traffic.call import call_of
from playbooks.practice.traffic.flows import flows
from playbooks.practice.traffic.lane import Lane, Outcome
from playbooks.practice.world import World
from tests.practice.worlds import seen


def entering(world: World) -> list[Lane]:
    return [lane for lane in world.traffic.lanes if lane.entry]


def node_of(world: World, app: str) -> str:
    return next(run.node for run in world.runs.values() if labels_of(run.pod).get("app") == app)


def test_a_node_without_a_pod_of_a_local_service_drops_at_its_host() -> None:
    world = seen("nodes-without-backend")
    home = node_of(world, "portal")
    came = {lane.entry: lane for lane in entering(world)}
    assert {lane.outcome for node, lane in came.items() if node != home} == {Outcome.DROPPED}
    told = [
        one.sight
        for one in flows(world, world.now - timedelta(seconds=20), world.now)
        if one.sight.drop_reason == 158
    ]
    assert {(one.file, one.direction.value, one.destination_service) for one in told} == {
        ("bpf_host.c", "INGRESS", ("shop", "portal"))
    }
    assert {one.node for one in told} == came.keys() - {home}


def test_who_asks_inside_has_backends_where_who_asks_outside_has_none() -> None:
    world = seen("nodes-without-backend")
    bare = next(node for node in world.network.nodes if node != node_of(world, "portal"))
    one = {each.address: len(each.active) for each in frontends(world, bare) if each.port == 31080}
    assert one["0.0.0.0:31080/TCP"] == 0
    assert one["0.0.0.0:31080/TCP/i"] == 1


def test_without_a_tunnel_the_other_node_sees_a_node() -> None:
    world = seen("callers-come-as-nodes")
    home = node_of(world, "portal")
    for lane in entering(world):
        labels = set(lane.client.labels)
        if lane.entry == home:
            assert (lane.client.ip, labels) == (lane.call.app, {"reserved:world"})
            assert lane.outcome is Outcome.ANSWERED
        else:
            assert lane.client.ip in world.network.nodes[lane.entry].addresses.every
            assert "reserved:remote-node" in labels
            assert (lane.outcome, lane.drop_reason, lane.drops_at) == (Outcome.DROPPED, 133, home)


def test_source_ranges_are_held_against_the_address_that_arrives() -> None:
    world = seen("source-ranges")
    came = {(lane.client.ip, lane.drop_reason) for lane in entering(world) if lane.drop_reason}
    assert came == {("10.0.0.11", 177)}
    admitted = [lane for lane in entering(world) if lane.call.app == "203.0.113.40"]
    assert {lane.outcome for lane in admitted} == {Outcome.ANSWERED}
    # With a tunnel, who asks is told beside packets that another node passes on.
    assert {lane.client.identity for lane in admitted} == {2}


def test_the_node_that_announces_an_address_takes_everybody_in() -> None:
    world = seen("announced-elsewhere")
    (lane,) = entering(world)
    assert lane.entry != node_of(world, "portal")
    assert (lane.outcome, lane.drop_reason) == (Outcome.DROPPED, 158)
    leases = {name_of(item): item["spec"]["holderIdentity"] for item in world.store.all(LEASES)}
    assert leases["cilium-l2announce-shop-portal"] == lane.entry
    assert announced(world, lane.entry) == [("198.51.100.161", "eth0")]
    assert announced(world, node_of(world, "portal")) == []


def test_the_proxy_of_ingress_asks_as_itself() -> None:
    world = seen("ingress-refused")
    own = {network.ingress.first for network in world.network.nodes.values()}
    assert len(own) == 6
    assert {lane.client.ip for lane in entering(world)} == own
    assert {(lane.client.identity, lane.drop_reason) for lane in entering(world)} == {(8, 133)}


def test_a_call_needs_clients() -> None:
    assert call_of({"from": "203.0.113.40", "to": "tcp://10.0.0.10:80"}).is_from_outside
    assert not call_of({"from": "shop/cart", "to": "tcp://10.0.0.10:80"}).is_from_outside
    with pytest.raises(ValueError, match="an address"):
        call_of({"from": "cart", "to": "tcp://10.0.0.10:80"})
