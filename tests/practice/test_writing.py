"""What is written over the wire, in the forms that kubectl uses."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from playbooks.practice.scenarios import load
from playbooks.practice.world import build
from tests.practice.serving import Client, client

CONFIG = "/api/v1/namespaces/kube-system/configmaps/cilium-config"
SHOP = "/apis/apps/v1/namespaces/shop/deployments"
MERGE, STRATEGIC = "application/merge-patch+json", "application/strategic-merge-patch+json"


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Client]:
    async with client(build(), tmp_path) as made:
        yield made


def config_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


async def test_objects_are_created_once(cluster: Client) -> None:
    path = "/api/v1/namespaces/shop/configmaps"
    status, made = await cluster.call("POST", f"{path}?fieldManager=me", config_map("x", a="b"))
    assert (status, made["metadata"]["namespace"], made["data"]) == (201, "shop", {"a": "b"})
    assert made["metadata"]["managedFields"][0]["manager"] == "me"
    status, again = await cluster.call("POST", path, config_map("x"))
    assert (status, again["reason"]) == (409, "AlreadyExists")
    status, lost = await cluster.call("POST", "/api/v1/namespaces/nosuch/configmaps", config_map("x"))
    assert (status, lost["reason"]) == (404, "NotFound")


@pytest.mark.parametrize(
    ("form", "body"),
    [
        (MERGE, {"data": {"debug": "true", "enable-policy": None}}),
        (STRATEGIC, {"data": {"debug": "true", "enable-policy": None}}),
        (
            "application/json-patch+json",
            [
                {"op": "replace", "path": "/data/debug", "value": "true"},
                {"op": "remove", "path": "/data/enable-policy"},
            ],
        ),
    ],
)
async def test_objects_are_patched(cluster: Client, form: str, body: object) -> None:
    status, after = await cluster.call("PATCH", CONFIG, body, form=form)
    assert (status, after["data"]["debug"], after["data"].get("enable-policy")) == (200, "true", None)
    assert after["data"]["ipam"] == "cluster-pool"


async def test_a_patch_of_nothing_changes_nothing(cluster: Client) -> None:
    before = await cluster.get(CONFIG)
    _, after = await cluster.call("PATCH", CONFIG, {"data": {"ipam": "cluster-pool"}}, form=MERGE)
    assert after == before


async def test_server_side_apply_makes_or_changes(cluster: Client) -> None:
    path = "/api/v1/namespaces/shop/configmaps/x?fieldManager=me&force=true"
    first = b"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b, c: d}\n"
    status, made = await cluster.call("PATCH", path, first, form="application/apply-patch+yaml")
    assert (status, made["data"]) == (201, {"a": "b", "c": "d"})
    assert made["metadata"]["managedFields"][0]["operation"] == "Apply"
    second = first.replace(b"a: b", b"a: e")
    status, after = await cluster.call("PATCH", path, second, form="application/apply-patch+yaml")
    assert (status, after["data"]) == (200, {"a": "e", "c": "d"})


async def test_objects_are_replaced_unless_somebody_was_faster(cluster: Client) -> None:
    item = await cluster.get(CONFIG)
    item["data"]["debug"] = "true"
    assert (await cluster.call("PUT", CONFIG, item))[0] == 200
    status, body = await cluster.call("PUT", CONFIG, item)
    assert (status, body["reason"]) == (409, "Conflict")


async def test_a_strategic_patch_knows_containers_by_name(cluster: Client) -> None:
    containers = [{"name": "redis", "image": "practice.local/shop:2"}]
    body = {"spec": {"template": {"spec": {"containers": containers}}}}
    _, after = await cluster.call("PATCH", f"{SHOP}/redis", body, form=STRATEGIC)
    (container,) = after["spec"]["template"]["spec"]["containers"]
    assert (container["image"], container["args"]) == ("practice.local/shop:2", ["redis", "6379"])


async def test_workloads_are_scaled(cluster: Client) -> None:
    scale = await cluster.get(f"{SHOP}/cart/scale")
    assert (scale["kind"], scale["spec"], scale["status"]["replicas"]) == ("Scale", {"replicas": 2}, 2)
    _, after = await cluster.call("PATCH", f"{SHOP}/cart/scale", {"spec": {"replicas": 4}}, form=MERGE)
    assert after["spec"] == {"replicas": 4}
    cluster.serving.world.advance(10)
    assert (await cluster.get(f"{SHOP}/cart"))["status"]["readyReplicas"] == 4


async def test_many_are_deleted_by_their_labels(cluster: Client) -> None:
    path = "/api/v1/namespaces/shop/pods?labelSelector=app%3Dcart"
    before = {item["metadata"]["name"] for item in (await cluster.get(path))["items"]}
    status, body = await cluster.call("DELETE", path)
    assert (status, set(body["details"]["names"])) == (200, before)
    after = {item["metadata"]["name"] for item in (await cluster.get(path))["items"]}
    assert len(after) == 2
    assert after & before == set()


async def test_a_bad_body_is_refused(cluster: Client) -> None:
    for body, form, code in (
        (b"{", "application/json", 400),
        (b"k8s\x00\n\x10\n\x02v1\x12\nDeployment\x12\x00", "application/vnd.kubernetes.protobuf", 415),
    ):
        status, answer = await cluster.call("POST", "/api/v1/namespaces/shop/configmaps", body, form=form)
        assert (status, answer["kind"]) == (code, "Status")


async def test_the_right_fix_turns_the_crashing_agent_green(tmp_path: Path) -> None:
    async with client(load("agent-crashloop").world(), tmp_path) as cluster:
        world = cluster.serving.world
        run = next(run for run in world.agents.values() if not run.is_ready)
        path = f"/api/v1/namespaces/kube-system/pods/{run.name}"
        await cluster.call("DELETE", path)
        world.advance(60)
        assert not world.agents[run.node].is_ready
        await cluster.call("PATCH", CONFIG, {"data": {"tunnel-protocol": "vxlan"}}, form=MERGE)
        await cluster.call("DELETE", path.replace(run.name, world.agents[run.node].name))
        world.advance(60)
        assert world.agents[run.node].is_ready
        assert "taints" not in (await cluster.get(f"/api/v1/nodes/{run.node}"))["spec"]


async def test_the_operator_comes_back_when_it_is_scaled_up(tmp_path: Path) -> None:
    async with client(load("operator-down").world(), tmp_path) as cluster:
        path = "/apis/apps/v1/namespaces/kube-system/deployments/cilium-operator/scale"
        assert (await cluster.call("GET", "/apis/cilium.io/v2/ciliumnodes"))[0] == 404
        await cluster.call("PATCH", path, {"spec": {"replicas": 1}}, form=MERGE)
        cluster.serving.world.advance(60)
        lease = "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/cilium-operator-resource-lock"
        assert (await cluster.get(lease))["spec"]["holderIdentity"]
        assert len((await cluster.get("/apis/cilium.io/v2/ciliumnodes"))["items"]) == 6
        assert all(run.is_ready for run in cluster.serving.world.agents.values())


async def test_a_new_pod_answers_where_the_old_one_hung(tmp_path: Path) -> None:
    async with client(load("agent-hangs").world(), tmp_path) as cluster:
        world = cluster.serving.world
        node = next(iter(world.silent_nodes))
        await cluster.call("DELETE", f"/api/v1/namespaces/kube-system/pods/{world.agents[node].name}")
        world.advance(30)
        ended = await cluster.run(world.agents[node].name, "cilium-dbg", "status", "--brief")
        assert ended.stdout == b"OK\n"


async def test_nothing_new_is_put_on_a_cordoned_node(cluster: Client) -> None:
    world = cluster.serving.world
    workers = list(world.agents)[1:]
    for node in workers[1:]:
        await cluster.call(
            "PATCH", f"/api/v1/nodes/{node}", {"spec": {"unschedulable": True}}, form=STRATEGIC
        )
    await cluster.call("PATCH", f"{SHOP}/redis/scale", {"spec": {"replicas": 4}}, form=MERGE)
    pods = (await cluster.get("/api/v1/namespaces/shop/pods?labelSelector=app%3Dredis"))["items"]
    assert sorted(pod["spec"]["nodeName"] for pod in pods).count(workers[0]) >= 3


@pytest.mark.parametrize("path", ["pods/x/eviction", "pods/x"])
async def test_what_cannot_be_created_is_refused(cluster: Client, path: str) -> None:
    status, body = await cluster.call("POST", f"/api/v1/namespaces/shop/{path}", {})
    assert (status, body["reason"]) == (404, "NotFound")
