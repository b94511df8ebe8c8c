"""Watches: changes streamed as they happen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aiohttp import web

from playbooks.practice import answering, refusals
from playbooks.practice.access import Attempt
from playbooks.practice.answering import at_version, encoded, selected
from playbooks.practice.objects import Json, namespace_of
from playbooks.practice.selectors import BadSelector, Test, field_test, label_test
from playbooks.practice.serving import tables
from playbooks.practice.serving.targets import Target
from playbooks.practice.store import Change

if TYPE_CHECKING:
    from playbooks.practice.world import World

LONGEST = 1800.0
"""Seconds after which a watch is ended, unless the client says less."""
_BOOKMARK_EVERY = 60.0


class Watch:
    """One client's view of a collection."""

    def __init__(self, world: World, target: Target, request: web.Request) -> None:
        """Raises `Refused` for a selector that makes no sense or a watch that is not permitted."""
        kind = target.kind
        attempt = Attempt("watch", kind.group, kind.plural, namespace=target.namespace, name=target.name)
        refusals.require(world.access, attempt)
        self._world = world
        self._target = target
        self._query = dict(request.query)
        if target.name:
            self._query["fieldSelector"] = f"metadata.name={target.name}"
        self._is_table = tables.wanted(request.headers.get("Accept", ""))
        self._tests = self._read_selectors()
        self._seconds = answering.number(request.query, "timeoutSeconds") or LONGEST
        self._has_expired = False

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Send the present, if asked for, and then every change."""
        queue: asyncio.Queue[Change] = asyncio.Queue()
        stop = self._world.store.listen(queue.put_nowait)
        # Taken before anything is awaited: what happens from here on is in the queue, and only there.
        beginning = list(self._beginning())
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        try:
            for line in beginning:
                await response.write(line)
            if not self._has_expired:
                await self._follow(queue, response)
        except ConnectionError:
            # The client has seen enough.
            return response
        finally:
            stop()
        return response

    def _read_selectors(self) -> list[Test]:
        tests: list[Test] = []
        try:
            if self._query.get("labelSelector"):
                tests.append(label_test(self._query["labelSelector"]))
            if self._query.get("fieldSelector"):
                tests.append(field_test(self._query["fieldSelector"], self._target.kind))
        except BadSelector as error:
            raise refusals.bad_request(str(error)) from error
        return tests

    def _beginning(self) -> Iterator[bytes]:
        store, version = self._world.store, self._query.get("resourceVersion", "")
        wants_all = self._query.get("sendInitialEvents") in ("true", "1")
        if version in ("", "0") or wants_all:
            for item in selected(self._world, self._target.kind, self._target.namespace, self._query):
                yield self._event("ADDED", item)
            if wants_all:
                yield self._bookmark({"k8s.io/initial-events-end": "true"})
            return
        past = store.since(self._target.kind, int(version)) if version.isdigit() else None
        if past is None:
            self._has_expired = True
            text = f"too old resource version: {version}"
            yield encoded({"type": "ERROR", "object": refusals.status(410, "Expired", text)}) + b"\n"
            return
        for change in past:
            yield from self._events(change)

    async def _follow(self, queue: asyncio.Queue[Change], response: web.StreamResponse) -> None:
        loop = asyncio.get_running_loop()
        end = loop.time() + min(self._seconds, LONGEST)
        waiting = asyncio.create_task(queue.get())
        try:
            while (left := end - loop.time()) > 0:
                # Not `wait_for`: a change that comes just at the end would make it forget the end.
                done, _ = await asyncio.wait({waiting}, timeout=min(left, _BOOKMARK_EVERY))
                if done:
                    for line in self._events(waiting.result()):
                        await response.write(line)
                    waiting = asyncio.create_task(queue.get())
                elif self._query.get("allowWatchBookmarks") in ("true", "1"):
                    await response.write(self._bookmark({}))
        finally:
            waiting.cancel()

    def _events(self, change: Change) -> Iterator[bytes]:
        if change.kind.key != self._target.kind.key:
            return
        if self._target.namespace and namespace_of(change.item) != self._target.namespace:
            return
        is_in = change.type != "DELETED" and all(test(change.item) for test in self._tests)
        was_in = change.before is not None and all(test(change.before) for test in self._tests)
        if is_in:
            yield self._event("MODIFIED" if was_in else "ADDED", change.item)
        elif was_in:
            yield self._event("DELETED", change.item)

    def _event(self, type: str, item: Json) -> bytes:
        shown = at_version(self._target.kind, self._target.version, item)
        if self._is_table:
            metadata = {"resourceVersion": item["metadata"]["resourceVersion"]}
            included = self._query.get("includeObject", "Metadata")
            shown = tables.table(self._target.kind, [shown], metadata, self._world.now, included=included)
        return encoded({"type": type, "object": shown}) + b"\n"

    def _bookmark(self, annotations: Json) -> bytes:
        kind = self._target.kind
        metadata: Json = {"resourceVersion": str(self._world.store.version)}
        if annotations:
            metadata["annotations"] = annotations
        item = {"kind": kind.kind, "apiVersion": kind.at(self._target.version), "metadata": metadata}
        return encoded({"type": "BOOKMARK", "object": item}) + b"\n"
