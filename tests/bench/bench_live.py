"""The live source over TLS: commands per second, CPU per command, lists with and without decoding.

Run: .venv/bin/python -m tests.bench.bench_live
The server runs in a process of its own; its CPU per answer is printed beside, so that it is plain who limits.
The first row is the floor: a TLS handshake, a request sent, the answer awaited, and nothing else of a client.
Commands are measured in several rounds, of which the best counts: other work on the machine only ever adds.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp

from playbooks.model.answer import End, Source, answer
from playbooks.model.kube.meta import Pages
from playbooks.model.kube.pods import Pod
from playbooks.model.request import AgentCommand, Objects, Resource
from playbooks.sources.access import ConnectOptions, load
from playbooks.sources.careful import Careful, Limits
from playbooks.sources.live import LiveSource
from playbooks.sources.live.exec import PROTOCOLS, STATUS
from playbooks.sources.scrubber import Scrubber

PODS = Resource("", "v1", "pods", "Pod")
COMMANDS = 400
ROUNDS = 5
COUNT = 5000


class Server:
    """The benchmark server as a child process."""

    def __init__(self) -> None:
        command = [sys.executable, "-m", "tests.bench.live_server", str(COUNT)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self._line())
        self.ca = self._line()

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()

    def cpu(self) -> float:
        """CPU seconds that it has used."""
        assert self._process.stdin
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return float(self._line())

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()


def source(server: Server, folder: str) -> LiveSource:
    """A live source on that server."""
    cluster = {"server": f"https://127.0.0.1:{server.port}", "certificate-authority-data": server.ca}
    document = {
        "current-context": "bench",
        "contexts": [{"name": "bench", "context": {"cluster": "it", "user": "me"}}],
        "clusters": [{"name": "it", "cluster": cluster}],
        "users": [{"name": "me", "user": {"token": "t"}}],
    }
    path = Path(folder, "kubeconfig")
    path.write_text(json.dumps(document))
    return LiveSource(load(ConnectOptions(kubeconfig=(str(path),)), {}))


async def commands(asked: Source, at_once: int) -> None:
    """Ask many agents for their status."""
    waiting = iter(range(COMMANDS))

    async def worker() -> None:
        for number in waiting:
            argv = ("cilium-dbg", "status", "-o", "json")
            request = AgentCommand(f"node-{number}", "kube-system", f"cilium-{number}", "cilium-agent", argv)
            got = await answer(asked, request, 1)
            assert isinstance(getattr(got, "end", None), End), got

    await asyncio.gather(*(worker() for _ in range(at_once)))


async def pods(asked: Source, is_decoded: bool) -> None:
    """List all pods, decode them or not."""
    found: list[int] = []
    reader: Pages[Pod] = Pages(Pod, lambda provenance, items: found.append(len(items)))  # type: ignore[arg-type,return-value]
    request = Objects(PODS)
    async for piece in asked.open(request, 1):
        if isinstance(piece, bytes):
            if is_decoded:
                reader.feed(piece)
        else:
            assert isinstance(piece, End), piece
            if is_decoded:
                reader.finish(request, piece)
    assert not is_decoded or found == [COUNT]


async def plain(asked: LiveSource) -> None:
    """The same number of websockets by aiohttp alone: what no exec over it can undercut."""
    tls = asked.access.credentials.tls or True
    timeout = aiohttp.ClientWSTimeout(ws_close=0.0)
    waiting = iter(range(COMMANDS))

    async def worker(session: aiohttp.ClientSession) -> None:
        for _ in waiting:
            url = f"{asked.access.server}/exec?command=x"
            async with session.ws_connect(url, ssl=tls, protocols=PROTOCOLS, timeout=timeout) as socket:
                while (await socket.receive()).data[0] != STATUS:
                    pass

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
        await asyncio.gather(*(worker(session) for _ in range(64)))


class Listener(asyncio.Protocol):
    """Sends a request as soon as it may, and waits until the other side closes."""

    def __init__(self) -> None:
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        transport.write(b"GET /exec?command=x HTTP/1.1\r\nSec-WebSocket-Key: x\r\n\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        self.done.set_result(None)


async def floor(asked: LiveSource) -> None:
    """The same number of connections, with nothing done but what TLS needs."""
    waiting, loop = iter(range(COMMANDS)), asyncio.get_running_loop()
    host, port = asked.access.server.removeprefix("https://").split(":")

    async def worker() -> None:
        for _ in waiting:
            _, it = await loop.create_connection(Listener, host, int(port), ssl=asked.access.credentials.tls)
            await it.done

    await asyncio.gather(*(worker() for _ in range(64)))


async def measured() -> None:
    """Print the table."""
    server = Server()
    rows: dict[str, tuple[float, float, float, int]] = {}
    with tempfile.TemporaryDirectory() as folder:
        bare = source(server, folder)
        await commands(bare, 8)

        async def measure(name: str, run: Callable[[], object], count: int) -> None:
            wall, cpu, theirs = time.perf_counter(), time.process_time(), server.cpu()
            await run()  # type: ignore[misc]
            row = (time.perf_counter() - wall, time.process_time() - cpu, server.cpu() - theirs)
            best = rows.get(name, (*row, count))
            rows[name] = (*(min(pair) for pair in zip(row, best, strict=False)), count)  # type: ignore[assignment]

        for _ in range(ROUNDS):
            whole = Careful(Scrubber(bare), Limits())
            await measure("TLS alone", lambda: floor(bare), COMMANDS)
            await measure("websockets, aiohttp alone", lambda: plain(bare), COMMANDS)
            await measure("exec, live source alone", lambda: commands(bare, 64), COMMANDS)
            await measure("exec, careful and scrubbed", lambda whole=whole: commands(whole, 64), COMMANDS)  # type: ignore[misc]
        for name, asked in (("live source alone", bare), ("careful and scrubbed", whole)):
            for is_decoded in (False, True):
                shown = f"{COUNT} pods, {name}{', decoded' if is_decoded else ''}"
                await measure(shown, lambda asked=asked, is_decoded=is_decoded: pods(asked, is_decoded), 1)  # type: ignore[misc]
        await bare.close()
    server.close()
    print(f"{'what':<48}{'seconds':>9}{'per s':>9}{'CPU ms each':>13}{'server ms each':>16}")
    for name, (wall, cpu, theirs, count) in rows.items():
        each, served = cpu / count * 1e3, theirs / count * 1e3
        print(f"{name:<48}{wall:>9.3f}{count / wall:>9.0f}{each:>13.2f}{served:>16.2f}")


def main() -> None:
    """Measure and print."""
    asyncio.run(measured())


if __name__ == "__main__":
    main()
