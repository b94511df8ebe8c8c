"""Two meshed clusters: what agents and the API servers of each say of themselves and of the other one."""

from __future__ import annotations

import json

import pytest

from playbooks.engine.discovery import catalogue
from playbooks.engine.run import Order, Run
from playbooks.model.answer import Gap, answer
from playbooks.model.cilium.agent.troubleshoot import AgentMeshTroubleshoot, Mark
from playbooks.model.fact import Way
from playbooks.model.finding import Severity
from playbooks.model.request import AgentCommand
from playbooks.practice import commands, mesh
from playbooks.practice.catalog import CILIUM_ENDPOINTS, CILIUM_IDENTITIES, CILIUM_NODES, CONFIG_MAPS, Kind
from playbooks.practice.network import identity_range
from playbooks.practice.objects import Json, name_of
from playbooks.practice.operations import carry_out
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World, build
from tests.practice.worlds import seen

SCALED_DOWN: list[Json] = [
    {"scale": {"namespace": "kube-system", "name": mesh.APP, "replicas": 0}},
    {"wait": 60},
]


@pytest.fixture
def first() -> World:
    """The cluster that is looked at; nothing may change it."""
    return seen("mesh-healthy")


@pytest.fixture
def other(first: World) -> World:
    """The one it is meshed with."""
    return first.peers[0]


def said(world: World, *words: str) -> str:
    run = next(iter(world.agents.values()))
    output = commands.run(world, run, "cilium-agent", ("cilium-dbg", *words))
    assert isinstance(output, commands.Output)
    assert output.exit_code == 0, output.stderr
    return output.stdout.decode()


def document(world: World, *words: str) -> Json:
    found: Json = json.loads(said(world, *words, "-o", "json"))
    return found


def rows(world: World, *words: str) -> list[Json]:
    found: list[Json] = json.loads(said(world, *words, "-o", "json"))
    return found


def names(world: World, kind: Kind) -> set[str]:
    return {name_of(item) for item in world.store.all(kind)}


def backends(world: World, service: str) -> list[Json]:
    (spec,) = [
        row["spec"]
        for row in rows(world, "service", "list")
        if (row["spec"]["flags"]["namespace"], row["spec"]["flags"]["name"]) == ("shop", service)
        and row["spec"]["flags"]["type"] == "ClusterIP"
    ]
    found: list[Json] = spec["backend-addresses"]
    return found


def is_of(backend: Json, world: World) -> bool:
    return any(node.name == backend.get("nodeName") for node in mesh.nodes(world))


def test_each_cluster_says_that_the_other_one_is_ready(first: World, other: World) -> None:
    for here, there in ((first, other), (other, first)):
        (cluster,) = document(here, "status")["cluster-mesh"]["clusters"]
        assert (cluster["name"], cluster["ready"], cluster["connected"]) == (there.cluster, True, True)
        assert cluster["config"]["cluster-id"] == there.cluster_id
        assert cluster["num-nodes"] == len(there.network.nodes)
        assert cluster["num-endpoints"] == len(there.network.endpoints)
        assert set(cluster["synced"].values()) == {True}
        assert "1/1 remote clusters ready" in said(here, "status")


def test_details_of_ready_clusters_are_told_on_demand_only(first: World, other: World) -> None:
    line = f"   {other.cluster}: ready, 3 nodes, "
    assert line not in said(first, "status")
    assert line in said(first, "status", "--all-clusters")
    verbose = said(first, "status", "--verbose")
    assert line in verbose
    assert "synchronization status: nodes=true, endpoints=true, identities=true, services=true" in verbose


def test_nodes_of_the_other_cluster_are_known_by_cluster_and_name(first: World, other: World) -> None:
    found = {row["name"]: row["source"] for row in rows(first, "node", "list")}
    assert {name for name, source in found.items() if source == "clustermesh"} == {
        f"{other.cluster}/{node}" for node in other.network.nodes
    }
    assert len(found) == 9
    assert {line.split()[0] for line in said(first, "node", "list").splitlines()[1:]} == set(found)
    assert len(rows(first, "nodeid", "list")) == 9


