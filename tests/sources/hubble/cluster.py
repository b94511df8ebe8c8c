"""An API server with Relay behind it: forwards to a port of this machine, lists by label, follows commands.

async with Cluster() as cluster:
    cluster.items["/api/v1/pods"] = [agent_pod("node-1"), relay_pod()]
    cluster.forwards = server.port
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import struct
from pathlib import Path
from typing import Any

from aiohttp import web

from playbooks.model.hubble.jsonpb import writer_of
from playbooks.model.hubble.proto import observer_pb2
from playbooks.sources.hubble import Event
from playbooks.sources.hubble.api import Api
from playbooks.sources.hubble.stream import Stream
from playbooks.sources.live import Patience
from tests.sources.apiserver import ApiServer, Asked
from tests.sources.certificates import Authority, Pair
from tests.sources.hubble.observing import Until, gathered
from tests.sources.living import HASTY

PODS, SECRETS, SERVICES = (f"/api/v1/{kind}" for kind in ("pods", "secrets", "services"))


class Cluster(ApiServer):
    """The API server."""

    def __init__(self) -> None:
        super().__init__()
        self.forwards = 0
        """The port of this machine to which every forward leads; 0 for none."""
        self.forwarded: list[tuple[str, str]] = []
        """Path and port of each forward."""

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        path = request.path
        if path.endswith("/portforward") and not self.refuse(Asked("GET", path, (), {})):
            self.forwarded.append((path, request.query["ports"]))
            return await self._forward(request)
        return await super()._answer(request)

    def _page(self, asked: Asked) -> bytes:
        query = dict(asked.query)
        if not (selector := query.get("labelSelector")):
            return super()._page(asked)
        wanted = dict(pair.split("=") for pair in selector.split(","))
        every = self.items[asked.path]
        try:
            self.items[asked.path] = [
                item for item in every if wanted.items() <= item["metadata"].get("labels", {}).items()
            ]
            return super()._page(asked)
        finally:
            self.items[asked.path] = every

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        socket = web.WebSocketResponse(protocols=["v4.channel.k8s.io"])
        await socket.prepare(request)
        port = struct.pack("<H", int(request.query["ports"]))
        await socket.send_bytes(b"\x00" + port)
        await socket.send_bytes(b"\x01" + port)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.forwards)
        except OSError:
            await socket.send_bytes(b"\x01an error occurred forwarding 4245 -> 4245: connection refused")
            await socket.close()
            return socket

        async def down() -> None:
            while data := await reader.read(65536):
                await socket.send_bytes(b"\x00" + data)
            await socket.close()

        task = asyncio.create_task(down())
        try:
            async for message in socket:
                writer.write(message.data[1:])
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await task
            writer.close()
        return socket


def api(cluster: Cluster, folder: Path, patience: Patience = HASTY) -> Api:
    return Api(cluster.access(folder), patience)


async def gathered_aside(stream: Stream, until: Until = lambda events: False) -> list[Event]:
    """All events, read in a thread: the server needs this one."""
    return await asyncio.to_thread(gathered, stream, until)


def labelled(name: str, labels: dict[str, str], node: str, *containers: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "kube-system", "labels": labels},
        "spec": {"nodeName": node, "containers": list(containers)},
        "status": {
            "phase": "Running",
            "conditions": [{"type": "Ready", "status": "True"}],
            "containerStatuses": [{"name": one["name"], "imageID": "sha256:one"} for one in containers],
        },
    }


def agent_pod(node: str) -> dict[str, Any]:
    return labelled(f"cilium-{node}", {"k8s-app": "cilium"}, node, {"name": "cilium-agent"})


def relay_pod(*more: dict[str, Any]) -> dict[str, Any]:
    own = {"name": "hubble-relay", "ports": [{"name": "grpc", "containerPort": 4245}]}
    return labelled("hubble-relay-1", {"k8s-app": "hubble-relay"}, "node-1", own, *more)


def relay_service(port: int, target: int | str) -> dict[str, Any]:
    return {"metadata": {"name": "hubble-relay"}, "spec": {"ports": [{"port": port, "targetPort": target}]}}


def client_secret(authority: Authority, pair: Pair) -> dict[str, Any]:
    data = {"ca.crt": authority.pem, "tls.crt": pair.certificate, "tls.key": pair.key}
    encoded = {name: base64.b64encode(value).decode() for name, value in data.items()}
    return {"metadata": {"name": "hubble-relay-client-certs"}, "data": encoded}


def lines(*raws: bytes) -> bytes:
    """Messages as `hubble observe -o jsonpb` prints them."""
    write = writer_of(observer_pb2.GetFlowsResponse.DESCRIPTOR)
    return "".join(write.text(raw) + "\n" for raw in raws).encode()
