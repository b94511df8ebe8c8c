"""Relay of a practice cluster: one gRPC server, at an address with TLS and at sockets for port-forwards."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import tempfile
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from playbooks.practice import agents
from playbooks.practice.catalog import CONFIG_MAPS
from playbooks.practice.objects import labels_of
from playbooks.practice.serving import certificates

if TYPE_CHECKING:
    from playbooks.practice.hubble.past import Past
    from playbooks.practice.objects import Json
    from playbooks.practice.runs import PodRun
    from playbooks.practice.world import World

PORT = 4245
"""Where Relay listens in its pod."""
APP = "hubble-relay"
"""Relay's label, container and service."""
_PATIENCE = 5.0


@dataclass(frozen=True, slots=True)
class Relaying:
    """Where Relay of one cluster is reached."""

    address: str
    """Host and port, with TLS."""
    plain: str
    """A socket without TLS."""
    secured: str
    """A socket with TLS."""

    def socket(self, world: World) -> str:
        """The one that leads to Relay as it is configured now."""
        item = world.store.get(CONFIG_MAPS, "kube-system", f"{APP}-config")
        config: Json = yaml.safe_load(item["data"]["config.yaml"]) if item else {}
        return self.plain if config.get("disable-server-tls", False) else self.secured


@contextlib.asynccontextmanager
async def relaying(
    world: World, catch_up: Callable[[], None], pair: certificates.Pair
) -> AsyncIterator[Relaying | None]:
    """Serve Relay of a world, where the cluster was set up with one; `catch_up` brings the world to now."""
    if "hubble" not in world.profile.manifests:
        yield None
        return
    # gRPC takes a while to import, and not every cluster has a Relay.
    from playbooks.practice.hubble.observers import Relay
    from playbooks.practice.hubble.past import past_of
    from playbooks.practice.hubble.service import Server, Service

    loop = asyncio.get_running_loop()

    def seen() -> Past:
        catch_up()
        runs = [run for run in world.runs.values() if is_relay(run)]
        if not runs:
            raise RuntimeError("no pod of hubble-relay is running")
        past = past_of(world)
        if any(agents.knows_peers(run) for run in runs):
            return past
        # Who the agents are Relay learns from the one on its own node.
        return replace(past, watched={}, away=())

    def look() -> Past:
        found: concurrent.futures.Future[Past] = concurrent.futures.Future()
        # The world belongs to the loop; who serves a call waits for it in a thread of its own.
        loop.call_soon_threadsafe(_fill, found, seen)
        try:
            return found.result(_PATIENCE)
        except TimeoutError as error:
            raise RuntimeError("the practice cluster does not answer") from error

    # A folder of its own: the path of a socket may not be long.
    with tempfile.TemporaryDirectory(prefix="hg-") as folder:
        plain, secured = (str(Path(folder) / name) for name in ("plain.sock", "tls.sock"))
        server = Server(Service(Relay(world, world.hubble.encoder(world)), look))
        own = pair.certificate, pair.key
        server.listen(f"unix:{plain}")
        server.listen(f"unix:{secured}", own)
        port = server.listen(f"{certificates.HOST}:0", own)
        server.start()
        try:
            yield Relaying(f"{certificates.HOST}:{port}", plain, secured)
        finally:
            # In a thread: streams that end may still want to look.
            await asyncio.to_thread(server.stop)


def _fill(found: concurrent.futures.Future[Past], ask: Callable[[], Past]) -> None:
    try:
        found.set_result(ask())
    except Exception as error:  # noqa: BLE001  whoever waits for it has to hear of it
        found.set_exception(error)


def is_relay(run: PodRun) -> bool:
    """Whether a pod is one of Relay's, and its program runs."""
    container = run.containers.get(APP)
    return labels_of(run.pod).get("k8s-app") == APP and container is not None and container.is_running
