"""Connections that are easily judged wrong: a verdict must be proven, or say why it cannot be."""

from __future__ import annotations

import json
from typing import Any

import pytest

from playbooks.engine.asking import Asking, Turns
from playbooks.engine.knowing import Knowing
from playbooks.engine.reaching.verdicts import Pair, Reach, Said
from playbooks.model.bpf.ipcache import IpcacheMap
from playbooks.model.fact import Choice
from playbooks.practice import scenarios
from playbooks.practice.catalog import PODS
from playbooks.practice.source import WorldSource
from playbooks.practice.world import World
from tests.edited import Edit, body, command, each, edited, gap
from tests.engine.reaching.judging import asked, judged, policy, world

CLIENT, DNS_POD = "shop/frontend-client", "kube-system/coredns"
REDIS = {"matchLabels": {"app": "redis"}}
FROM_CLIENT = {"fromEndpoints": [{"matchLabels": {"app": "frontend-client"}}]}
FROM_SHOP = {"fromEndpoints": [{"matchLabels": {"k8s:io.kubernetes.pod.namespace": "shop"}}]}
MAPS = command("cilium-dbg", "bpf", "policy", "get", "--all", "-o", "json")
ENDPOINTS = command("cilium-dbg", "endpoint", "list", "-o", "json")


@pytest.fixture(scope="module")
def made() -> World:
    return world(
        policy(
            "redis-more",
            "shop",
            endpointSelector=REDIS,
            ingress=[
                {
                    **FROM_CLIENT,
                    "toPorts": [{"ports": [{"port": "8000", "endPort": 8100, "protocol": "TCP"}]}],
                },
                {**FROM_CLIENT, "icmps": [{"fields": [{"type": 8, "family": "IPv4"}]}]},
            ],
        ),
        policy(
            "dns-metrics",
            "kube-system",
            endpointSelector={"matchLabels": {"k8s-app": "kube-dns"}},
            ingress=[{**FROM_SHOP, "toPorts": [{"ports": [{"port": "metrics", "protocol": "TCP"}]}]}],
        ),
        policy(
            "cart-more",
            "shop",
            endpointSelector={"matchLabels": {"app": "frontend-client"}},
            enableDefaultDeny={"ingress": False, "egress": False},
            egress=[{"toEntities": ["world"]}],
            ingressDeny=[{"fromEntities": ["health"]}],
        ),
    )


def only(found: Reach) -> Pair:
    (pair,) = found.pairs
    return pair


@pytest.mark.parametrize(
    ("source", "destination", "said"),
    [
        # A port by its name, a range of ports, a type of ICMP.
        (CLIENT, f"{DNS_POD}:9153", Said.ADMITTED),
        (CLIENT, f"{DNS_POD}:metrics", Said.ADMITTED),
        (CLIENT, f"{DNS_POD}:8080", Said.NOT_ADMITTED),
        (CLIENT, "shop/redis:8050", Said.ADMITTED),
        (CLIENT, "shop/redis:8101", Said.NOT_ADMITTED),
        (CLIENT, "shop/redis:8/ICMP", Said.ADMITTED),
        (CLIENT, "shop/redis:3/ICMP", Said.NOT_ADMITTED),
        # A policy without default deny refuses only what it names.
        (CLIENT, "shop/frontend:8080", Said.ADMITTED),
        ("shop/cart-client", f"{CLIENT}:80", Said.ADMITTED),
        ("health", f"{CLIENT}:80", Said.DENIED),
        # Refusal wins over admission.
        ("monitoring/prober", "shop/checkout:9090", Said.DENIED),
        # A node is no prefix, and comes in to its own pods; other nodes do not.
        ("host", "shop/redis:6379", Said.ADMITTED),
        ("remote-node", "shop/redis:6379", Said.NOT_ADMITTED),
        ("world", "shop/redis:6379", Said.NOT_ADMITTED),
    ],
)
async def test_the_verdict_is_right_and_no_doubt_is_made_up(
    made: World, source: str, destination: str, said: Said
) -> None:
    found = await judged(made, source, destination)
    assert found.said is said
    assert {
        doubt for pair in found.pairs for side in (pair.egress, pair.ingress) for doubt in side.doubts
    } == set()


async def test_where_ports_are_decided_differently_none_must_be_guessed(made: World) -> None:
    unnamed = await asked(
        edited(WorldSource(made), each("pods", _without_ports)), CLIENT, "deploy/shop/redis"
    )
    assert unnamed.said is Said.CANNOT_TELL
    assert "none was named" in unnamed.pairs[0].ingress.why


def _without_ports(item: dict[str, Any]) -> dict[str, Any]:
    for container in item["spec"]["containers"]:
        container.pop("ports", None)
    return item


async def test_a_port_that_no_pod_calls_so_is_not_every_port(made: World) -> None:
    with pytest.raises(AssertionError, match="a port metrik of Deployment kube-system/coredns"):
        await judged(made, CLIENT, f"{DNS_POD}:metrik")


