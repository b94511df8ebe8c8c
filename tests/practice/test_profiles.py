"""Each profile is the cluster that its name promises, and every answer says the same of it."""

from __future__ import annotations

import json
import shlex

import pytest

from playbooks.practice import agents, commands, profile
from playbooks.practice.catalog import (
    CILIUM,
    CILIUM_ENDPOINT_SLICES,
    CILIUM_ENDPOINTS,
    CILIUM_IDENTITIES,
    CILIUM_NODES,
    CRDS,
    DAEMON_SETS,
    DEPLOYMENTS,
    NODES,
    PODS,
    SERVICES,
    SLICES,
)  # fmt: skip
from playbooks.practice.objects import Json, labels_of, name_of
from playbooks.practice.workloads import is_ready
from playbooks.practice.world import World
from tests.practice.shapes.paths import heads, leaves, shape
from tests.practice.test_shapes import SHAPES
from tests.practice.worlds import set_up

PROFILES = profile.names()
DOCUMENTED = {
    "status": {
        "kvstore.msg", "masquerading.enabledProtocols.ipv6", "masquerading.snat-exclusion-cidr-v6",
    },
    "health": {
        f"nodes[].{part}.secondary-addresses[]{path}"
        for part in ("host", "health-endpoint")
        for path in (
            ".ip", ".http", ".http.lastProbed", ".http.latency", ".icmp", ".icmp.lastProbed", ".icmp.latency",
        )
    },
}  # fmt: skip
"""Keys of `facts` that a recording of one IPv4 cluster cannot hold."""


def said(world: World, command: str, node: str = "") -> str:
    run = world.agents[node or next(iter(world.agents))]
    output = commands.run(world, run, "cilium-agent", tuple(shlex.split(command)))
    assert isinstance(output, commands.Output)
    assert output.exit_code == 0, output.stderr
    return output.stdout.decode()


def status(world: World, node: str = "") -> Json:
    answer: Json = json.loads(said(world, "cilium-dbg status -o json", node))
    return answer


def pod_ips(world: World) -> list[list[str]]:
    return [
        [entry["ip"] for entry in pod["status"]["podIPs"]]
        for pod in world.store.all(PODS)
        if not pod["spec"].get("hostNetwork")
    ]


@pytest.mark.parametrize("name", PROFILES)
def test_everything_in_it_is_up(name: str) -> None:
    world = set_up(name)
    assert [name_of(pod) for pod in world.store.all(PODS) if not is_ready(pod)] == []
    assert all(agents.is_up(world, node) for node in world.network.nodes)
    (daemon_set,) = [one for one in world.store.all(DAEMON_SETS) if name_of(one) in ("cilium", "anetd")]
    assert daemon_set["status"]["numberReady"] == 6


@pytest.mark.parametrize("name", PROFILES)
def test_the_agent_says_only_what_is_known_of_agents(name: str) -> None:
    world = set_up(name)
    known = set(leaves(SHAPES["cilium-dbg status -o json"]["known"])) | DOCUMENTED["status"]
    assert shape(said(world, "cilium-dbg status -o json")) - known == set()
    known = set(leaves(SHAPES["cilium-health status -o json"]["known"])) | DOCUMENTED["health"]
    assert shape(said(world, "cilium-health status -o json")) - known == set()
    assert heads(said(world, "cilium-dbg status --verbose")) == SHAPES["cilium-dbg status --verbose"]["heads"]


@pytest.mark.parametrize("name", PROFILES)
def test_versions_agree_everywhere(name: str) -> None:
    world = set_up(name)
    version = profile.load(name).version
    images = {
        container["image"].rpartition(":")[2]
        for run in world.agents.values()
        for container in run.pod["spec"]["containers"]
    }
    assert images == {f"v{version}"}
    assert status(world)["cilium"]["msg"].startswith(f"{version} ")
    assert json.loads(said(world, "cilium-dbg version -o json"))["Daemon"]["Version"] == version
    assert ("configured-datapath-mode" in status(world)) == version.startswith("1.20.")


def test_native_routing_has_no_tunnel() -> None:
    routing = status(set_up("native-routing"))["routing"]
    assert routing == {"inter-host-routing-mode": "Native", "intra-host-routing-mode": "BPF"}


def test_eni_gives_addresses_of_the_cloud_and_no_ranges() -> None:
    world = set_up("eni")
    node = world.store.all(CILIUM_NODES)[0]
    assert "podCIDRs" not in node["spec"]["ipam"]
    allocations = status(world, name_of(node))["ipam"]["allocations"]
    assert set(allocations) <= set(node["spec"]["ipam"]["pool"])
    used, total = len(allocations), len(node["spec"]["ipam"]["pool"])
    assert status(world, name_of(node))["ipam"]["status"] == f"IPv4: {used}/{total} allocated, "
    assert all(ip.startswith("10.64.") for ips in pod_ips(world) for ip in ips)


def test_behind_the_aws_cni_agents_hand_out_nothing_to_pods() -> None:
    world = set_up("aws-cni-chaining")
    assert status(world)["cni-chaining"]["mode"] == "aws-cni"
    assert set(status(world)["ipam"]["allocations"].values()) == {"router", "health"}
    assert status(world)["masquerading"]["enabled"] is False
    assert len([pod for pod in world.store.all(PODS) if labels_of(pod).get("k8s-app") == "aws-node"]) == 6


