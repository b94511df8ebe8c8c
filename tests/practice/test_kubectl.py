"""kubectl against the practice cluster, where there is one; the same over plain HTTP where there is none."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from playbooks.practice.scenarios import load
from playbooks.practice.world import build
from tests.practice.serving import TABLE, Client, client

KUBECTL = shutil.which("kubectl")
MANIFEST = """
apiVersion: v1
kind: ConfigMap
metadata: {name: note, namespace: shop}
data: {text: VALUE}
---
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: redis, namespace: shop}
spec: {endpointSelector: {matchLabels: {app: redis}}}
"""
STRATEGIC, MERGE = "application/strategic-merge-patch+json", "application/merge-patch+json"

Run = Callable[..., Awaitable[tuple[int, str]]]


def kubectl(cluster: Client, home: Path) -> Run:
    """Runs the real kubectl with a home of its own."""
    environment = {
        "HOME": str(home),
        "PATH": os.environ["PATH"],
        "KUBECONFIG": str(cluster.serving.kubeconfig),
    }

    async def run(*words: str, stdin: str = "") -> tuple[int, str]:
        process = await asyncio.create_subprocess_exec(
            str(KUBECTL),
            *words,
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        async with asyncio.timeout(60):
            output, _ = await process.communicate(stdin.encode())
        return process.returncode or 0, output.decode()

    return run


async def cells(cluster: Client, path: str) -> str:
    table = await cluster.get(path, accept=TABLE)
    return "\n".join(" ".join(map(str, row["cells"])) for row in table["rows"])


async def test_reading(tmp_path: Path) -> None:
    async with client(load("agent-crashloop").world(), tmp_path) as cluster:
        world = cluster.serving.world
        broken = next(run for run in world.agents.values() if not run.is_ready).name
        well = next(run for run in world.agents.values() if run.is_ready).name
        if KUBECTL:
            run = kubectl(cluster, tmp_path)
            _, pods = await run("get", "pods", "-A")
            _, nodes = await run("get", "nodes")
            _, log = await run("-n", "kube-system", "logs", broken, "--previous", "--tail=1")
            code, status = await run("-n", "kube-system", "exec", well, "--", "cilium-dbg", "status")
            failed, message = await run("-n", "kube-system", "exec", broken, "--", "cilium-dbg", "status")
            assert (code, failed) == (0, 1)
            assert "websocket: close" not in status + message
        else:
            pods, nodes = await cells(cluster, "/api/v1/pods"), await cells(cluster, "/api/v1/nodes")
            path = f"/api/v1/namespaces/kube-system/pods/{broken}/log?tailLines=1&previous=true"
            log = await cluster.get(path)
            status = (await cluster.run(well, "cilium-dbg", "status")).stdout.decode()
            message = (await cluster.run(broken, "cilium-dbg", "status")).status["message"]
        line = next(line for line in pods.splitlines() if broken in line)
        assert "CrashLoopBackOff" in line
        assert sum("Ready" in line for line in nodes.splitlines()) == 6
        assert "level=fatal" in log
        assert "Cluster health:" in status
        assert 'unable to upgrade connection: container not found ("cilium-agent")' in message
        assert not any(one.is_mutating for one in cluster.serving.requests)


async def test_writing(tmp_path: Path) -> None:
    async with client(build(), tmp_path) as cluster:
        world = cluster.serving.world
        redis = next(run.name for run in world.runs.values() if run.name.startswith("redis"))
        if KUBECTL:
            await with_kubectl(kubectl(cluster, tmp_path), redis)
        else:
            await with_http(cluster, redis)
        world.advance(120)
        note = await cluster.get("/api/v1/namespaces/shop/configmaps/note")
        assert note["data"] == {"text": "two"}
        policies = await cluster.get("/apis/cilium.io/v2/ciliumnetworkpolicies")
        assert "redis" in [item["metadata"]["name"] for item in policies["items"]]
        cart = await cluster.get("/apis/apps/v1/namespaces/shop/deployments/cart")
        assert cart["status"]["readyReplicas"] == 3
        names = {run.name for run in world.runs.values()}
        assert redis not in names
        assert any(name.startswith("redis-") for name in names)
        sets = (await cluster.get("/apis/apps/v1/namespaces/shop/replicasets"))["items"]
        frontend = sorted(
            item["spec"]["replicas"] for item in sets if item["metadata"]["name"].startswith("frontend-sg")
        )
        assert frontend == [0]
        assert any(one.is_mutating for one in cluster.serving.requests)


async def with_kubectl(run: Run, redis: str) -> None:
    steps: tuple[tuple[Any, ...], ...] = (
        (MANIFEST.replace("VALUE", "one"), "created", "apply", "-f", "-"),
        (MANIFEST.replace("VALUE", "two"), "configmap/note configured", "apply", "-f", "-"),
        ("", "scaled", "-n", "shop", "scale", "deployment", "cart", "--replicas=3"),
        ("", "deleted", "-n", "shop", "delete", "pod", redis),
        ("", "restarted", "-n", "shop", "rollout", "restart", "deployment", "frontend"),
        ("", "successfully rolled out", "-n", "shop", "rollout", "status", "deployment", "frontend"),
        ("", "yes", "auth", "can-i", "delete", "pods"),
    )
    for stdin, expected, *words in steps:
        code, output = await run(*words, stdin=stdin)
        assert (code, expected in output) == (0, True), output


async def with_http(cluster: Client, redis: str) -> None:
    maps, policies = (
        "/api/v1/namespaces/shop/configmaps",
        "/apis/cilium.io/v2/namespaces/shop/ciliumnetworkpolicies",
    )
    deployments = "/apis/apps/v1/namespaces/shop/deployments"
    note = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "note"}, "data": {"text": "one"}}
    policy = {
        "apiVersion": "cilium.io/v2",
        "kind": "CiliumNetworkPolicy",
        "metadata": {"name": "redis"},
        "spec": {},
    }
    restarted = {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}
    for method, path, body, form in (
        ("POST", maps, note, "application/json"),
        ("POST", policies, policy, "application/json"),
        ("PATCH", f"{maps}/note", {"data": {"text": "two"}}, STRATEGIC),
        ("PATCH", f"{deployments}/cart/scale", {"spec": {"replicas": 3}}, MERGE),
        ("DELETE", f"/api/v1/namespaces/shop/pods/{redis}", None, "application/json"),
        ("PATCH", f"{deployments}/frontend", {"spec": {"template": restarted}}, STRATEGIC),
    ):
        status, answer = await cluster.call(method, path, body, form=form)
        assert status in (200, 201), answer


async def test_the_plain_way_leaves_the_same_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tests.practice.test_kubectl.KUBECTL", None)
    await test_writing(tmp_path)
