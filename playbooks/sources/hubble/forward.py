"""A forward to a port of a pod, through the API server: from a unix socket, a websocket for each connection.

A socket in a folder that only we can enter, and never a TCP port, which everybody on a bastion could read.
"""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import aiohttp

from playbooks.model.answer import GapKind
from playbooks.sources.hubble.api import refused_by
from playbooks.sources.live.status import NoAnswer, Refused, websockets_refused
from playbooks.sources.live.transport import Transport

PROTOCOLS = ("v4.channel.k8s.io",)
"""Frames with a channel in their first byte; the first of each channel is the port."""
DATA, ERROR = 0, 1
CHUNK = 256 * 1024


class Forward:
    """Listens on a socket; all of it runs on the loop that opened it."""

    def __init__(self, transport: Transport, namespace: str, pod: str, port: int) -> None:
        """`open` makes the socket."""
        self._transport = transport
        self._namespace = namespace
        self._pod = pod
        self._port = port
        self._folder = ""
        self._server: asyncio.AbstractServer | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.trouble: NoAnswer | None = None
        """Why the last connection failed, if it did: who connects only sees it closed."""

    @property
    def path(self) -> str:
        """The socket."""
        return str(Path(self._folder, "hubble.sock"))

    async def open(self) -> None:
        """Begin to listen; nothing is forwarded before somebody connects."""
        # mkdtemp makes it 0700.
        self._folder = tempfile.mkdtemp(prefix="honeyguide-")
        self._server = await asyncio.start_unix_server(self._connected, self.path, limit=CHUNK)

    async def close(self) -> None:
        """End all connections and remove the socket."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        try:
            await self._forward(reader, writer)
        except NoAnswer as error:
            self.trouble = error
        except asyncio.CancelledError:
            # Only `close` cancels, and the server's own task must not end as cancelled.
            return
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection. Raises `NoAnswer`."""
        socket = await self._upgraded()
        ping = asyncio.create_task(self._pings(socket))
        up = asyncio.create_task(_upwards(reader, socket))
        try:
            await self._downwards(socket, writer)
        except ConnectionError:
            # Who connected is gone, which is its right.
            return
        finally:
            ping.cancel()
            up.cancel()
            await asyncio.gather(ping, up, return_exceptions=True)
            await socket.close()

    async def _upgraded(self) -> aiohttp.ClientWebSocketResponse:
        namespace, pod = quote(self._namespace, safe=""), quote(self._pod, safe="")
        path = f"/api/v1/namespaces/{namespace}/pods/{pod}/portforward"
        role = f"ask for a Role in namespace {self._namespace} with verbs get and create on pods/portforward"
        deadline = time.monotonic() + self._transport.patience.page
        try:
            socket = await self._transport.upgrade(path, [("ports", str(self._port))], PROTOCOLS, deadline)
        except Refused as refused:
            raise refused_by(path, refused, role) from refused
        except TimeoutError as error:
            raise NoAnswer(
                GapKind.TIMED_OUT, f"the API server opened no forward to {self._pod} in time"
            ) from error
        if socket.protocol not in PROTOCOLS:
            await socket.close()
            raise websockets_refused("no forwarding protocol was chosen")
        return socket

    async def _downwards(self, socket: aiohttp.ClientWebSocketResponse, writer: asyncio.StreamWriter) -> None:
        greeted: set[int] = set()
        while True:
            message = await socket.receive()
            if message.type is not aiohttp.WSMsgType.BINARY:
                return
            data: bytes = message.data
            channel = data[0] if data else -1
            if channel not in greeted:
                greeted.add(channel)
            elif channel == DATA:
                writer.write(memoryview(data)[1:])
                await writer.drain()
            elif channel == ERROR and len(data) > 1:
                words = " ".join(data[1:600].decode(errors="replace").split())
                what = f"port {self._port} of pod {self._namespace}/{self._pod} is not reached: {words}"
                raise NoAnswer(GapKind.UNREACHABLE, what, "look at that pod")

    async def _pings(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Show that we are there, so that nothing on the way closes a quiet connection."""
        with contextlib.suppress(ConnectionError):
            while True:
                await asyncio.sleep(self._transport.patience.ping)
                await socket.ping()


async def _upwards(reader: asyncio.StreamReader, socket: aiohttp.ClientWebSocketResponse) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await reader.read(CHUNK):
            await socket.send_bytes(bytes((DATA,)) + data)
    await socket.close()
