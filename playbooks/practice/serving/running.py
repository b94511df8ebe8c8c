"""Starts and stops the servers of a practice cluster."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import yaml
from aiohttp import web

from playbooks.practice.serving import certificates
from playbooks.practice.serving.api import Api
from playbooks.practice.serving.recording import Recorded
from playbooks.practice.serving.relaying import relaying
from playbooks.practice.world import World

CONTEXT = "practice"
"""Name of the context in the kubeconfig."""


@dataclass(frozen=True, slots=True)
class Serving:
    """A practice cluster that is being served."""

    world: World
    """The world behind it."""
    url: str
    """Address of the Kubernetes API."""
    kubeconfig: Path
    """A kubeconfig for it."""
    token: str
    """The bearer token."""
    authority: bytes
    """The certificate authority, PEM."""
    requests: list[Recorded]
    """Every request so far."""
    peers: tuple[str, ...] = ()
    """Contexts of the other clusters of its mesh, in the same kubeconfig."""
    hubble: str = ""
    """Host and port of Relay, with TLS; empty where the cluster has none."""
    hubble_authority: Path | None = None
    """A file with the authority that signed Relay's certificate."""


@dataclass(frozen=True, slots=True)
class _Door:
    """One API server as a kubeconfig names it."""

    context: str
    """The context."""
    user: str
    """The user's name in the kubeconfig."""
    url: str
    """Its address."""
    token: str
    """Its token."""
    api: Api
    """The server."""


@contextlib.asynccontextmanager
async def serve(world: World, folder: Path, *, port: int = 0) -> AsyncIterator[Serving]:
    """Serve a world on loopback, with a kubeconfig in `folder`; its clock becomes the machine's.

    The other clusters of its mesh are served beside it, each with a context of its own.
    """
    certificate = certificates.make()
    async with contextlib.AsyncExitStack() as held:
        own = await held.enter_async_context(_served(world, certificate, CONTEXT, world.access.user, port))
        doors = [own]
        for peer in world.peers:
            context = f"{CONTEXT}-{peer.cluster}"
            user = f"{peer.access.user}-{peer.cluster}"
            doors.append(await held.enter_async_context(_served(peer, certificate, context, user, 0)))
        kubeconfig = folder / "kubeconfig"
        _write(kubeconfig, certificate.authority, doors)
        relay, trusted = own.api.relaying, folder / "hubble-ca.crt"
        if relay is not None:
            trusted.write_bytes(certificate.authority)
        yield Serving(
            world,
            own.url,
            kubeconfig,
            own.token,
            certificate.authority,
            own.api.requests,
            tuple(door.context for door in doors[1:]),
            relay.address if relay else "",
            trusted if relay else None,
        )


@contextlib.asynccontextmanager
async def _served(
    world: World, certificate: certificates.Certificates, context: str, user: str, port: int
) -> AsyncIterator[_Door]:
    world.shift_to(datetime.now(UTC))
    token = secrets.token_urlsafe(24)
    api = Api(world, token)
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
    await runner.setup()
    clock = asyncio.create_task(api.run_clock())
    try:
        await web.TCPSite(runner, certificates.HOST, port, ssl_context=certificate.context).start()
        async with relaying(world, api.catch_up, certificate.relay) as api.relaying:
            yield _Door(context, user, f"https://{certificates.HOST}:{runner.addresses[0][1]}", token, api)
    finally:
        clock.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await clock
        await runner.cleanup()


def _write(path: Path, authority: bytes, doors: list[_Door]) -> None:
    trusted = base64.b64encode(authority).decode()
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {"name": door.context, "cluster": {"server": door.url, "certificate-authority-data": trusted}}
            for door in doors
        ],
        "users": [{"name": door.user, "user": {"token": door.token}} for door in doors],
        "contexts": [
            {"name": door.context, "context": {"cluster": door.context, "user": door.user}} for door in doors
        ],
        "current-context": CONTEXT,
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)
