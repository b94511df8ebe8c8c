"""A small Kubernetes API server on loopback, over TLS, that answers what a test tells it to.

async with ApiServer() as server:
    server.items["/api/v1/pods"] = [pod("a"), pod("b")]
    server.outputs[("cilium-dbg", "status")] = Output(b"OK")
    source = LiveSource(server.access(tmp_path))
"""

from __future__ import annotations

import asyncio
import base64
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from aiohttp import WSCloseCode, web

from playbooks.sources.access import Access, ConnectOptions, load
from tests.sources.certificates import authority, loopback

TOKEN = "test-token-1"
SUCCESS = b'{"metadata":{},"status":"Success"}'


@dataclass
class Output:
    """What a command prints and how it ends."""

    stdout: bytes = b""
    stderr: bytes = b""
    code: int = 0
    frame: int = 32 * 1024
    times: int = 1
    """How often standard output is sent."""
    is_cut: bool = False
    """The connection is dropped before the status."""
    hangs: bool = False
    """Nothing ever comes."""
    status: bytes = b""
    """The last frame, instead of one made from `code`."""

    @property
    def ending(self) -> bytes:
        if self.status:
            return self.status
        if not self.code:
            return SUCCESS
        return failure(
            f"command terminated with non-zero exit code: exit status {self.code}",
            reason="NonZeroExitCode",
            details={"causes": [{"reason": "ExitCode", "message": str(self.code)}]},
        )


@dataclass
class Reply:
    """An HTTP answer as it is."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    is_cut: bool = False
    """The connection is lost after the body, although more was promised."""


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: tuple[tuple[str, str], ...]
    headers: dict[str, str]
    groups: tuple[str, ...] = ()
    raw: str = ""
    """Path and query as they were on the wire."""

    @property
    def argv(self) -> tuple[str, ...]:
        return tuple(value for name, value in self.query if name == "command")


def failure(message: str, reason: str = "", code: int = 0, **more: Any) -> bytes:
    """A Status object."""
    status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "message": message}
    return json.dumps({**status, "reason": reason, "code": code, **more}).encode()


def refusal(code: int, message: str, reason: str = "", **headers: str) -> Reply:
    """An HTTP answer with a Status body."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(code, failure(message, reason, code), {"Content-Type": "application/json", **named})


def no_such_program(name: str) -> Output:
    """How containerd says that the image lacks a program."""
    inner = f'unable to start container process: exec: "{name}": executable file not found in $PATH: unknown'
    message = (
        "Internal error occurred: error executing command in container: failed to exec in container: "
        f'failed to start exec "0": OCI runtime exec failed: exec failed: {inner}'
    )
    return Output(status=failure(message, "InternalError", 500))


