"""The live cluster as a source."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Coroutine
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, TypeVar

from msgspec.structs import replace

from playbooks.model.answer import End, Gap
from playbooks.model.request import AgentCommand, ApiPath, ContainerLog, Objects, Request
from playbooks.sources.access import Access, CannotConnect
from playbooks.sources.access.proxy import without_userinfo
from playbooks.sources.live.exec import Exit, command
from playbooks.sources.live.images import Images
from playbooks.sources.live.lists import objects, raw
from playbooks.sources.live.logs import log
from playbooks.sources.live.patience import Patience, Pressure
from playbooks.sources.live.reviews import REVIEWS, Wish, review, version
from playbooks.sources.live.status import NoAnswer, Refused, no_answer
from playbooks.sources.live.transport import Transport

API_SERVER = "API server"

T = TypeVar("T")
"""What a question about ourselves is answered with."""


class LiveSource:
    """A cluster over its API server; only reads, over one HTTP session."""

    def __init__(self, access: Access, patience: Patience | None = None) -> None:
        """Opens nothing; `connect` does, and so does the first request."""
        self._transport = Transport(access, patience or Patience.of(access.options))
        self._images = Images(self._transport)

    @property
    def name(self) -> str:
        """The context's name."""
        return self.access.name

    @property
    def now(self) -> datetime:
        """The clock."""
        return datetime.now(UTC)

    @property
    def access(self) -> Access:
        """The way in, with the credentials in use."""
        return self._transport.access

    def listen(self, pressure: Pressure) -> None:
        """Tell `pressure` whenever the API server shows that it is asked too much."""
        self._transport.pressure = pressure

    async def connect(self) -> str:
        """Reach the API server once and return its version. Raises `CannotConnect`."""
        via = f" through proxy {without_userinfo(self.access.proxy)}" if self.access.proxy else ""
        where = f"{self.access.server}{via}"
        try:
            found = await version(self._transport, tries=1)
            if self.access.credentials.is_absent:
                # Anybody may ask for the version; this is the cheapest thing that nobody may not.
                await self._transport.read("/api", tries=1)
        except NoAnswer as error:
            raise CannotConnect(error.detail, where, error.remedy) from error
        except Refused as refused:
            raise self._not_let_in(refused, where) from refused
        return found

    def _not_let_in(self, refused: Refused, where: str) -> CannotConnect:
        if self.access.credentials.is_absent and refused.code in (401, 403):
            user = self.access.user_name
            what = f"context {self.name!r} has no credentials: user {user!r} is empty or missing"
            return CannotConnect(what, where, "log in, or mend the context's user in the kubeconfig")
        error = no_answer(ApiPath("/version"), refused)
        return CannotConnect(
            error.detail, where, error.remedy or "check the server's URL and what stands before it"
        )

    async def open(self, request: Request, look: int) -> AsyncGenerator[bytes | End | Gap, None]:  # noqa: ARG002
        """Yield the answer's chunks, then exactly one `End` or `Gap`."""
        taken_at, begin = self.now, time.monotonic()
        ending: Exit | None = None
        try:
            async with aclosing(self._pieces(request)) as pieces:
                async for piece in pieces:
                    if isinstance(piece, Exit):
                        ending = piece
                    else:
                        yield piece
        except Refused as refused:
            yield self._gap(request, no_answer(request, refused), taken_at)
        except NoAnswer as error:
            yield self._gap(request, error, taken_at)
        else:
            yield self._end(request, ending, taken_at, time.monotonic() - begin)

    def _pieces(self, request: Request) -> AsyncGenerator[bytes | Exit, None] | AsyncGenerator[bytes, None]:
        if isinstance(request, AgentCommand):
            return command(self._transport, self._images, request)
        if isinstance(request, Objects):
            return objects(self._transport, request)
        if isinstance(request, ContainerLog):
            return log(self._transport, request)
        return raw(self._transport, request)

    def _end(self, request: Request, ending: Exit | None, taken_at: datetime, seconds: float) -> End:
        where, prefix = _where(request), self.access.command_prefix
        if ending is None or not isinstance(request, AgentCommand):
            return End(request.command(prefix), where, taken_at, seconds)
        shown = replace(request, argv=ending.argv).command(prefix)
        return End(shown, where, taken_at, seconds, ending.code, ending.stderr, ending.is_truncated)

    def _gap(self, request: Request, error: NoAnswer, taken_at: datetime) -> Gap:
        shown = request.command(self.access.command_prefix)
        return Gap(error.kind, error.detail, shown, error.remedy, request.node, taken_at)

    async def may(
        self, verb: str, group: str, resource: str, subresource: str = "", namespace: str = "", name: str = ""
    ) -> bool | Gap:
        """Whether we may do this, by the API server's own word (SelfSubjectAccessReview)."""
        wish = Wish(verb, resource, group, subresource, namespace, name)
        shown = f"{self.access.command_prefix} {wish.question()}"
        return await self._asked(review(self._transport, wish), REVIEWS, shown)

    async def version(self) -> str | Gap:
        """The API server's version, such as `v1.34.4`."""
        request = ApiPath("/version")
        return await self._asked(
            version(self._transport), request.path, request.command(self.access.command_prefix)
        )

    async def _asked(self, question: Coroutine[Any, Any, T], path: str, shown: str) -> T | Gap:
        taken_at = self.now
        try:
            return await question
        except Refused as refused:
            error = no_answer(ApiPath(path), refused)
        except NoAnswer as no:
            error = no
        return Gap(error.kind, error.detail, shown, error.remedy, taken_at=taken_at)

    async def pause(self, seconds: float) -> None:
        """Let this much time pass."""
        await asyncio.sleep(seconds)

    async def close(self) -> None:
        """Close the session."""
        await self._transport.close()


def _where(request: Request) -> str:
    if isinstance(request, (AgentCommand, ContainerLog)):
        return "/".join(filter(None, (request.node_name, request.namespace, request.pod)))
    return API_SERVER
