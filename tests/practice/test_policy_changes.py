"""Whatever changes in the world shows in everything that agents say of policies."""

from __future__ import annotations

import json

import pytest

from playbooks.practice import writing
from playbooks.practice.catalog import PODS
from playbooks.practice.objects import Json
from playbooks.practice.world import World, build
from tests.practice.policies.deciding import ME, apply, decided, kind_of, pod
from tests.practice.test_policy_views import said


def endpoint(world: World, app: str) -> Json:
    run = pod(world, app)
    number = world.network.endpoints[run.namespace, run.name].id
    (found,) = said(world, run.node, f"cilium-dbg endpoint get {number} -o json")
    policy: Json = found["status"]
    return policy


def rows(world: World, app: str) -> list[Json]:
    run = pod(world, app)
    number = world.network.endpoints[run.namespace, run.name].id
    found: list[Json] = said(world, run.node, f"cilium-dbg bpf policy get {number} -o json")
    return found


def selectors(world: World, app: str) -> dict[str, list[int]]:
    listed = said(world, pod(world, app).node, "cilium-dbg policy selectors -o json")
    return {one["selector"]: one["identities"] for one in listed}


def identity(world: World, app: str) -> int:
    return world.policies.census.known(pod(world, app)).identity


@pytest.fixture
def world() -> World:
    return build(0)


def test_a_policy_that_is_applied_and_deleted_comes_and_goes_everywhere(world: World) -> None:
    before, revision = rows(world, "redis"), endpoint(world, "redis")["policy"]["realized"]["policy-revision"]
    spec = {
        "endpointSelector": {"matchLabels": {"app": "redis"}},
        "ingress": [
            {
                "fromEndpoints": [
                    {"matchLabels": {"app": "prober", "io.kubernetes.pod.namespace": "monitoring"}}
                ]
            }
        ],
    }
    apply(world, spec, "also-prober")
    realized = endpoint(world, "redis")["policy"]["realized"]
    assert realized["policy-revision"] == revision + 1
    assert realized["allowed-ingress-identities"] == [1, identity(world, "prober")]
    assert [key for key in selectors(world, "redis") if "any:app: prober" in key]
    assert len(rows(world, "redis")) == len(before) + 1
    assert decided(world, "prober > redis 6379") == "allowed"
    writing.delete(world, kind_of(world, "CiliumNetworkPolicy"), "shop", "also-prober")
    realized = endpoint(world, "redis")["policy"]["realized"]
    assert realized["policy-revision"] == revision + 2
    assert rows(world, "redis") == before
    assert not [key for key in selectors(world, "redis") if "any:app: prober" in key]


def test_a_pod_with_another_label_is_somebody_else_for_everybody(world: World) -> None:
    client, before = pod(world, "cart-client"), identity(world, "cart-client")
    body = {"metadata": {"labels": {"tier": "batch"}}}
    writing.patch(world, PODS, "shop", client.name, "application/merge-patch+json", body, ME)
    after = identity(world, "cart-client")
    assert after != before
    assert endpoint(world, "cart-client")["identity"]["id"] == after
    assert f"{after} " in said(world, client.node, "cilium-dbg identity list")
    assert decided(world, "cart-client > redis 6379") == "default-denied"
    assert before not in {row["Key"]["Identity"] for row in rows(world, "redis")}
    published = world.store.get(kind_of(world, "CiliumEndpoint"), "shop", client.name)
    assert published is not None
    assert published["status"]["identity"]["id"] == after


def test_a_rule_with_a_wrong_label_shows_as_it_was_recorded(world: World) -> None:
    kind = kind_of(world, "CiliumNetworkPolicy")
    path = "/spec/ingress/0/fromEndpoints/0/matchLabels/tier"
    patch = [{"op": "replace", "path": path, "value": "apii"}]
    writing.patch(world, kind, "shop", "redis-ingress", "application/json-patch+json", patch, ME)
    (wrong,) = [key for key in selectors(world, "redis") if "tier: apii" in key]
    assert selectors(world, "redis")[wrong] == []
    assert {row["Key"]["Identity"] for row in rows(world, "redis") if not row["Key"]["TrafficDirection"]} == {
        1
    }
    assert decided(world, "cart-client > redis 6379") == "default-denied"


def test_a_new_range_gets_an_identity_and_a_place_among_addresses(world: World) -> None:
    spec = {"endpointSelector": {"matchLabels": {"app": "cart"}}, "egress": [{"toCIDR": ["203.0.113.0/24"]}]}
    apply(world, spec, "partner")
    node = pod(world, "cart").node
    held = said(world, node, "cilium-dbg bpf ipcache list -o json")["203.0.113.0/24"][0]
    number = int(held.split()[0].partition("=")[2])
    assert number > 1 << 24
    known = {one["id"]: one["labels"] for one in said(world, node, "cilium-dbg identity list -o json")}
    assert known[number] == ["cidr:203.0.113.0/24", "reserved:world"]
    assert {"cidr": "203.0.113.0/24", "identity": number} in said(world, node, "cilium-dbg ip list -o json")
    assert number in {row["Key"]["Identity"] for row in rows(world, "cart")}