class ApiServer:
    """The server; its fields say what it answers, `asked` what it was asked."""

    def __init__(self, tls: ssl.SSLContext | None = None, is_plain: bool = False, prefix: str = "") -> None:
        self.tokens = {TOKEN}
        self.items: dict[str, list[dict[str, Any]]] = {}
        """Lists and objects by path."""
        self.logs: dict[str, bytes] = {}
        """Logs by `namespace/pod/container`."""
        self.outputs: dict[tuple[str, ...], Output] = {}
        """What commands print, by what runs after `timeout -k …`."""
        self.has_timeout = True
        """Whether the image has `timeout`."""
        self.replies: dict[str, list[Reply]] = {}
        """Answers for a path that come before any other, each once."""
        self.refuse: Callable[[Asked], Reply | None] = lambda asked: None
        """A last word on every request."""
        self.allowed: Callable[[dict[str, Any]], bool] = lambda attributes: True
        """Access reviews."""
        self.protocols = ["v5.channel.k8s.io", "v4.channel.k8s.io"]
        self.page_limit = 0
        """Largest page whatever is asked for; 0 for what is asked for."""
        self.asked: list[Asked] = []
        self.open_execs = 0
        self.most_execs = 0
        self.pings = 0
        self.sent = 0
        """Bytes of standard output that went out."""
        self.drops = 0
        """How many of the next requests lose their connection before any answer."""
        self.delay = 0.0
        """Seconds before any answer."""
        self.changed = asyncio.Event()
        self._tls = None if is_plain else tls or loopback().server_context()
        self._prefix = prefix
        self._runner: web.AppRunner | None = None
        self.port = 0

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{self._prefix}"

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(
            application, access_log=None, shutdown_timeout=0.0, handler_cancellation=True
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._tls)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner:
            await self._runner.cleanup()

    def kubeconfig(self, folder: Path, user: dict[str, Any] | None = None, **cluster: Any) -> Path:
        """A kubeconfig for this server with one context, `test`."""
        told = {
            "server": self.url,
            "certificate-authority-data": base64.b64encode(authority().pem).decode(),
            **cluster,
        }
        document = {
            "current-context": "test",
            "contexts": [{"name": "test", "context": {"cluster": "it", "user": "me"}}],
            "clusters": [{"name": "it", "cluster": {k: v for k, v in told.items() if v is not None}}],
            "users": [{"name": "me", "user": {"token": TOKEN} if user is None else user}],
        }
        path = folder / "kubeconfig"
        path.write_text(json.dumps(document))
        return path

    def access(self, folder: Path, user: dict[str, Any] | None = None, **cluster: Any) -> Access:
        """The way into this server."""
        options = ConnectOptions(kubeconfig=(str(self.kubeconfig(folder, user, **cluster)),))
        return load(options, environment={})

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until something has happened here."""
        while not condition():
            self.changed.clear()
            await self.changed.wait()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        query = tuple(request.query.items())
        groups = tuple(request.headers.getall("Impersonate-Group", ()))
        path = request.path.removeprefix(self._prefix)
        asked = Asked(request.method, path, query, dict(request.headers), groups, request.raw_path)
        self.asked.append(asked)
        self.changed.set()
        if self.drops and request.transport:
            self.drops -= 1
            request.transport.abort()
            return web.Response()
        if self.delay:
            await asyncio.sleep(self.delay)
        reply = self._early(asked)
        if reply is not None and reply.is_cut:
            return await _cut(request, reply)
        if reply is not None:
            return web.Response(status=reply.status, body=reply.body, headers=reply.headers)
        words = path.strip("/").split("/")
        if words[-1] == "exec":
            return await self._exec(request, asked)
        if words[-1] == "log":
            return await self._log(words, asked)
        return web.Response(body=await self._document(request, asked), content_type="application/json")

    def _early(self, asked: Asked) -> Reply | None:
        if waiting := self.replies.get(asked.path):
            return waiting.pop(0)
        if reply := self.refuse(asked):
            return reply
        token = asked.headers.get("Authorization", "").removeprefix("Bearer ").removeprefix("bearer ")
        if token not in self.tokens:
            return refusal(401, "Unauthorized", "Unauthorized")
        if (
            asked.path == "/version"
            or asked.path == "/api"
            or asked.path.endswith("selfsubjectaccessreviews")
        ):
            return None
        if asked.path.endswith(("/exec", "/log")) or asked.path in self.items or self._single(asked.path):
            return None
        return Reply(404, b"404 page not found\n", {"Content-Type": "text/plain"})

    def _single(self, path: str) -> dict[str, Any] | None:
        folder, _, name = path.rpartition("/")
        return next((item for item in self.items.get(folder, ()) if item["metadata"]["name"] == name), None)

    async def _document(self, request: web.Request, asked: Asked) -> bytes:
        if asked.path == "/version":
            return b'{"major":"1","minor":"34","gitVersion":"v1.34.4"}'
        if asked.path == "/api":
            return b'{"kind":"APIVersions","versions":["v1"]}'
        if asked.path.endswith("selfsubjectaccessreviews"):
            attributes = (await request.json())["spec"]["resourceAttributes"]
            return json.dumps({"status": {"allowed": self.allowed(attributes)}}).encode()
        if single := self._single(asked.path):
            return json.dumps(single).encode()
        return self._page(asked)

    def _page(self, asked: Asked) -> bytes:
        items, query = self.items[asked.path], dict(asked.query)
        limit, start = int(query.get("limit", 0)), int(query.get("continue", 0))
        limit = self.page_limit or limit or len(items)
        metadata: dict[str, Any] = {"resourceVersion": "7"}
        if start + limit < len(items):
            metadata |= {"continue": str(start + limit), "remainingItemCount": len(items) - start - limit}
        page = {
            "kind": "List",
            "apiVersion": "v1",
            "metadata": metadata,
            "items": items[start : start + limit],
        }
        return json.dumps(page, separators=(",", ":")).encode() + b"\n"

    async def _log(self, words: list[str], asked: Asked) -> web.StreamResponse:
        text = self.logs.get(f"{words[-4]}/{words[-2]}/{dict(asked.query)['container']}", b"")
        tail = int(dict(asked.query).get("tailLines", 0))
        return web.Response(body=b"".join(text.splitlines(keepends=True)[-tail:]))

    async def _exec(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        output = self._output(asked.argv)
        socket = web.WebSocketResponse(protocols=self.protocols, autoping=False)
        await socket.prepare(request)
        self.open_execs += 1
        self.most_execs = max(self.most_execs, self.open_execs)
        self.changed.set()
        try:
            await self._print(socket, request, output)
        except ConnectionError:
            pass
        finally:
            self.open_execs -= 1
            self.changed.set()
        return socket

    def _output(self, argv: tuple[str, ...]) -> Output:
        if argv[0] != "timeout":
            return self.outputs.get(argv) or no_such_program(argv[0])
        if not self.has_timeout:
            return no_such_program("timeout")
        words = f"timeout: failed to run command '{argv[4]}': No such file or directory\n"
        return self.outputs.get(argv[4:]) or Output(stderr=words.encode(), code=127)

    async def _print(self, socket: web.WebSocketResponse, request: web.Request, output: Output) -> None:
        for channel, data in ((1, output.stdout),) * output.times + ((2, output.stderr),):
            for start in range(0, len(data), output.frame):
                await socket.send_bytes(bytes([channel]) + data[start : start + output.frame])
                self.sent += output.frame if channel == 1 else 0
        if output.hangs:
            while (message := await socket.receive()).type is web.WSMsgType.PING:
                self.pings += 1
                self.changed.set()
                await socket.pong(message.data)
            return
        if not output.is_cut:
            await socket.send_bytes(b"\x03" + output.ending)
        if output.is_cut or socket.ws_protocol == "v5.channel.k8s.io":
            # As the real one: v5 ends without a close frame.
            if request.transport is not None:
                request.transport.close()
        else:
            await socket.close(code=WSCloseCode.OK)


async def _cut(request: web.Request, reply: Reply) -> web.StreamResponse:
    response = web.StreamResponse(status=reply.status, headers=reply.headers)
    response.content_length = len(reply.body) + 100
    await response.prepare(request)
    await response.write(reply.body)
    if request.transport:
        request.transport.close()
    return response


def pod(
    name: str, namespace: str = "kube-system", image: str = "", container: str = "cilium-agent"
) -> dict[str, Any]:
    """A pod with one container."""
    status = {"containerStatuses": [{"name": container, "image": "cilium", "imageID": image or "sha256:one"}]}
    return {
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"nodeName": "node-1"},
        "status": status,
    }
