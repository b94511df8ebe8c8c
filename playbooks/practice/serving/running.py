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


@contextlib.asynccontextmanager
async def serve(world: World, folder: Path, *, port: int = 0) -> AsyncIterator[Serving]:
    """Serve a world on loopback, with a kubeconfig in `folder`; its clock becomes the machine's."""
    world.shift_to(datetime.now(UTC))
    certificate = certificates.make()
    token = secrets.token_urlsafe(24)
    api = Api(world, token)
    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", api.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2, handler_cancellation=True)
    await runner.setup()
    clock = asyncio.create_task(api.run_clock())
    try:
        await web.TCPSite(runner, certificates.HOST, port, ssl_context=certificate.context).start()
        url = f"https://{certificates.HOST}:{runner.addresses[0][1]}"
        kubeconfig = folder / "kubeconfig"
        _write(kubeconfig, url, certificate.authority, token, world.access.user)
        yield Serving(world, url, kubeconfig, token, certificate.authority, api.requests)
    finally:
        clock.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await clock
        await runner.cleanup()


def _write(path: Path, url: str, authority: bytes, token: str, user: str) -> None:
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": CONTEXT,
                "cluster": {
                    "server": url,
                    "certificate-authority-data": base64.b64encode(authority).decode(),
                },
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": CONTEXT, "context": {"cluster": CONTEXT, "user": user}}],
        "current-context": CONTEXT,
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(descriptor, 0o600)
    with os.fdopen(descriptor, "w") as file:
        yaml.safe_dump(config, file, sort_keys=False)