def test_gke_calls_agents_anetd_and_has_neither_policy_kinds_nor_an_operator() -> None:
    world = set_up("gke")
    registered = {name_of(item) for item in world.store.all(CRDS)}
    assert not any("networkpolicies" in name for name in registered)
    assert "ciliumendpoints.cilium.io" in registered
    assert [labels_of(run.pod)["k8s-app"] for run in world.agents.values()] == ["anetd"] * 6
    assert "cilium-operator" not in {name_of(item) for item in world.store.all(DEPLOYMENTS)}
    assert not any(
        "Policy" in one for one in status(world)["kubernetes"]["k8s-api-versions"] if "cilium" in one
    )


def test_with_a_delegated_plugin_there_is_no_health_endpoint() -> None:
    world = set_up("aks-delegated")
    assert status(world)["ipam"]["status"] == "IPv4: delegated to plugin, "
    assert all(
        "health-endpoint" not in one
        for one in json.loads(said(world, "cilium-health status -o json"))["nodes"]
    )
    endpoints = json.loads(said(world, "cilium-dbg endpoint list -o json"))
    assert not any("reserved:health" in one["status"]["identity"]["labels"] for one in endpoints)


def test_with_a_kvstore_nothing_is_published_as_an_object() -> None:
    world = set_up("kvstore")
    assert world.store.all(CILIUM_ENDPOINTS) == world.store.all(CILIUM_IDENTITIES) == []
    assert "has-quorum=true" in status(world)["kvstore"]["msg"]


def test_slices_hold_every_endpoint_with_its_identity() -> None:
    world = set_up("endpoint-slices")
    packed = {
        (item["namespace"], one["name"]): one["id"]
        for item in world.store.all(CILIUM_ENDPOINT_SLICES)
        for one in item["endpoints"]
    }
    assert packed == {
        (item["metadata"]["namespace"], name_of(item)): item["status"]["identity"]["id"]
        for item in world.store.all(CILIUM_ENDPOINTS)
    }
    assert len(CILIUM) + 1 == len(world.store.all(CRDS))


def test_ipv6_only_has_no_ipv4_anywhere() -> None:
    world = set_up("ipv6-only")
    assert all(":" in ip for ips in pod_ips(world) for ip in ips)
    addresses = [one["address"] for node in world.store.all(NODES) for one in node["status"]["addresses"]]
    assert not any(address.startswith("10.") for address in addresses)
    for service in world.store.all(SERVICES):
        assert service["spec"]["ipFamilies"] == ["IPv6"]
        assert ":" in service["spec"]["clusterIP"] or service["spec"]["clusterIP"] == "None"
    assert {item["addressType"] for item in world.store.all(SLICES)} == {"IPv6"}
    assert status(world)["ipam"]["status"].startswith("IPv6: ")
    assert status(world)["ipam"]["ipv4"] is None
    assert all(
        ":" in one["status"]["networking"]["addressing"][0]["ipv6"]
        for one in world.store.all(CILIUM_ENDPOINTS)
    )


def test_dual_stack_has_both_families_for_pods_and_for_services_that_want_both() -> None:
    world = set_up("dual-stack")
    assert all(["." in first, ":" in second] == [True, True] for first, second in pod_ips(world))
    (cart,) = [one for one in world.store.all(SERVICES) if name_of(one) == "cart"]
    assert cart["spec"]["ipFamilies"] == ["IPv4", "IPv6"]
    assert len(cart["spec"]["clusterIPs"]) == 2
    families = [
        item["addressType"]
        for item in world.store.all(SLICES)
        if labels_of(item)["kubernetes.io/service-name"] == "cart"
    ]
    assert sorted(families) == ["IPv4", "IPv6"]
    assert set(status(world)["masquerading"]["enabledProtocols"]) == {"ipv4", "ipv6"}


def test_without_hubble_there_is_none() -> None:
    world = set_up("no-hubble")
    assert status(world)["hubble"] == {"state": "Disabled"}
    assert not any("hubble" in name_of(item) for item in world.store.all(SERVICES))
    assert "hubble" not in said(world, "cilium-dbg shell -- db/show health")


def test_pods_of_windows_and_virtual_nodes_run_without_an_endpoint() -> None:
    world = set_up("mixed-nodes")
    bare = set(world.network.hosts) - set(world.network.nodes)
    assert len(bare) == 2
    there = [pod for pod in world.store.all(PODS) if pod["spec"]["nodeName"] in bare]
    assert sorted({pod["metadata"]["labels"]["app"] for pod in there}) == ["burst", "windows-exporter"]
    managed = {name_of(item) for item in world.store.all(CILIUM_ENDPOINTS)}
    assert not managed & {name_of(pod) for pod in there}
    assert len(world.store.all(CILIUM_NODES)) == 6


def test_an_unknown_profile_is_refused_with_the_names_that_there_are() -> None:
    with pytest.raises(ValueError, match="no profile 'tunel'; there are tunnel, native-routing"):
        profile.load("tunel")
