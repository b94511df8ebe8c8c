"""Proxies on loopback for tests: HTTP CONNECT and SOCKS5. Every name leads to the one server behind."""

from __future__ import annotations

import asyncio
from typing import Self


class Proxy:
    """What both have in common: a listener, the targets that were asked for, two pipes per connection."""

    def __init__(self, port: int, refuses: bool = False) -> None:
        self.targets: list[str] = []
        self.port = 0
        self._to = port
        self._refuses = refuses
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            if await self._greet(reader, writer):
                theirs_in, theirs_out = await asyncio.open_connection("127.0.0.1", self._to)
                await asyncio.gather(_pipe(reader, theirs_out), _pipe(theirs_in, writer))
        except (ConnectionError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        raise NotImplementedError


class ConnectProxy(Proxy):
    """An HTTP proxy."""

    def __init__(self, port: int, refuses: bool = False) -> None:
        super().__init__(port, refuses)
        self.authorization = ""

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        self.targets.append(head.split()[1])
        for line in head.splitlines():
            if line.lower().startswith("proxy-authorization:"):
                self.authorization = line.split(":", 1)[1].strip()
        writer.write(b"HTTP/1.1 403 Forbidden\r\n\r\n" if self._refuses else b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()
        return not self._refuses


class SocksProxy(Proxy):
    """A SOCKS5 proxy that resolves names itself."""

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        _, count = await reader.readexactly(2)
        await reader.readexactly(count)
        writer.write(b"\x05\x00")
        _, _, _, kind = await reader.readexactly(4)
        size = {1: 4, 4: 16}.get(kind) or (await reader.readexactly(1))[0]
        name = await reader.readexactly(size)
        port = int.from_bytes(await reader.readexactly(2))
        self.targets.append(f"{name.decode() if kind == 3 else 'address'}:{port}")
        writer.write(bytes([5, 2 if self._refuses else 0, 0, 1, 0, 0, 0, 0, 0, 0]))
        await writer.drain()
        return not self._refuses


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        return
    finally:
        writer.close()