async def test_both_ends_may_refuse_and_each_gets_its_rule(made: World) -> None:
    found = await judged(made, "shop/checkout-client", "shop/redis:9999")
    pair = only(found)
    assert (pair.egress.said, pair.ingress.said) == (Said.NOT_ADMITTED, Said.NOT_ADMITTED)
    assert [draft.draft.direction.value for draft in found.drafts] == ["egress", "ingress"]


async def test_pods_on_the_network_of_their_host_are_nodes(made: World) -> None:
    found = await judged(made, "kube-system/cilium", "shop/redis:6379")
    sides = {pair.ingress.peer.split(" (")[0]: pair.ingress.said for pair in found.pairs}
    assert sides["identity 1"] is Said.ADMITTED
    assert sides["identity 6"] is Said.NOT_ADMITTED
    assert all("no policy is in force" in pair.egress.why for pair in found.pairs)
    back = await judged(made, CLIENT, "kube-system/cilium:9962")
    assert back.said is Said.ADMITTED


async def test_policies_for_nodes_are_not_judged_but_told(made: World) -> None:
    rules = {"nodeSelector": {"matchLabels": {}}, "ingress": [{"fromEntities": ["cluster"]}]}
    hosts = policy("hosts", "", **rules)
    source = edited(WorldSource(made), _added("ciliumclusterwidenetworkpolicies", hosts))
    api = await asked(source, CLIENT, "default/kubernetes:443")
    assert api.said is Said.CANNOT_TELL
    assert "CiliumClusterwideNetworkPolicy hosts" in only(api).ingress.why
    unread = edited(WorldSource(made), gap(lambda request: "ciliumclusterwide" in request.command()))
    assert (await asked(unread, CLIENT, "default/kubernetes:443")).said is Said.CANNOT_TELL
    assert (await judged(made, CLIENT, "default/kubernetes:443")).said is Said.ADMITTED


def _added(plural: str, item: dict[str, Any]) -> Edit:
    def change(bytes_: bytes) -> bytes:
        document = json.loads(bytes_)
        document["items"] = [*(document["items"] or ()), item]
        return json.dumps(document).encode() + b"\n"

    return body(lambda request: plural in request.command(), change)


@pytest.mark.parametrize("entity", ["ingress", "health", "init"])
async def test_endpoints_that_are_no_pods_have_policies_that_are_not_read(made: World, entity: str) -> None:
    found = await judged(made, CLIENT, f"{entity}:80")
    assert found.said is Said.CANNOT_TELL
    assert found.unchecked


async def test_an_entry_that_wants_authentication_admits_nobody_for_sure(made: World) -> None:
    def change(bytes_: bytes) -> bytes:
        maps = json.loads(bytes_)
        for one in maps:
            for entry in one["Content"] or ():
                entry["AuthRequirement"] = 0x81
        return json.dumps(maps).encode()

    source = edited(WorldSource(made), body(MAPS, change))
    found = await asked(source, "shop/cart-client", "shop/redis:6379")
    assert found.said is Said.CANNOT_TELL
    assert "authenticated (spire)" in only(found).ingress.why
    assert (await asked(source, CLIENT, "shop/redis:6379")).said is Said.NOT_ADMITTED


def _endpoints(change: Any) -> Edit:
    def edit(bytes_: bytes) -> bytes:
        documents = json.loads(bytes_)
        for document in documents:
            change(document["status"])
        return json.dumps(documents).encode()

    return body(ENDPOINTS, edit)


async def test_what_is_not_in_force_yet_is_told(made: World) -> None:
    def older(status: dict[str, Any]) -> None:
        status["policy"]["realized"]["policy-revision"] = 1
        status["policy"]["spec"]["policy-revision"] = 7

    def regenerating(status: dict[str, Any]) -> None:
        status["state"] = "regenerating"

    for change, told in ((older, "revision 1 in force, and 7 comes"), (regenerating, "is regenerating")):
        source = edited(WorldSource(made), _endpoints(change))
        found = await asked(source, "shop/cart-client", "shop/redis:6379")
        assert told in only(found).ingress.doubts[0]


async def test_the_end_whose_agent_is_not_seen_cannot_be_told(made: World) -> None:
    node = only(await judged(made, CLIENT, "shop/redis:6379")).egress.node
    source = edited(WorldSource(made), gap(command(node=node)))
    pair = only(await asked(source, CLIENT, "shop/redis:6379"))
    assert pair.egress.said is Said.CANNOT_TELL
    assert f"the agent of {node} cannot be asked" in pair.egress.why
    # The other end refuses, whatever this one does.
    assert pair.said is Said.NOT_ADMITTED
    assert (await asked(source, CLIENT, "shop/frontend:80")).said is Said.CANNOT_TELL


