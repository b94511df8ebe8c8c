"""Commands in agents: exec over a websocket, as `kubectl exec` without a terminal."""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp

from playbooks.model.answer import GapKind
from playbooks.model.request import AgentCommand
from playbooks.sources.live.images import TIMEOUT, Image, Images
from playbooks.sources.live.status import (
    NoAnswer,
    Status,
    exec_failure,
    is_missing_program,
    status_from,
    websockets_refused,
)
from playbooks.sources.live.transport import Transport

PROTOCOLS = ("v5.channel.k8s.io", "v4.channel.k8s.io")
STDOUT, STDERR, STATUS = 1, 2, 3
STDERR_LIMIT = 1024 * 1024
STATUS_LIMIT = 64 * 1024
HEAD = 4096
HELP_LIMIT = 64 * 1024
KILL_AFTER = 2

_USAGE = re.compile(rb"^Usage:\r?$", re.MULTILINE)
_UNKNOWN = re.compile(rb"^Error: unknown (?:command|flag|shorthand flag)\b", re.MULTILINE)
# Exit codes of timeout(1): coreutils, and busybox or whatever was ended by the signal.
_TIMED_OUT = (124, 143)
# What timeout(1) says when it cannot find the command it was given.
_NOT_FOUND_BY_TIMEOUT = 127


@dataclass(frozen=True, slots=True)
class Exit:
    """How a command ended."""

    code: int
    """Its exit code."""
    stderr: bytes
    """Its standard error."""
    is_truncated: bool
    """Whether some of that was dropped."""
    argv: tuple[str, ...]
    """What ran, without the time limit around it."""


class _Missing(Exception):
    """The image lacks a program."""

    def __init__(self, program: str) -> None:
        super().__init__(program)
        self.program = program


async def command(
    transport: Transport, images: Images, request: AgentCommand
) -> AsyncGenerator[bytes | Exit, None]:
    """Standard output in pieces, then the exit. Raises `Refused`, `NoAnswer`.

    Every program that turns out to be missing is remembered for the image, and the next best is tried:
    no `timeout`, then `cilium` instead of `cilium-dbg`.
    """
    image = await images.known(request)
    while True:
        argv = _runnable(request, image)
        run = _Run(transport, request, argv, image.has_timeout)
        try:
            async with aclosing(run.pieces()) as pieces:
                async for piece in pieces:
                    yield piece
        except _Missing as missing:
            image = await images.learning(request)
            image.lacks.add(missing.program)
            continue
        except _NotInThisVersion as error:
            (await images.learning(request)).unknown.add(argv)
            raise _not_in_this_version(argv) from error
        return


class _NotInThisVersion(Exception):
    """The program answered with its usage."""


def _not_in_this_version(argv: tuple[str, ...]) -> NoAnswer:
    return NoAnswer(GapKind.NOT_IN_THIS_VERSION, f"this version does not know `{' '.join(argv)}`")


def _runnable(request: AgentCommand, image: Image) -> tuple[str, ...]:
    """The command with a program that the image has. Raises `NoAnswer` when it is known not to work."""
    program, *rest = request.argv
    if program == "cilium-dbg" and program in image.lacks:
        program = "cilium"
    argv = (program, *rest)
    if program in image.lacks:
        raise NoAnswer(GapKind.NOT_FOUND, f"the image has no program `{request.argv[0]}`")
    if argv in image.unknown:
        raise _not_in_this_version(argv)
    if request.is_heavy and not image.has_timeout:
        what = "the image has no `timeout`, so a dump that takes too long could not be stopped"
        raise NoAnswer(GapKind.TOO_COSTLY, what, "run the command by hand")
    return argv


@dataclass(slots=True)
class _Head:
    """The beginning of an output, held back until it is surely no usage."""

    held: bytes = b""
    is_over: bool = False

    def passed(self, piece: bytes) -> bytes:
        """What may be passed on, now that this came."""
        if self.is_over:
            return piece
        held = self.held = self.held + piece
        is_short = len(held) < HEAD or (len(held) < HELP_LIMIT and _USAGE.search(held, 0, HEAD))
        # No usage is JSON, and who follows a quiet stream should not wait for its fourth kilobyte.
        if is_short and not held.startswith(b"{"):
            return b""
        self.held, self.is_over = b"", True
        return held


