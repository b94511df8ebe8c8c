"""The Kubernetes API: from a request to an answer of the world."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from aiohttp import web

from playbooks.practice import answering, discovery, refusals, writing
from playbooks.practice.access import Attempt
from playbooks.practice.objects import Json
from playbooks.practice.refusals import Refused
from playbooks.practice.serving import openapi, reviews, tables
from playbooks.practice.serving.bodies import body_of
from playbooks.practice.serving.changing import change
from playbooks.practice.serving.forwarding import forward
from playbooks.practice.serving.recording import READING, Recorded
from playbooks.practice.serving.relaying import Relaying
from playbooks.practice.serving.streams import follow_log, run_command
from playbooks.practice.serving.targets import Target, target_of
from playbooks.practice.serving.watching import Watch

if TYPE_CHECKING:
    from playbooks.practice.world import World

_PUBLIC = frozenset({"/version", "/healthz", "/livez", "/readyz"})
_STEP = 0.2


class Api:
    """Answers requests over a world whose clock runs with the machine's."""

    def __init__(self, world: World, token: str) -> None:
        """Only requests with the token are answered."""
        self.world = world
        self.requests: list[Recorded] = []
        self.relaying: Relaying | None = None
        self._token = token
        self._last = asyncio.get_running_loop().time()

    def catch_up(self) -> None:
        """Let as much time pass in the world as has passed outside."""
        now = asyncio.get_running_loop().time()
        if now - self._last >= _STEP:
            passed, self._last = timedelta(seconds=now - self._last), now
            self.world.advance(passed.total_seconds())

    async def run_clock(self) -> None:
        """Keep the world's clock going, so that watches see what happens."""
        while True:
            await asyncio.sleep(_STEP)
            self.catch_up()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request, and record it."""
        status = 500
        try:
            self.catch_up()
            self._authenticate(request)
            response = await self._answer(request)
            status = response.status
            return response
        except Refused as refusal:
            status = refusal.code
            return _json(refusal.body, status)
        finally:
            self.requests.append(Recorded.of(request, status))

    def _authenticate(self, request: web.Request) -> None:
        # A wrong token is refused everywhere, also where none is needed.
        if request.path in _PUBLIC and "Authorization" not in request.headers:
            return
        if request.headers.get("Authorization") != f"Bearer {self._token}":
            raise refusals.unauthorized()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.startswith("/openapi/"):
            return self._openapi(request.path)
        if "/selfsubject" in request.path and request.method == "POST":
            return _json(reviews.review(self.world.access, request.path, await body_of(request)), 201)
        target = target_of(self.world, request.path)
        if target is None:
            answer = discovery.document(self.world, request.path)
            return web.Response(text=answer) if isinstance(answer, str) else _json(answer)
        if target.subresource == "exec":
            return await self._exec(target, request)
        if target.subresource == "portforward":
            return await forward(self.world, target, request, self.relaying)
        if request.method not in READING:
            status, body = await change(self.world, target, request)
            return self._one(target, body, request, status)
        return await self._read(target, request)

    async def _read(self, target: Target, request: web.Request) -> web.StreamResponse:
        if target.subresource == "log":
            return await self._log(target, request)
        if request.query.get("watch") in ("true", "1"):
            return await Watch(self.world, target, request).stream(request)
        if target.name:
            item = answering.one(self.world, target.kind, target.version, target.namespace, target.name)
            if target.subresource == "scale":
                item = writing.scale_of(target.kind, item)
            return self._one(target, item, request)
        page = answering.page(self.world, target.kind, target.version, target.namespace, request.query)
        if tables.wanted(request.headers.get("Accept", "")):
            included = request.query.get("includeObject", "Metadata")
            page = tables.table(
                target.kind, page["items"], page["metadata"], self.world.now, included=included
            )
        return _json(page)

    async def _exec(self, target: Target, request: web.Request) -> web.StreamResponse:
        if request.method != "GET":
            attempt = Attempt("create", "", "pods", "exec", target.namespace, target.name)
            refusals.require(self.world.access, attempt)
            raise refusals.bad_request("only websockets are served here; use a newer kubectl")
        return await run_command(self.world, target, request)

    async def _log(self, target: Target, request: web.Request) -> web.StreamResponse:
        if request.query.get("follow") in ("true", "1"):
            return await follow_log(self.world, target, request)
        lines = answering.log(self.world, target.namespace, target.name, request.query)
        with_times = request.query.get("timestamps") in ("true", "1")
        return web.Response(body=answering.log_bytes(lines, with_times=with_times), content_type="text/plain")

    def _one(self, target: Target, item: Json, request: web.Request, status: int = 200) -> web.Response:
        is_object = item.get("kind") == target.kind.kind
        if is_object and request.method in READING and tables.wanted(request.headers.get("Accept", "")):
            metadata = {"resourceVersion": item["metadata"]["resourceVersion"]}
            included = request.query.get("includeObject", "Metadata")
            return _json(tables.table(target.kind, [item], metadata, self.world.now, included=included))
        return _json(item, status)

    def _openapi(self, path: str) -> web.Response:
        if path == "/openapi/v3":
            return _json(openapi.index(self.world))
        found = openapi.document(self.world, path.removeprefix("/openapi/v3/"))
        if found is None:
            raise refusals.no_resource()
        return _json(found)


def _json(body: object, status: int = 200) -> web.Response:
    return web.Response(body=answering.encoded(body), status=status, content_type="application/json")
