"""A server and a live source on it, for tests; nothing here waits long."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from playbooks.model.answer import Answer, End, Gap, Source, answer
from playbooks.model.request import AgentCommand, Request, Resource
from playbooks.sources.live import LiveSource, Patience
from tests.sources.apiserver import ApiServer

PODS = Resource("", "v1", "pods", "Pod")
SECRETS = Resource("", "v1", "secrets", "Secret")
POLICIES = Resource("cilium.io", "v2", "ciliumnetworkpolicies", "CiliumNetworkPolicy")
HASTY = Patience(
    command=5.0, dump=5.0, page=5.0, connect=2.0, first_pause=0.001, longest_pause=0.01, renewal=0.0
)


@asynccontextmanager
async def living(
    folder: Path,
    patience: Patience = HASTY,
    user: dict[str, Any] | None = None,
    server: ApiServer | None = None,
    **cluster: Any,
) -> AsyncIterator[tuple[ApiServer, LiveSource]]:
    """A running server and a source that reaches it."""
    async with server or ApiServer() as running:
        source = LiveSource(running.access(folder, user, **cluster), patience)
        try:
            yield running, source
        finally:
            await source.close()


def agent(*argv: str, node: str = "node-1", pod: str = "cilium-a", is_heavy: bool = False) -> AgentCommand:
    """A command in an agent."""
    return AgentCommand(node, "kube-system", pod, "cilium-agent", argv, is_heavy)


async def answered(source: Source, request: Request, look: int = 1) -> Answer:
    """The answer, which must be one."""
    got = await answer(source, request, look)
    assert isinstance(got, Answer), got
    return got


async def gap_of(source: Source, request: Request, look: int = 1) -> Gap:
    """The gap, which must be one."""
    got = await answer(source, request, look)
    assert isinstance(got, Gap), got
    return got


async def pieces_of(source: Source, request: Request, look: int = 1) -> tuple[list[bytes], End | Gap]:
    """All chunks and the ending, which must be the last and only one."""
    pieces = [piece async for piece in source.open(request, look)]
    *chunks, ending = pieces
    assert isinstance(ending, (End, Gap))
    assert all(isinstance(chunk, bytes) for chunk in chunks)
    return [chunk for chunk in chunks if isinstance(chunk, bytes)], ending