class _Run:
    """One command on its way."""

    def __init__(
        self, transport: Transport, request: AgentCommand, argv: tuple[str, ...], is_wrapped: bool
    ) -> None:
        patience = transport.patience
        self._transport = transport
        self._request = request
        self._argv = argv
        self._is_wrapped = is_wrapped
        self._seconds = patience.dump if request.is_heavy else patience.command
        self._deadline = time.monotonic() + self._seconds
        self._size = 0
        self._stderr = bytearray()
        self._is_truncated = False
        self._ping: asyncio.Task[None] | None = None

    async def pieces(self) -> AsyncGenerator[bytes | Exit, None]:
        try:
            socket = await self._transport.upgrade(self._path(), self._query(), PROTOCOLS, self._deadline)
        except TimeoutError as error:
            raise self._timed_out() from error
        ping = asyncio.get_running_loop().call_later(self._transport.patience.ping, self._start_pings, socket)
        try:
            if socket.protocol not in PROTOCOLS:
                raise websockets_refused("no exec protocol was chosen")
            async with aclosing(self._output(socket)) as output:
                async for piece in output:
                    yield piece
        finally:
            ping.cancel()
            if self._ping is not None:
                self._ping.cancel()
            await socket.close()

    def _path(self) -> str:
        namespace, pod = quote(self._request.namespace, safe=""), quote(self._request.pod, safe="")
        return f"/api/v1/namespaces/{namespace}/pods/{pod}/exec"

    def _query(self) -> Sequence[tuple[str, str]]:
        limit = (TIMEOUT, "-k", str(KILL_AFTER), str(max(1, math.ceil(self._seconds))))
        words = (*limit, *self._argv) if self._is_wrapped else self._argv
        options = [("container", self._request.container), ("stdout", "true"), ("stderr", "true")]
        return [*options, *(("command", word) for word in words)]

    async def _output(self, socket: aiohttp.ClientWebSocketResponse) -> AsyncGenerator[bytes | Exit, None]:
        """Standard output, then the exit; standard error is kept."""
        head, told = _Head(), b""
        while True:
            data = await self._message(socket)
            channel = data[0] if data else -1
            if channel == STDOUT:
                self._size += len(data) - 1
                if piece := head.passed(data[1:]):
                    yield piece
            elif channel == STDERR:
                self._keep(data[1:])
            elif channel == STATUS:
                told = (told + data[1:])[:STATUS_LIMIT]
                if status := status_from(told):
                    break
        code = self._exit_code(status)
        self._judge(code, head.held)
        if head.held:
            yield head.held
        yield Exit(code, bytes(self._stderr), self._is_truncated, self._argv)

    async def _message(self, socket: aiohttp.ClientWebSocketResponse) -> bytes:
        """What comes next: its first byte names the channel."""
        try:
            async with asyncio.timeout(max(0.0, self._deadline - time.monotonic())):
                message = await socket.receive()
        except TimeoutError as error:
            raise self._timed_out() from error
        if message.type is not aiohttp.WSMsgType.BINARY:
            raise self._broken()
        data: bytes = message.data
        return data

    def _keep(self, stderr: bytes) -> None:
        room = STDERR_LIMIT - len(self._stderr)
        self._is_truncated = self._is_truncated or len(stderr) > room
        self._stderr += stderr[:room]

    def _exit_code(self, status: Status) -> int:
        """The exit code that a status tells. Raises `_Missing`, `NoAnswer`."""
        if status.status == "Success":
            return 0
        code = status.exit_code
        if code is not None:
            return code
        if is_missing_program(status.message):
            # The runtime looks only for the first word, which is `timeout` when that is put in front.
            raise _Missing(TIMEOUT if self._is_wrapped else self._argv[0])
        raise exec_failure(status.message)

    def _judge(self, code: int, head: bytes) -> None:
        """Raise for exit codes and words that are no answer."""
        if self._is_wrapped and code in _TIMED_OUT:
            raise self._timed_out()
        if self._is_wrapped and code == _NOT_FOUND_BY_TIMEOUT and self._stderr.startswith(b"timeout: "):
            raise _Missing(self._argv[0])
        if {"--help", "-h", "help"} & set(self._argv):
            return
        if (code == 0 and _USAGE.search(head, 0, HEAD)) or (code and _UNKNOWN.search(self._stderr)):
            raise _NotInThisVersion

    def _timed_out(self) -> NoAnswer:
        shown, node = " ".join(self._argv), self._request.node_name
        what = f"`{shown}` on node {node} did not end within {self._seconds:g} s"
        return NoAnswer(GapKind.TIMED_OUT, what, "ask again with a longer --timeout, or look at that node")

    def _broken(self) -> NoAnswer:
        what = f"the connection broke off after {self._size} bytes, before the exit status"
        return NoAnswer(GapKind.UNREACHABLE, what, "ask again; look at the node's kubelet if it stays so")

    def _start_pings(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._ping = asyncio.create_task(self._pings(socket))

    async def _pings(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        """Show that we are there, so that nothing on the way closes a silent connection."""
        while not socket.closed:
            try:
                await socket.ping()
            except ConnectionError:
                return
            await asyncio.sleep(self._transport.patience.ping)