def test_health_is_probed_in_the_other_cluster_too(first: World) -> None:
    run = next(iter(first.agents.values()))
    output = commands.run(first, run, "cilium-agent", ("cilium-health", "status", "-o", "json"))
    assert isinstance(output, commands.Output)
    assert len(json.loads(output.stdout)["nodes"]) == 9


def test_an_identity_holds_the_number_of_its_cluster(first: World, other: World) -> None:
    for world in (first, other):
        begin, end = identity_range(world.cluster_id)
        own = {int(name) for name in names(world, CILIUM_IDENTITIES)}
        assert own
        assert {number >> 16 for number in own} == {world.cluster_id}
        assert document(world, "status")["identity-range"] == {"min-identity": begin, "max-identity": end}
    listed = {row["id"]: row["labels"] for row in rows(first, "identity", "list")}
    remote = {number: labels for number, labels in listed.items() if number >> 16 == other.cluster_id}
    assert remote.keys() == {int(name) for name in names(other, CILIUM_IDENTITIES)}
    label = f"k8s:io.cilium.k8s.policy.cluster={other.cluster}"
    assert all(label in labels for labels in remote.values())


def test_addresses_of_the_other_clusters_pods_lead_through_its_nodes(first: World, other: World) -> None:
    held = document(first, "bpf", "ipcache", "list")
    listed = {row["cidr"]: row for row in rows(first, "ip", "list")}
    pods = list(mesh.pods(other))
    assert pods
    for pod in pods:
        prefix = f"{pod.ips[0]}/32"
        begin = f"identity={pod.identity} encryptkey=0 tunnelendpoint={pod.node_ip} "
        assert held[prefix][0].startswith(begin)
        assert listed[prefix]["metadata"]["source"] == "clustermesh"
        assert listed[prefix]["hostIP"] == pod.node_ip


def test_no_address_is_in_both_clusters(first: World, other: World) -> None:
    def addresses(world: World) -> set[str]:
        nodes = [ip for one in world.network.nodes.values() for ip in one.addresses.every]
        return {*nodes, *(ip for one in world.network.endpoints.values() for ip in one.addresses.every)}

    assert not addresses(first) & addresses(other)


def test_objects_are_in_their_own_cluster_only(first: World, other: World) -> None:
    for kind in (CILIUM_NODES, CILIUM_ENDPOINTS, CILIUM_IDENTITIES):
        assert names(first, kind)
        assert not names(first, kind) & names(other, kind)


def test_a_global_service_has_the_backends_of_both(first: World, other: World) -> None:
    found = backends(first, "cart")
    assert sum(is_of(one, other) for one in found) == 2
    assert sum(is_of(one, first) for one in found) == 2
    assert all(one["preferred"] for one in found)
    assert sorted(one["ip"] for one in found) == sorted(one["ip"] for one in backends(other, "cart"))


def test_a_service_that_is_not_shared_lends_nothing_but_borrows(first: World, other: World) -> None:
    assert not any(is_of(one, other) for one in backends(first, "redis"))
    assert sum(is_of(one, first) for one in backends(other, "redis")) == 1


def test_a_service_that_is_global_on_one_side_only_stays_at_home(first: World, other: World) -> None:
    assert not any(is_of(one, other) for one in backends(first, "frontend"))


def test_local_affinity_keeps_the_others_out_of_the_map(first: World, other: World) -> None:
    found = backends(first, "checkout")
    assert {one["ip"] for one in found if one["preferred"]} == {
        one["ip"] for one in found if is_of(one, first)
    }
    remote = [one["ip"] for one in found if is_of(one, other)]
    assert remote
    slots = "\n".join(row for (row,) in document(first, "bpf", "lb", "list").values())
    assert not any(f"{ip}:8080" in slots for ip in remote)