async def test_a_pod_that_cilium_does_not_manage_cannot_be_told(made: World) -> None:
    def forgets(bytes_: bytes) -> bytes:
        kept = [
            one for one in json.loads(bytes_) if "k8s:app=redis" not in one["status"]["identity"]["labels"]
        ]
        return json.dumps(kept).encode()

    source = edited(WorldSource(made), body(ENDPOINTS, forgets))
    pair = only(await asked(source, "shop/cart-client", "shop/redis:6379"))
    assert pair.said is Said.CANNOT_TELL
    assert "has no endpoint with address" in pair.ingress.why


async def test_a_pod_without_node_or_address_cannot_be_told(made: World) -> None:
    def pending(item: dict[str, Any]) -> dict[str, Any]:
        if item["metadata"].get("labels", {}).get("app") == "redis":
            item["spec"].pop("nodeName")
            item["status"].pop("podIP")
        return item

    source = edited(WorldSource(made), each("pods", pending))
    pair = only(await asked(source, "shop/cart-client", "shop/redis:6379"))
    assert (pair.egress.said, pair.ingress.said) == (Said.CANNOT_TELL, Said.CANNOT_TELL)
    assert "not on a node yet" in pair.ingress.why
    assert "has no address yet" in pair.egress.why


@pytest.mark.parametrize(
    ("mode", "source", "said", "doubt"),
    [
        ("never", CLIENT, Said.ADMITTED, "enable-policy may be never"),
        ("always", "shop/cart-client", Said.NOT_ADMITTED, "enable-policy may be always"),
    ],
)
async def test_whether_policies_are_enforced_at_all_explains_what_the_map_does(
    mode: str, source: str, said: Said, doubt: str
) -> None:
    made = world(enable_policy=mode)
    found = await judged(made, source, "shop/redis:6379")
    assert found.said is said
    doubts = [one for pair in found.pairs for side in (pair.egress, pair.ingress) for one in side.doubts]
    assert any(doubt in one for one in doubts), doubts
    assert not any("out of step" in one for one in doubts)


async def test_audit_mode_only_writes_down() -> None:
    found = await judged(world(policy_audit_mode="true"), CLIENT, "shop/redis:6379")
    assert found.said is Said.ADMITTED
    assert "audit mode only writes that down" in only(found).ingress.why


async def test_a_name_that_no_agent_has_seen_cannot_be_told() -> None:
    made = scenarios.load("names-unlearned").world(seed=1, nodes=3)
    found = await judged(made, "shop/cart-client", "partner.example:443")
    assert found.said is Said.CANNOT_TELL
    assert "saw no address for partner.example" in only(found).egress.why


async def test_pods_and_services_of_other_clusters_are_not_judged_here() -> None:
    made = scenarios.load("mesh-healthy").world(seed=1, nodes=3)
    found = await judged(made, CLIENT, "shop/cart:80")
    assert any("its backends in other clusters are not judged" in one for one in found.unchecked)
    source, known = WorldSource(made), {one["status"].get("podIP") for one in made.store.all(PODS)}
    node = found.pairs[0].egress.node
    ipcache = await Knowing(Asking(source, 1, Turns(8)), Choice(), lambda: source.now).know(IpcacheMap, node)
    assert isinstance(ipcache, IpcacheMap)
    pods = [one for one in ipcache.by_cidr.values() if 255 < one.identity < 1 << 24]
    other = next(one.cidr.partition("/")[0] for one in pods if one.cidr.partition("/")[0] not in known)
    pair = only(await judged(made, CLIENT, f"{other}:8080"))
    # The identity that stands for pods of other clusters decides, not the one for pods of this cluster.
    assert "egress to identity 12" in pair.egress.why
    assert pair.ingress.said is Said.CANNOT_TELL
    assert "a pod that is not known here" in pair.ingress.why


async def test_what_was_not_looked_at_is_not_admitted(made: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await judged(made, CLIENT, "shop/cart:80")).said is Said.ADMITTED
    monkeypatch.setattr("playbooks.engine.reaching.asking.MOST_PAIRS", 1)
    found = await judged(made, CLIENT, "shop/cart:80")
    assert (found.said, found.left_out) == (Said.CANNOT_TELL, 1)
    assert (await judged(made, CLIENT, "shop/redis:6379")).said is Said.NOT_ADMITTED


async def test_policies_of_kinds_that_are_not_read_are_named_instead_of_guessed_about(made: World) -> None:
    def other_kind(bytes_: bytes) -> bytes:
        return bytes_.replace(b"CiliumNetworkPolicy:shop/redis-ingress", b"ClusterNetworkPolicy:/redis")

    def gone(item: dict[str, Any]) -> dict[str, Any] | None:
        return None if item["metadata"]["name"] == "redis-ingress" else item

    source = edited(
        WorldSource(made),
        body(command("cilium-dbg", "shell"), other_kind),
        each("ciliumnetworkpolicies", gone),
    )
    side = only(await asked(source, "shop/cart-client", "shop/redis:6379")).ingress
    assert side.said is Said.ADMITTED
    assert side.doubts == (
        "the entry comes from ClusterNetworkPolicy:/redis: policies of that kind are not read here",
    )
