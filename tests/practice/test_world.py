"""The practice world: healthy when nothing was done to it, and it follows what is done."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from playbooks.practice import agents, commands, writing
from playbooks.practice.catalog import (
    CILIUM_ENDPOINTS,
    CILIUM_NODES,
    CONFIG_MAPS,
    CRDS,
    DAEMON_SETS,
    DEPLOYMENTS,
    EVENTS,
    LEASES,
    NODES,
    PODS,
    SLICES,
)  # fmt: skip
from playbooks.practice.objects import Json, labels_of, moment_of, name_of
from playbooks.practice.ownership import Writer
from playbooks.practice.workloads import is_ready
from playbooks.practice.world import START, World, build

PERSON = Writer("kubectl-edit")


@pytest.fixture
def world() -> World:
    return build()


def agent_pods(world: World) -> list[Json]:
    return [pod for pod in world.store.all(PODS, "kube-system") if agents.is_agent(pod)]


def agent_answer(world: World, node: str, command: str) -> Json:
    output = commands.run(world, world.agents[node], "cilium-agent", tuple(command.split()))
    assert isinstance(output, commands.Output)
    assert output.exit_code == 0, output.stderr
    answer: Json = json.loads(output.stdout)
    return answer


def set_config(world: World, **values: str) -> None:
    data = {key.replace("_", "-"): value for key, value in values.items()}
    form = "application/merge-patch+json"
    writing.patch(world, CONFIG_MAPS, "kube-system", "cilium-config", form, {"data": data}, PERSON)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_new_cluster_is_healthy_in_every_respect(seed: int) -> None:
    world = build(seed)
    assert world.now == START
    assert world.store.count(NODES) == 6
    assert all(is_ready(pod) for pod in world.store.all(PODS))
    assert [event for event in world.store.all(EVENTS) if event["type"] == "Warning"] == []
    for node in world.store.all(NODES):
        conditions = {entry["type"]: entry["status"] for entry in node["status"]["conditions"]}
        assert conditions.pop("Ready") == "True"
        assert set(conditions.values()) == {"False"}
        keys = [taint["key"] for taint in node["spec"].get("taints", [])]
        assert keys in ([], ["node-role.kubernetes.io/control-plane"])
    for lease in world.store.all(LEASES):
        assert world.now - moment_of(lease["spec"]["renewTime"]) < timedelta(seconds=15)
    assert sorted(name_of(node) for node in world.store.all(CILIUM_NODES)) == sorted(world.agents)
    assert world.store.get(DAEMON_SETS, "kube-system", "cilium")["status"]["numberReady"] == 6


def test_every_agent_says_that_all_is_well(world: World) -> None:
    for node in world.agents:
        status = agent_answer(world, node, "cilium-dbg status -o json")
        assert {status[part]["state"] for part in ("cilium", "kubernetes", "hubble", "cni-file")} == {"Ok"}
        failures = [one for one in status["controllers"] if "consecutive-failure-count" in one["status"]]
        assert failures == []
        health = agent_answer(world, node, "cilium-health status -o json")
        assert len(health["nodes"]) == 6
        assert "status" not in json.dumps(health)
        version = agent_answer(world, node, "cilium-dbg version -o json")
        assert version["Client"]["Version"] == version["Daemon"]["Version"] == "1.20.2"


def test_seeds_give_other_names_and_the_same_seed_the_same_cluster() -> None:
    first, again, other = build(0), build(0), build(1)
    assert first.store.all(PODS) == again.store.all(PODS)
    assert set(first.agents) & set(other.agents) == set()
    names = [name_of(node) for node in other.store.all(NODES)]
    assert names != sorted(names)


def test_a_cluster_can_have_a_hundred_nodes() -> None:
    world = build(nodes=100)
    assert len(world.agents) == 100
    assert all(is_ready(pod) for pod in world.store.all(PODS))
    ranges = {node["spec"]["ipam"]["podCIDRs"][0] for node in world.store.all(CILIUM_NODES)}
    assert len(ranges) == 100


def test_leases_and_heartbeats_follow_the_clock(world: World) -> None:
    world.advance(3600)
    for lease in world.store.all(LEASES):
        assert world.now - moment_of(lease["spec"]["renewTime"]) < timedelta(seconds=15)
    for node in world.store.all(NODES):
        ready = next(entry for entry in node["status"]["conditions"] if entry["type"] == "Ready")
        assert world.now - moment_of(ready["lastHeartbeatTime"]) < timedelta(seconds=61)
        assert moment_of(ready["lastTransitionTime"]) < START


def test_what_an_agent_counts_grows_with_the_clock(world: World) -> None:
    node = next(iter(world.agents))
    before = agent_answer(world, node, "cilium-dbg status -o json")
    world.advance(60)
    after = agent_answer(world, node, "cilium-dbg status -o json")
    assert after["hubble"]["observer"]["seen-flows"] > before["hubble"]["observer"]["seen-flows"]
    names = [one["name"] for one in before["controllers"]]
    assert names == [one["name"] for one in after["controllers"]]


def test_the_history_can_be_moved_to_another_time(world: World) -> None:
    log_before = agent_answer(world, next(iter(world.agents)), "cilium-dbg status -o json")
    moved = START + timedelta(days=400, seconds=7)
    world.shift_to(moved)
    assert world.now == moved
    pod = world.store.all(PODS)[0]
    assert moved - moment_of(pod["metadata"]["creationTimestamp"]) < timedelta(hours=27)
    after = agent_answer(world, next(iter(world.agents)), "cilium-dbg status -o json")
    assert after["hubble"] == log_before["hubble"]
    world.advance(30)
    assert all(is_ready(pod) for pod in world.store.all(PODS))


def test_a_deleted_pod_is_made_anew_with_another_name_and_endpoint(world: World) -> None:
    pod = next(pod for pod in world.store.all(PODS, "shop") if labels_of(pod)["app"] == "redis")
    writing.delete(world, PODS, "shop", name_of(pod))
    assert world.store.get(CILIUM_ENDPOINTS, "shop", name_of(pod)) is None
    world.advance(10)
    made = next(pod for pod in world.store.all(PODS, "shop") if labels_of(pod)["app"] == "redis")
    assert name_of(made) != name_of(pod)
    assert is_ready(made)
    endpoint = world.store.get(CILIUM_ENDPOINTS, "shop", name_of(made))
    assert endpoint is not None
    assert endpoint["status"]["networking"]["addressing"] == [{"ipv4": made["status"]["podIP"]}]


def test_scaling_the_shop_changes_pods_endpoints_and_slices(world: World) -> None:
    writing.scale(world, DEPLOYMENTS, "shop", "frontend", 5, PERSON)
    world.advance(10)
    pods = [pod for pod in world.store.all(PODS, "shop") if labels_of(pod)["app"] == "frontend"]
    assert len(pods) == 5
    frontend = next(item for item in world.store.all(SLICES, "shop") if "frontend-" in name_of(item))
    assert {entry["addresses"][0] for entry in frontend["endpoints"]} == {
        pod["status"]["podIP"] for pod in pods
    }
    deployment = world.store.get(DEPLOYMENTS, "shop", "frontend")
    assert deployment is not None
    assert deployment["status"]["availableReplicas"] == 5
    writing.scale(world, DEPLOYMENTS, "shop", "frontend", 0, PERSON)
    world.advance(10)
    empty = next(item for item in world.store.all(SLICES, "shop") if "frontend-" in name_of(item))
    assert (empty["endpoints"], empty["ports"]) == (None, None)


def test_an_agent_counts_the_pods_of_its_node(world: World) -> None:
    node = next(pod["spec"]["nodeName"] for pod in world.store.all(PODS, "shop"))
    before = agent_answer(world, node, "cilium-dbg status -o json")["ipam"]["allocations"]
    gone = next(pod for pod in world.store.all(PODS, "shop") if pod["spec"]["nodeName"] == node)
    writing.delete(world, PODS, "shop", name_of(gone))
    after = agent_answer(world, node, "cilium-dbg status -o json")["ipam"]["allocations"]
    assert set(before) - set(after) == {gone["status"]["podIP"]}


def test_an_agent_reads_its_configuration_only_when_its_pod_is_made(world: World) -> None:
    node = list(world.agents)[2]
    set_config(world, tunnel_protocol="geneve")
    world.advance(30)
    assert agent_answer(world, node, "cilium-dbg status -o json")["routing"]["tunnel-protocol"] == "vxlan"
    writing.delete(world, PODS, "kube-system", world.agents[node].name)
    world.advance(60)
    assert agent_answer(world, node, "cilium-dbg status -o json")["routing"]["tunnel-protocol"] == "geneve"


def test_a_restart_of_a_container_does_not_read_the_configuration_again(world: World) -> None:
    node = list(world.agents)[2]
    set_config(world, tunnel_protocol="vxlann")
    writing.delete(world, PODS, "kube-system", world.agents[node].name)
    world.advance(60)
    set_config(world, tunnel_protocol="vxlan")
    world.advance(600)
    run = world.agents[node]
    assert not run.is_ready
    assert agents.container_of(run).restarts > 3


def test_endpoints_of_a_crashing_agent_stay_as_they_were(world: World) -> None:
    node = list(world.agents)[1]
    before = {name_of(item) for item in world.store.all(CILIUM_ENDPOINTS)}
    set_config(world, tunnel_protocol="vxlann")
    writing.delete(world, PODS, "kube-system", world.agents[node].name)
    world.advance(120)
    assert {name_of(item) for item in world.store.all(CILIUM_ENDPOINTS)} == before
    taints = [taint["key"] for taint in world.store.get(NODES, "", node)["spec"]["taints"]]
    assert taints == ["node.cilium.io/agent-not-ready"]
    peers = [
        item for item in world.store.all(SLICES, "kube-system") if name_of(item).startswith("hubble-peer")
    ]
    conditions = {entry["nodeName"]: entry["conditions"] for entry in peers[0]["endpoints"]}
    assert conditions[node] == {"ready": False, "serving": False, "terminating": False}
    assert sum(entry["ready"] for entry in conditions.values()) == 5


def test_other_agents_see_that_a_peer_does_not_answer(world: World) -> None:
    broken, other = list(world.agents)[1], list(world.agents)[2]
    set_config(world, tunnel_protocol="vxlann")
    writing.delete(world, PODS, "kube-system", world.agents[broken].name)
    world.advance(200)
    health = agent_answer(world, other, "cilium-health status -o json")
    failing = {
        node["name"] for node in health["nodes"] if "status" in node["host"]["primary-address"]["http"]
    }
    assert failing == {f"{world.cluster}/{broken}"}


def test_a_pod_does_not_start_where_the_agent_is_down(world: World) -> None:
    node = list(world.agents)[1]
    set_config(world, tunnel_protocol="vxlann")
    writing.delete(world, PODS, "kube-system", world.agents[node].name)
    world.advance(60)
    pod: Json = {
        "metadata": {"name": "canary", "labels": {"app": "canary"}},
        "spec": {"containers": [{"name": "canary", "image": "practice.local/shop:1"}], "nodeName": node},
    }
    writing.create(world, PODS, "default", pod, PERSON)
    world.advance(30)
    made = world.store.get(PODS, "default", "canary")
    assert made is not None
    assert made["status"]["phase"] == "Pending"
    said = [event["message"] for event in world.store.all(EVENTS, "default") if event["type"] == "Warning"]
    assert any("Is the agent running?" in message for message in said)


def test_without_its_definitions_the_world_has_no_such_objects(world: World) -> None:
    writing.delete(world, CRDS, "", "ciliumendpoints.cilium.io")
    assert world.store.kind("cilium.io", "ciliumendpoints") is None
    assert world.store.count(CILIUM_ENDPOINTS) == 0


def test_a_daemon_set_that_is_restarted_replaces_its_pods_two_at_a_time(world: World) -> None:
    before = {name_of(pod) for pod in agent_pods(world)}
    notes = {"kubectl.kubernetes.io/restartedAt": "now"}
    patch = {"spec": {"template": {"metadata": {"annotations": notes}}}}
    form = "application/strategic-merge-patch+json"
    writing.patch(world, DAEMON_SETS, "kube-system", "cilium", form, patch, PERSON)
    world.advance(5)
    assert sum(map(is_ready, agent_pods(world))) == 4
    world.advance(200)
    after = agent_pods(world)
    assert {name_of(pod) for pod in after} & before == set()
    assert all(map(is_ready, after))
    assert len({labels_of(pod)["controller-revision-hash"] for pod in after}) == 1


def test_what_changed_can_be_seen_without_any_earlier_recording(world: World) -> None:
    set_config(world, tunnel_protocol="geneve")
    config = world.store.get(CONFIG_MAPS, "kube-system", "cilium-config")
    assert config is not None
    entries = {entry["manager"]: entry for entry in config["metadata"]["managedFields"]}
    assert entries["kubectl-edit"]["fieldsV1"] == {"f:data": {"f:tunnel-protocol": {}}}
    assert moment_of(entries["kubectl-edit"]["time"]) == world.now
    assert "f:tunnel-protocol" not in entries["helm"]["fieldsV1"]["f:data"]
