"""Forwards to a port of a pod, by websocket: frames with a channel before, two channels for each port."""

from __future__ import annotations

import asyncio
import contextlib
import struct
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from playbooks.practice import refusals
from playbooks.practice.access import Attempt
from playbooks.practice.catalog import PODS
from playbooks.practice.objects import uid_of
from playbooks.practice.serving.relaying import PORT, Relaying, is_relay
from playbooks.practice.serving.targets import Target

if TYPE_CHECKING:
    from playbooks.practice.runs import PodRun
    from playbooks.practice.world import World

V4 = "v4.channel.k8s.io"
"""The protocol of the channels."""
_CHUNK = 32 * 1024
_HIGHEST = 65535
_ENDINGS = (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR)


async def forward(
    world: World, target: Target, request: web.Request, relaying: Relaying | None
) -> web.StreamResponse:
    """Lead connections to the ports that are asked for. Raises `Refused`."""
    verb = "get" if request.method == "GET" else "create"
    refusals.require(world.access, Attempt(verb, "", "pods", "portforward", target.namespace, target.name))
    offered = [part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    if request.headers.get("Upgrade", "").lower() != "websocket" or V4 not in offered:
        raise refusals.bad_request(
            "unable to upgrade: only websockets with v4.channel.k8s.io are served here"
        )
    ports = _ports(request)
    item = world.store.get(PODS, target.namespace, target.name)
    if item is None:
        raise refusals.not_found(PODS, target.name)
    run = world.runs.get(uid_of(item))
    socket = web.WebSocketResponse(protocols=(V4,))
    await socket.prepare(request)
    links = [_Link(socket, 2 * number, port) for number, port in enumerate(ports)]
    try:
        for link in links:
            await link.greet()
        for link in links:
            await link.open(_path(world, run, link.port, relaying), target.name)
        await _upwards(socket, links)
    except ConnectionError:
        # Either side is gone.
        return socket
    finally:
        for link in links:
            await link.close()
        await socket.close()
    return socket


def _ports(request: web.Request) -> list[int]:
    texts = [text for given in request.query.getall("ports", []) for text in given.split(",")]
    if not texts:
        raise refusals.bad_request('query parameter "ports" is required')
    for text in texts:
        if not text.isdigit() or not 0 < int(text) <= _HIGHEST:
            raise refusals.bad_request(f'unable to parse "{text}" as a port')
    return [int(text) for text in texts]


def _path(world: World, run: PodRun | None, port: int, relaying: Relaying | None) -> str:
    """The socket behind a port of a pod; empty where nobody listens."""
    if run is None or relaying is None or port != PORT or not is_relay(run):
        return ""
    return relaying.socket(world)


async def _upwards(socket: web.WebSocketResponse, links: list[_Link]) -> None:
    """Pass on what the client sends, until it leaves or the other side is done."""
    ends = [link.ended for link in links]
    while not all(end.is_set() for end in ends):
        with contextlib.suppress(asyncio.TimeoutError):
            message = await socket.receive(timeout=0.5)
            if message.type in _ENDINGS:
                return
            if message.type is WSMsgType.BINARY and message.data:
                number, is_error = divmod(message.data[0], 2)
                if number < len(links) and not is_error:
                    await links[number].write(message.data[1:])


class _Link:
    """One port's connection."""

    def __init__(self, socket: web.WebSocketResponse, channel: int, port: int) -> None:
        self.port = port
        self.ended = asyncio.Event()
        self._socket, self._channel = socket, channel
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    async def greet(self) -> None:
        """The first frame of each channel names its port."""
        for channel in (self._channel, self._channel + 1):
            await self._socket.send_bytes(bytes((channel,)) + struct.pack("<H", self.port))

    async def open(self, path: str, pod: str) -> None:
        """Connect, or say why not."""
        try:
            if not path:
                raise ConnectionRefusedError
            reader, self._writer = await asyncio.open_unix_connection(path)
        except OSError:
            what = (
                f"an error occurred forwarding {self.port} -> {self.port}: error forwarding port {self.port} "
                f"to pod {pod}, uid : failed to execute portforward in network namespace: failed to connect "
                f"to localhost:{self.port} inside namespace: dial tcp4 127.0.0.1:{self.port}: "
                "connect: connection refused"
            )
            await self._socket.send_bytes(bytes((self._channel + 1,)) + what.encode())
            self.ended.set()
            return
        self._task = asyncio.create_task(self._downwards(reader))

    async def write(self, data: bytes) -> None:
        """Pass on what the client sent."""
        if self._writer is not None:
            self._writer.write(data)
            await self._writer.drain()

    async def close(self) -> None:
        """End it."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._writer is not None:
            self._writer.close()

    async def _downwards(self, reader: asyncio.StreamReader) -> None:
        with contextlib.suppress(ConnectionError):
            while data := await reader.read(_CHUNK):
                await self._socket.send_bytes(bytes((self._channel,)) + data)
        self.ended.set()
