"""A source that asks the API server whether we may, and runs nothing in any container."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import NamedTuple, Protocol

from playbooks.model.answer import End, Gap, GapKind, Source
from playbooks.model.request import AgentCommand, ApiPath, ContainerLog, Objects, Request

ALLOWED = "allowed, and not run by doctor"
"""Detail of the gap for a command or log that could be had."""


class Reviewer(Protocol):
    """Something that knows what we may do: the live source."""

    async def may(
        self, verb: str, group: str, resource: str, subresource: str = "", namespace: str = "", name: str = ""
    ) -> bool | Gap:
        """Whether we may do this."""


class Wish(NamedTuple):
    """Something one may or may not do."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""

    def __str__(self) -> str:
        """As a person says it."""
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        group = f".{self.group}" if self.group else ""
        where = f"in namespace {self.namespace}" if self.namespace else "in the whole cluster"
        return f"{self.verb} {what}{group} {where}"

    @property
    def command(self) -> str:
        """How a person asks the same."""
        group = f".{self.group}" if self.group else ""
        subresource = f" --subresource={self.subresource}" if self.subresource else ""
        where = f"-n {self.namespace}" if self.namespace else "-A"
        return f"kubectl auth can-i {self.verb} {self.resource}{group}{subresource} {where}"


def wishes(request: Request) -> tuple[Wish, ...]:
    """What a request needs to be allowed."""
    match request:
        case Objects():
            verb = "get" if request.name else "list"
            return (Wish(verb, request.resource.group, request.resource.plural, "", request.namespace),)
        case AgentCommand():
            return tuple(Wish(verb, "", "pods", "exec", request.namespace) for verb in ("get", "create"))
        case ContainerLog():
            return (Wish("get", "", "pods", "log", request.namespace),)
        case ApiPath():
            return ()


class Reviewing:
    """Answers reads of objects that are allowed; all else becomes a gap that says whether it could be had."""

    def __init__(self, source: Source, reviewer: Reviewer) -> None:
        """Stand before `source`."""
        self._source = source
        self._reviewer = reviewer
        self._asked: dict[Wish, asyncio.Task[bool | Gap]] = {}

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self._source.name

    @property
    def now(self) -> datetime:
        """The cluster's time."""
        return self._source.now

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        """Yield the answer, or the gap."""
        for wish in wishes(request):
            allowed = await self._may(wish)
            if isinstance(allowed, Gap):
                yield allowed
                return
            if not allowed:
                yield Gap(GapKind.FORBIDDEN, f"you may not {wish}", wish.command, node=request.node)
                return
        if isinstance(request, (AgentCommand, ContainerLog)):
            yield Gap(GapKind.TOO_COSTLY, ALLOWED, node=request.node)
            return
        async for piece in self._source.open(request, look):
            yield piece

    async def _may(self, wish: Wish) -> bool | Gap:
        if wish not in self._asked:
            verb, group, resource, subresource, namespace = wish
            question = self._reviewer.may(verb, group, resource, subresource, namespace)
            self._asked[wish] = asyncio.ensure_future(question)
        return await self._asked[wish]

    async def pause(self, seconds: float) -> None:
        """Let time pass as the source does."""
        await self._source.pause(seconds)

    async def close(self) -> None:
        """Close the source."""
        await self._source.close()