def test_redirects_are_told_alike_by_the_endpoint_its_map_and_the_status(world: World) -> None:
    run = pod(world, "checkout-client")
    number = world.network.endpoints["shop", run.name].id
    proxy = said(world, run.node, "cilium-dbg status -o json")["proxy"]
    mine = {
        one["name"]: one["proxy-port"] for one in proxy["redirects"] if one["name"].startswith(f"{number}:")
    }
    assert set(mine) == {f"{number}:egress:{protocol}:53:" for protocol in ("TCP", "UDP", "SCTP")}
    (port,) = set(mine.values())
    swapped = (port & 255) << 8 | port >> 8
    assert [row["ProxyPortNetwork"] for row in rows(world, "checkout-client") if row["ProxyPortNetwork"]] == [
        swapped
    ] * 3
    statistics = endpoint(world, "checkout-client")["policy"]["proxy-statistics"]
    assert {one["allocated-proxy-port"] for one in statistics} == {port}


def test_a_looked_up_name_is_in_the_cache_and_is_an_identity(world: World) -> None:
    node = pod(world, "checkout-client").node
    listed = {one["fqdn"]: one for one in said(world, node, "cilium-dbg fqdn cache list -o json")}
    assert listed["api.payments.example."]["ips"] == ["198.51.100.10"]
    assert "nosuch.payments.example." not in listed
    labels = [one["labels"] for one in said(world, node, "cilium-dbg identity list -o json")]
    assert ["cidr:198.51.100.10/32", "fqdn:api.payments.example", "reserved:world"] in labels
    other = next(one for one in world.network.nodes if one != node)
    assert "fqdn:" not in said(world, other, "cilium-dbg identity list")


def test_an_agent_counts_revisions_from_its_own_start(world: World) -> None:
    node = pod(world, "redis").node
    for number in range(3):
        apply(world, {"endpointSelector": {}, "egress": [{"toEntities": ["all"]}]}, f"open-{number}")
        writing.delete(world, kind_of(world, "CiliumNetworkPolicy"), "shop", f"open-{number}")
    first = said(world, node, "cilium-dbg policy get -o json")
    policies = {
        label["value"]
        for rule in json.loads(first["policy"])
        for label in rule["Labels"]
        if label["key"].endswith("uid")
    }
    writing.delete(world, PODS, "kube-system", world.agents[node].name)
    world.advance(120)
    again = said(world, node, "cilium-dbg policy get -o json")
    assert (again["revision"], again["policy"]) == (1 + len(policies), first["policy"])
    assert first["revision"] == again["revision"] + 6


def test_entries_count_what_they_decide(world: World) -> None:
    client, uncounted = identity(world, "cart-client"), (1 << 64) - 1
    (before,) = [row for row in rows(world, "redis") if row["Key"]["Identity"] == client]
    world.advance(60)
    (after,) = [row for row in rows(world, "redis") if row["Key"]["Identity"] == client]
    assert before["Packets"] < after["Packets"] < uncounted
    # Nobody of the shop calls a name server by TCP.
    (never,) = [
        row
        for row in rows(world, "checkout-client")
        if row["Flags"] == 192 and row["Key"]["Nexthdr"] == 6 and row["ProxyPortNetwork"]
    ]
    assert (never["Packets"], never["Bytes"]) == (uncounted, uncounted)


RULE = {
    "Tier", "Priority", "Authentication", "Log", "Subject", "L3", "L4", "Labels", "DefaultDeny", "Verdict",
    "Ingress", "Node",
}  # fmt: skip
"""Keys of a rule in the recorded `policy get`, which holds JSON in a string."""


def test_json_in_strings_has_the_recorded_keys(world: World) -> None:
    run = pod(world, "checkout")
    listed = json.loads(said(world, run.node, "cilium-dbg policy get -o json")["policy"])
    assert [one for one in listed if set(one) != RULE] == []
    (silent,) = [one for one in listed if one["L3"] is None]
    assert (silent["L4"], silent["DefaultDeny"], silent["Ingress"]) == (None, True, True)
    rules = endpoint(world, "checkout")["policy"]["realized"]["l4"]["ingress"]
    texts = [json.loads(one["rule"]) for one in rules]
    assert [list(one) for one in texts] == [["tier", "port", "protocol", "l7-rules"]] * 4
    assert "&" not in "".join(one["rule"] for one in rules)
    assert {"verdict": 1} in [value for one in texts for item in one["l7-rules"] for value in item.values()]
