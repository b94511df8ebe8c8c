"""A client for the practice servers, as small as tests need."""

from __future__ import annotations

import contextlib
import json
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from playbooks.practice.serving import Serving, serve
from playbooks.practice.world import World

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"
EXEC = ("v5.channel.k8s.io", "v4.channel.k8s.io")


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of a command over a websocket."""

    protocol: str | None
    stdout: bytes
    stderr: bytes
    status: dict[str, Any]
    code: int | None


@dataclass(frozen=True, slots=True)
class Client:
    """Asks a practice server."""

    serving: Serving
    session: aiohttp.ClientSession

    async def call(
        self, method: str, path: str, body: object = None, *, form: str = "application/json", accept: str = ""
    ) -> tuple[int, Any]:
        """Status and decoded body of one request."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": form} | ({"Accept": accept} if accept else {})
        async with self.session.request(
            method, self.serving.url + path, data=data, headers=headers
        ) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            return response.status, json.loads(text) if is_json else text

    async def get(self, path: str, *, accept: str = "") -> Any:
        """The body of a read that succeeds."""
        status, body = await self.call("GET", path, accept=accept)
        assert status == 200, body
        return body

    async def watch(self, path: str) -> AsyncIterator[dict[str, Any]]:
        """The events of a watch."""
        async with self.session.get(self.serving.url + path) as response:
            async for line in response.content:
                yield json.loads(line)

    async def run(
        self, pod: str, *argv: str, container: str = "cilium-agent", protocols: tuple[str, ...] = EXEC
    ) -> Ended:
        """Run a command in a pod of kube-system."""
        query = [("command", word) for word in argv]
        query += [("container", container), ("stdout", "true"), ("stderr", "true")]
        channels: dict[int, bytes] = {1: b"", 2: b"", 3: b""}
        url = f"{self.serving.url}/api/v1/namespaces/kube-system/pods/{pod}/exec"
        async with self.session.ws_connect(url, params=query, protocols=protocols) as socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    channels[message.data[0]] += message.data[1:]
            return Ended(
                socket.protocol, channels[1], channels[2], json.loads(channels[3] or b"{}"), socket.close_code
            )


@contextlib.asynccontextmanager
async def client(world: World, folder: Path, token: str = "") -> AsyncIterator[Client]:
    """A served world and a client that trusts its authority."""
    async with serve(world, folder) as serving:
        context = ssl.create_default_context(cadata=serving.authority.decode())
        headers = {"Authorization": f"Bearer {token or serving.token}", "User-Agent": "tests/1.0"}
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            yield Client(serving, session)
