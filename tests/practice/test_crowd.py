"""The crowd: many pods for measuring, of which every part of the world knows."""

from __future__ import annotations

import pytest

from playbooks.practice import writing
from playbooks.practice.catalog import CILIUM_ENDPOINTS, DEPLOYMENTS, PODS, REPLICA_SETS
from playbooks.practice.crowd import NAMESPACE
from playbooks.practice.objects import name_of
from playbooks.practice.ownership import Writer
from playbooks.practice.workloads import is_ready
from playbooks.practice.world import World, build


def crowd_of(world: World) -> list[str]:
    return [name_of(pod) for pod in world.store.all(PODS, NAMESPACE)]


def test_the_smallest_cluster_has_three_nodes_and_ten_pods_more() -> None:
    world = build(nodes=3, crowd=10)
    assert (len(world.network.nodes), len(crowd_of(world))) == (3, 10)


def test_everybody_knows_the_crowd_and_leaves_it_as_it_is() -> None:
    world = build(nodes=4, crowd=600)
    pods = world.store.all(PODS, NAMESPACE)
    assert len(pods) == 600
    assert all(map(is_ready, pods))
    assert len({pod["status"]["podIP"] for pod in pods}) == 600
    assert len({pod["metadata"]["uid"] for pod in pods}) == 600
    before = crowd_of(world)
    world.advance(300)
    assert crowd_of(world) == before
    published = {name_of(item): item for item in world.store.all(CILIUM_ENDPOINTS, NAMESPACE)}
    assert set(published) == set(before)
    for pod in pods:
        status = published[name_of(pod)]["status"]
        assert status["networking"]["addressing"] == [{"ipv4": pod["status"]["podIP"]}]
    for kind in (DEPLOYMENTS, REPLICA_SETS):
        counts = [item["status"]["readyReplicas"] for item in world.store.all(kind, NAMESPACE)]
        assert sum(counts) == 600
        assert counts == [item["spec"]["replicas"] for item in world.store.all(kind, NAMESPACE)]


def test_a_crowd_can_be_scaled_like_anything_else() -> None:
    world = build(nodes=3, crowd=50)
    (deployment,) = world.store.all(DEPLOYMENTS, NAMESPACE)
    writing.scale(world, DEPLOYMENTS, NAMESPACE, name_of(deployment), 20, Writer("kubectl"))
    world.advance(10)
    assert len(crowd_of(world)) == 20
    assert len(world.store.all(CILIUM_ENDPOINTS, NAMESPACE)) == 20


def test_more_pods_than_nodes_can_take_are_refused() -> None:
    with pytest.raises(ValueError, match="601 pods do not fit on 3 nodes, which take 600"):
        build(nodes=3, crowd=601)
