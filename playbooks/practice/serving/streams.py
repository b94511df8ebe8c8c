"""Streams beside objects: commands by websocket, and logs that are followed."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import WSMsgType, web

from playbooks.practice import answering, commands, refusals
from playbooks.practice.answering import NoContainer, Ran, Silence
from playbooks.practice.commands.following import Following
from playbooks.practice.objects import Json
from playbooks.practice.serving.targets import Target

if TYPE_CHECKING:
    from playbooks.practice.world import World

V5, V4 = "v5.channel.k8s.io", "v4.channel.k8s.io"
"""The channel protocols, the newer one first."""
_STDOUT, _STDERR, _STATUS = b"\x01", b"\x02", b"\x03"
_FRAME = 32 * 1024
_LOOK_AGAIN = 0.5
_STEP = 0.2


async def run_command(world: World, target: Target, request: web.Request) -> web.StreamResponse:
    """Run a command and stream what it prints. Raises `Refused`."""
    argv = tuple(request.query.getall("command", []))
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise refusals.bad_request("Upgrade request required")
    if not argv:
        raise refusals.bad_request("you must specify at least 1 command for the container")
    offered = [part.strip() for part in request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
    container = request.query.get("container", "")
    ran = answering.execute(world, target.namespace, target.name, container, argv)
    if isinstance(ran, NoContainer) and V5 not in offered:
        # Without version 5 the API server hands the connection on to the kubelet, whose answer is plain.
        return web.Response(status=404, text=ran.message)
    socket = web.WebSocketResponse(protocols=(V5, V4))
    await socket.prepare(request)
    reader = asyncio.create_task(_read(socket))
    try:
        if isinstance(ran, Silence):
            await reader
            return socket
        if world.exec_delay:
            await asyncio.sleep(world.exec_delay)
        if isinstance(ran, Following):
            ran = await _followed(socket, ran)
        await _send(socket, ran, wants_stderr=request.query.get("stderr") in ("true", "1"))
        # A client that knows both versions sees a real server drop the connection without a closing frame;
        # kubectl, which offers only version 5, takes anything but a proper end for a failure.
        if V4 in offered and socket.ws_protocol == V5 and request.transport is not None:
            request.transport.close()
        else:
            await socket.close(code=1000)
    except ConnectionError:
        # The client left before the end, which is its right.
        return socket
    finally:
        reader.cancel()
    return socket


async def follow_log(world: World, target: Target, request: web.Request) -> web.StreamResponse:
    """Send a log and what is added to it. Raises `Refused`."""
    with_times = request.query.get("timestamps") in ("true", "1")
    lines = answering.log(world, target.namespace, target.name, request.query)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    await response.prepare(request)
    query = {"container": request.query.get("container", "")}
    last = world.now
    try:
        while True:
            if lines:
                await response.write(answering.log_bytes(lines, with_times=with_times))
            await asyncio.sleep(_LOOK_AGAIN)
            every = answering.log(world, target.namespace, target.name, query)
            lines = [line for line in every if line.at > last]
            last = world.now
    except (ConnectionError, refusals.Refused):
        # Either side is gone.
        return response


async def _read(socket: web.WebSocketResponse) -> None:
    """Take what the client sends (nothing here has an input), and answer its pings."""
    async for message in socket:
        if message.type is WSMsgType.ERROR:
            return


async def _followed(socket: web.WebSocketResponse, following: Following) -> commands.Output:
    """Send what a command prints until its time is over; how it ended. Raises `ConnectionError`."""
    loop = asyncio.get_running_loop()
    end = loop.time() + following.seconds if following.seconds else None
    while end is None or loop.time() < end:
        if socket.closed:
            raise ConnectionResetError
        text = following.more()
        for start in range(0, len(text), _FRAME):
            await socket.send_bytes(_STDOUT + text[start : start + _FRAME])
        await asyncio.sleep(_STEP)
    return commands.Output(exit_code=following.ends_with)


async def _send(socket: web.WebSocketResponse, ran: Ran, *, wants_stderr: bool) -> None:
    if isinstance(ran, commands.Output):
        for start in range(0, len(ran.stdout), _FRAME):
            await socket.send_bytes(_STDOUT + ran.stdout[start : start + _FRAME])
        if ran.stderr and wants_stderr:
            await socket.send_bytes(_STDERR + ran.stderr)
    await socket.send_bytes(_STATUS + answering.encoded(_status(ran)))


def _status(ran: Ran) -> Json:
    if isinstance(ran, NoContainer):
        return _internal(f"unable to upgrade connection: {ran.message}")
    if isinstance(ran, commands.NoProgram):
        return _internal(f"error executing command in container: {ran.message}")
    if isinstance(ran, commands.Output) and ran.exit_code:
        code = ran.exit_code
        return {
            "metadata": {},
            "status": "Failure",
            "message": f"command terminated with non-zero exit code: exit status {code}",
            "reason": "NonZeroExitCode",
            "details": {"causes": [{"reason": "ExitCode", "message": str(code)}]},
        }
    return {"metadata": {}, "status": "Success"}


def _internal(cause: str) -> Json:
    message = f"Internal error occurred: {cause}"
    return {
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": "InternalError",
        "details": {"causes": [{"message": cause}]},
        "code": 500,
    }
