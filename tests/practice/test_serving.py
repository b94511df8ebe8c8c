"""The practice cluster over the real protocols, once per feature."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import aiohttp
import pytest
import yaml

from playbooks.practice.access import Access, Permission
from playbooks.practice.objects import moment_of
from playbooks.practice.scenarios import load
from playbooks.practice.source import WorldSource
from playbooks.practice.world import build
from tests.practice.serving import TABLE, Client, client


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Client]:
    async with client(build(), tmp_path) as made:
        yield made


async def test_the_kubeconfig_is_private_and_complete(cluster: Client) -> None:
    path = cluster.serving.kubeconfig
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    config = yaml.safe_load(path.read_text())
    assert config["clusters"][0]["cluster"]["server"] == cluster.serving.url
    assert config["users"][0]["user"]["token"] == cluster.serving.token
    assert config["current-context"] == "practice"


async def test_without_the_token_nothing_is_answered_but_the_version(tmp_path: Path) -> None:
    async with client(build(), tmp_path, token="wrong") as stranger:
        for path in ("/api/v1/pods", "/version"):
            status, body = await stranger.call("GET", path)
            assert (status, body["reason"]) == (401, "Unauthorized")
        stranger.session.headers.pop("Authorization")
        assert (await stranger.get("/version"))["minor"] == "34"
        assert (await stranger.call("GET", "/api/v1/pods"))[0] == 401


async def test_the_clock_is_the_machines_when_served(cluster: Client) -> None:
    leases = (await cluster.get("/apis/coordination.k8s.io/v1/leases"))["items"]
    renewed = [moment_of(lease["spec"]["renewTime"]) for lease in leases]
    assert all(abs(datetime.now(UTC) - moment) < timedelta(seconds=60) for moment in renewed)


async def test_discovery_names_what_is_served(cluster: Client) -> None:
    assert (await cluster.get("/api"))["versions"] == ["v1"]
    groups = {group["name"] for group in (await cluster.get("/apis"))["groups"]}
    assert {"apps", "cilium.io", "discovery.k8s.io"} <= groups
    names = {entry["name"] for entry in (await cluster.get("/api/v1"))["resources"]}
    assert {"pods", "pods/log", "pods/exec", "nodes"} <= names
    assert (await cluster.call("GET", "/apis/nosuch.io/v1"))[0] == 404
    assert await cluster.get("/readyz") == "ok"


async def test_lists_are_paged(cluster: Client) -> None:
    first = await cluster.get("/api/v1/pods?limit=5")
    assert (first["kind"], len(first["items"])) == ("PodList", 5)
    assert "kind" not in first["items"][0]
    total = 5 + first["metadata"]["remainingItemCount"]
    names, token = [item["metadata"]["name"] for item in first["items"]], first["metadata"]["continue"]
    while token:
        page = await cluster.get(f"/api/v1/pods?limit=5&continue={token}")
        names += [item["metadata"]["name"] for item in page["items"]]
        token = page["metadata"].get("continue", "")
    assert len(names) == len(set(names)) == total


async def test_lists_are_narrowed(cluster: Client) -> None:
    async def names(query: str) -> list[str]:
        return [item["metadata"]["name"] for item in (await cluster.get(f"/api/v1/pods?{query}"))["items"]]

    node = list(cluster.serving.world.agents)[1]
    agents = await names("labelSelector=k8s-app%3Dcilium")
    assert len(agents) == 6
    assert len(await names(f"labelSelector=k8s-app%3Dcilium&fieldSelector=spec.nodeName%3D{node}")) == 1
    assert await names("fieldSelector=status.phase!%3DRunning") == []
    assert await names(f"fieldSelector=metadata.name%3D{agents[0]}") == [agents[0]]
    assert (await cluster.call("GET", "/api/v1/pods?fieldSelector=spec.nosuch%3D1"))[0] == 400
    assert (await cluster.call("GET", "/api/v1/pods?limit=many"))[0] == 400


async def test_a_table_for_who_asks_for_one(cluster: Client) -> None:
    table = await cluster.get("/api/v1/namespaces/kube-system/pods", accept=TABLE)
    titles = [column["name"] for column in table["columnDefinitions"] if not column["priority"]]
    assert (table["kind"], titles) == ("Table", ["Name", "Ready", "Status", "Restarts", "Age"])
    row = next(row for row in table["rows"] if row["cells"][0].startswith("cilium-operator"))
    assert row["cells"][1:5] == ["1/1", "Running", "0", "26h"]
    assert row["object"]["metadata"]["namespace"] == "kube-system"
    one = await cluster.get(f"/api/v1/nodes/{next(iter(cluster.serving.world.agents))}", accept=TABLE)
    assert one["rows"][0]["cells"][1:3] == ["Ready", "control-plane"]


async def test_a_watch_tells_what_happens(cluster: Client) -> None:
    version = (await cluster.get("/api/v1/namespaces/shop/pods"))["metadata"]["resourceVersion"]
    path = f"/api/v1/namespaces/shop/pods?watch=true&resourceVersion={version}&labelSelector=app%3Dredis"
    pod = (await cluster.get("/api/v1/namespaces/shop/pods?labelSelector=app%3Dredis"))["items"][0]
    await cluster.call("DELETE", f"/api/v1/namespaces/shop/pods/{pod['metadata']['name']}")
    cluster.serving.world.advance(10)
    seen = []
    async with asyncio.timeout(10):
        async for event in cluster.watch(path):
            seen.append((event["type"], event["object"]["metadata"]["name"] == pod["metadata"]["name"]))
            if event["object"].get("status", {}).get("phase") == "Running" and seen[-1][0] == "MODIFIED":
                break
    assert seen[:2] == [("DELETED", True), ("ADDED", False)]


async def test_a_watch_begins_with_what_is_there(cluster: Client) -> None:
    path = "/api/v1/nodes?watch=true&sendInitialEvents=true&allowWatchBookmarks=true"
    types = []
    async with asyncio.timeout(10):
        async for event in cluster.watch(path):
            types.append(event["type"])
            if event["type"] == "BOOKMARK":
                break
    assert types == ["ADDED"] * 6 + ["BOOKMARK"]
    assert event["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


async def test_a_watch_from_long_ago_has_expired(cluster: Client) -> None:
    async with asyncio.timeout(10):
        events = [event async for event in cluster.watch("/api/v1/nodes?watch=1&resourceVersion=1")]
    assert [(event["type"], event["object"]["code"]) for event in events] == [("ERROR", 410)]
    assert (await cluster.call("GET", "/api/v1/nodes?watch=1&timeoutSeconds=long"))[0] == 400


async def test_a_watch_ends_when_its_time_is_over(cluster: Client) -> None:
    async with asyncio.timeout(10):
        events = [event async for event in cluster.watch("/api/v1/nodes?watch=1&timeoutSeconds=1")]
    assert len(events) >= 6


async def test_logs_as_they_are_asked_for(tmp_path: Path) -> None:
    async with client(load("agent-crashloop").world(), tmp_path) as cluster:
        run = next(run for run in cluster.serving.world.agents.values() if not run.is_ready)
        path = f"/api/v1/namespaces/kube-system/pods/{run.name}/log"
        last = await cluster.get(f"{path}?container=cilium-agent&tailLines=1&previous=true")
        assert 'invalid tunnel protocol \\"vxlann\\"' in last
        stamped = await cluster.get(f"{path}?tailLines=1&timestamps=true")
        assert moment_of(stamped.split(" ")[0][:26] + "Z") < datetime.now(UTC)
        _, body = await cluster.call("GET", f"{path}?container=nosuch")
        assert body["message"] == f"container nosuch is not valid for pod {run.name}"
        _, body = await cluster.call("GET", f"{path}?container=config&previous=true")
        assert body["message"] == f'previous terminated container "config" in pod "{run.name}" not found'
        assert (body["reason"], body["code"]) == ("BadRequest", 400)


async def test_a_log_can_be_followed(cluster: Client) -> None:
    pod = next(run for run in cluster.serving.world.runs.values() if run.name.startswith("cart-client"))
    url = f"{cluster.serving.url}/api/v1/namespaces/shop/pods/{pod.name}/log?follow=true&tailLines=1"
    async with asyncio.timeout(10), cluster.session.get(url) as response:
        lines = [await response.content.readline()]
        cluster.serving.world.advance(10)
        lines.append(await response.content.readline())
    assert lines[0] < lines[1]


@pytest.mark.parametrize(
    ("protocols", "chosen", "code"),
    [
        (("v5.channel.k8s.io", "v4.channel.k8s.io"), "v5.channel.k8s.io", 1006),
        (("v5.channel.k8s.io",), "v5.channel.k8s.io", 1000),
        (("v4.channel.k8s.io",), "v4.channel.k8s.io", 1000),
    ],
)
async def test_commands_by_websocket(
    cluster: Client, protocols: tuple[str, ...], chosen: str, code: int
) -> None:
    pod = next(iter(cluster.serving.world.agents.values())).name
    ended = await cluster.run(pod, "cilium-dbg", "status", "-o", "json", protocols=protocols)
    assert (ended.protocol, ended.code) == (chosen, code)
    assert ended.status == {"metadata": {}, "status": "Success"}
    assert ended.stdout.startswith(b'{"attach-mode":"tcx",')
    failed = await cluster.run(pod, "cilium-dbg", "nosuch", protocols=protocols)
    assert failed.stderr.startswith(b"Error: unknown command")
    assert failed.status["reason"] == "NonZeroExitCode"
    assert failed.status["details"]["causes"] == [{"reason": "ExitCode", "message": "1"}]
    missing = await cluster.run(pod, "nosuch", protocols=protocols)
    assert "failed to exec in container: failed to start exec" in missing.status["message"]
    assert missing.status["message"].startswith("Internal error occurred: ")


async def test_the_same_bytes_in_process_and_over_the_wire(cluster: Client) -> None:
    world = cluster.serving.world
    path = "/apis/cilium.io/v2/ciliumidentities"
    async with cluster.session.get(cluster.serving.url + path) as response:
        served = await response.read()
    from playbooks.model.answer import Answer, answer
    from playbooks.model.request import Objects, Resource

    request = Objects(Resource("cilium.io", "v2", "ciliumidentities", "CiliumIdentity", False))
    told = await answer(WorldSource(world), request, 0)
    assert isinstance(told, Answer)
    assert told.body.rstrip(b"\n").partition(b'"items"')[2] == served.partition(b'"items"')[2]


async def test_a_crashing_container_has_no_process_to_join(tmp_path: Path) -> None:
    async with client(load("agent-crashloop").world(), tmp_path) as cluster:
        pod = next(run for run in cluster.serving.world.agents.values() if not run.is_ready).name
        ended = await cluster.run(pod, "true")
        assert ended.status["message"] == (
            'Internal error occurred: unable to upgrade connection: container not found ("cilium-agent")'
        )
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await cluster.run(pod, "true", protocols=("v4.channel.k8s.io",))
        assert refused.value.status == 404


async def test_an_agent_that_hangs_never_answers_but_others_do(tmp_path: Path) -> None:
    async with client(load("agent-hangs").world(), tmp_path) as cluster:
        world = cluster.serving.world
        silent = next(iter(world.silent_nodes))
        waiting = asyncio.create_task(cluster.run(world.agents[silent].name, "true"))
        other = next(node for node in world.agents if node != silent)
        assert (await cluster.run(world.agents[other].name, "true")).status["status"] == "Success"
        assert not waiting.done()
        waiting.cancel()


async def test_a_forbidden_command_is_refused_at_the_handshake(tmp_path: Path) -> None:
    async with client(load("narrow-rbac").world(), tmp_path) as cluster:
        pod = next(iter(cluster.serving.world.agents.values())).name
        path = f"/api/v1/namespaces/kube-system/pods/{pod}/exec?command=true"
        upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
        async with cluster.session.get(cluster.serving.url + path, headers=upgrade) as response:
            body = await response.json()
        assert response.status == body["code"] == 403
        assert body["details"] == {"name": pod, "kind": "pods"}
        assert body["message"] == (
            f'pods "{pod}" is forbidden: User "practice-viewer" cannot get resource "pods/exec" '
            'in API group "" in the namespace "kube-system"'
        )


async def test_reviews_say_what_is_allowed(tmp_path: Path) -> None:
    world = build()
    world.access = Access("jane", (Permission(("",), ("pods", "pods/log"), ("get", "list"), ("shop",)),))
    async with client(world, tmp_path) as cluster:
        url = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"

        async def allowed(**wanted: str) -> bool:
            _, body = await cluster.call("POST", url, {"spec": {"resourceAttributes": wanted}})
            return bool(body["status"]["allowed"])

        assert await allowed(verb="get", resource="pods", subresource="log", namespace="shop")
        assert not await allowed(verb="get", resource="pods", subresource="exec", namespace="shop")
        assert not await allowed(verb="list", resource="pods")
        rules = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
        _, body = await cluster.call("POST", rules, {"spec": {"namespace": "shop"}})
        assert body["status"]["resourceRules"] == [
            {"verbs": ["get", "list"], "apiGroups": [""], "resources": ["pods", "pods/log"]}
        ]


async def test_a_delay_is_put_before_every_command(cluster: Client) -> None:
    world = cluster.serving.world
    pod = next(iter(world.agents.values())).name
    world.exec_delay = 3600
    waiting = asyncio.create_task(cluster.run(pod, "true"))
    while not any(one.path.endswith("/nodes") for one in cluster.serving.requests):
        await cluster.get("/api/v1/nodes?limit=1")
    assert not waiting.done()
    waiting.cancel()
    world.exec_delay = 0
    assert (await cluster.run(pod, "true")).status["status"] == "Success"


async def test_every_request_is_recorded(cluster: Client) -> None:
    await cluster.get("/api/v1/nodes?limit=1")
    await cluster.call("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {"spec": {}})
    await cluster.call("DELETE", "/api/v1/namespaces/shop/pods/nosuch")
    await cluster.run(next(iter(cluster.serving.world.agents.values())).name, "true")
    seen = [
        (one.method, one.path.rpartition("/")[2], one.is_mutating, one.status)
        for one in cluster.serving.requests
    ]
    assert seen == [
        ("GET", "nodes", False, 200),
        ("POST", "selfsubjectaccessreviews", False, 201),
        ("DELETE", "nosuch", True, 404),
        ("GET", "exec", False, 101),
    ]
    first = cluster.serving.requests[0]
    assert (first.query, first.user_agent) == ("limit=1", "tests/1.0")