def test_the_table_of_backends_names_the_cluster_of_each(first: World, other: World) -> None:
    text = said(first, "shell", "--", "db/show", "backends", "-f", "json")
    decoder, found = json.JSONDecoder(), []
    while text.strip():
        row, end = decoder.raw_decode(text.lstrip())
        text = text.lstrip()[end:]
        found.append(row)
    lent = [row for row in found if row["Source"] == "clustermesh"]
    assert {row["ClusterID"] for row in lent} == {other.cluster_id}
    assert {row["ServiceName"] for row in lent} == {"shop/cart", "shop/checkout"}


def test_secrets_of_the_mesh_are_not_served(first: World) -> None:
    assert all(kind.plural != "secrets" for kind in first.store.kinds) or not [
        item for kind in first.store.kinds if kind.plural == "secrets" for item in first.store.all(kind)
    ]


def test_the_configuration_tells_the_clusters_apart(first: World, other: World) -> None:
    for world in (first, other):
        config = world.store.get(CONFIG_MAPS, "kube-system", "cilium-config")
        assert config is not None
        data = config["data"]
        assert (data["cluster-name"], data["cluster-id"]) == (world.cluster, str(world.cluster_id))


async def troubleshooting(world: World) -> AgentMeshTroubleshoot:
    node, run = next(iter(world.agents.items()))
    argv = ("cilium-dbg", "troubleshoot", "clustermesh")
    request = AgentCommand(node, "kube-system", run.name, "cilium-agent", argv)
    told = await answer(WorldSource(world), request, 1)
    assert not isinstance(told, Gap)
    way: Way = AgentMeshTroubleshoot.ways[0]
    reader = way.reader()
    reader.feed(told.body)
    fact = reader.finish(request, told.end)
    assert isinstance(fact, AgentMeshTroubleshoot)
    return fact


async def test_troubleshooting_finds_no_fault(first: World, other: World) -> None:
    fact = await troubleshooting(first)
    (etcd,) = fact.items
    assert (fact.found, etcd.cluster, etcd.faults) == (1, other.cluster, ())
    assert {check.section for check in etcd.checks} == {
        "Endpoints", "Digital certificates", "Etcd client"
    }  # fmt: skip
    assert sum(check.mark is Mark.GOOD for check in etcd.checks) == 6


async def test_without_its_server_the_other_cluster_is_not_ready() -> None:
    world = load("mesh-healthy").world()
    carry_out(world, SCALED_DOWN)
    (cluster,) = document(world, "status")["cluster-mesh"]["clusters"]
    assert (cluster["ready"], cluster["config"]) == (False, {"required": True})
    text = said(world, "status")
    assert "0/1 remote clusters ready" in text
    assert "remote configuration: expected=true, retrieved=false\n" in text
    (etcd,) = (await troubleshooting(world)).items
    assert etcd.faults


def test_both_clocks_go_together() -> None:
    world = load("mesh-healthy").world()
    other = world.peers[0]
    world.advance(90)
    assert other.now == world.now
    other.advance(30)
    assert other.now == world.now


def test_what_scales_in_one_cluster_is_seen_in_the_other() -> None:
    world = load("mesh-healthy").world()
    scaled: Json = {"scale": {"namespace": "shop", "name": "cart", "replicas": 4}}
    carry_out(world.peers[0], [scaled, {"wait": 60}])
    assert sum(is_of(one, world.peers[0]) for one in backends(world, "cart")) == 4


def test_clusters_of_one_name_or_id_cannot_be_joined() -> None:
    world = build(nodes=2, mesh_id=1)
    with pytest.raises(ValueError, match="differ"):
        mesh.join(world, build(1, nodes=2, mesh_id=1))
    with pytest.raises(ValueError, match="differ"):
        mesh.join(world, build(nodes=2, mesh_id=2))


@pytest.mark.parametrize("which", [0, 1])
async def test_the_agent_playbook_finds_nothing_in_either(which: int, first: World) -> None:
    world = load("mesh-healthy").world()
    looked_at = [world, *world.peers][which]
    order = Order(catalogue().rules_of(("agent",)), looks=2)
    snapshot = await Run(WorldSource(looked_at), order).start()
    assert [one.finding for one in snapshot.every() if one.finding.severity > Severity.INFO] == []
    assert snapshot.is_unjudged is False
