"""Answers for lists of objects and single ones, from YAML."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from playbooks.model.answer import Gap, GapKind
from playbooks.model.request import Objects, Resource
from playbooks.sources.stream import Piece
from playbooks.sources.sysdump.asked import Asked, pattern_of
from playbooks.sources.sysdump.container import Member
from playbooks.sources.sysdump.kinds import Holding, holding_of
from playbooks.sources.sysdump.listed import Listed
from playbooks.sources.sysdump.pages import SMALL, Batch, Page, Readers
from playbooks.sources.sysdump.selecting import BadSelector, Selection
from playbooks.sources.sysdump.trouble import Damaged

_AHEAD = 2
"""Batches that are read while one is waited for."""


@dataclass(slots=True)
class _State:
    """How far the answer has come."""

    reading: str = ""
    found: int = 0
    is_truncated: bool = False


async def objects(asked: Asked, request: Objects, readers: Readers) -> AsyncGenerator[Piece, None]:
    """Yield pages or the one object, then how it ended."""
    state = _State()
    try:
        selection = Selection.of(request)
        plan = await asyncio.to_thread(_plan, asked, request)
        if isinstance(plan, Gap):
            yield plan
            return
        holding, members = plan
        state.is_truncated = not holding.is_whole or any(not member.size for member in members)
        for member in filter(lambda member: member.size, members):
            state.reading = member.path
            async with aclosing(_pages(asked, request, member, selection, readers, state)) as pages:
                async for page in pages:
                    if page.objects and request.name:
                        yield _single(page, request.resource)
                        yield asked.end(member)
                        return
                    if page.objects:
                        yield _list(page.objects, request.resource)
    except BadSelector as error:
        yield asked.gap(GapKind.FAILED, str(error))
        return
    except Damaged as error:
        yield asked.unreadable(error, state.reading.rpartition("/")[2])
        return
    if request.name:
        yield _not_there(asked, request, holding, state)
        return
    if not state.found:
        yield _list((), request.resource)
    yield asked.end(*members, is_truncated=state.is_truncated)


def _plan(asked: Asked, request: Objects) -> tuple[Holding, list[Member]] | Gap:
    """The files to be read, or why none is. Raises `Damaged`."""
    archive, resource = asked.archive, request.resource
    if resource.kind == "Secret":
        return asked.missing("is not asked for Secrets, which are never read", "")
    if archive.layout.is_bugtool:
        return asked.missing("holds one agent's output of cilium-bugtool and no Kubernetes objects")
    holding = holding_of(resource, archive.layout.files)
    if not holding.names:
        return asked.missing(f"never holds {resource.plural}: `cilium sysdump` does not collect them")
    members = [member for name in holding.names if (member := archive.file(name))]
    if any(member.size for member in members):
        return holding, members
    if complaint := archive.complaints.about_list(resource):
        return asked.gap(*complaint)
    if members:
        return asked.missing(f"holds {members[0].path} with 0 bytes: the collector could not write it")
    return asked.missing(f"holds no {pattern_of(holding.names[0])}")


async def _pages(
    asked: Asked, request: Objects, member: Member, selection: Selection, readers: Readers, state: _State
) -> AsyncGenerator[Page, None]:
    """The wanted objects of a file, in its order. Raises `Damaged`."""
    listed = Listed(asked.archive.cursor(member))
    batches = listed.batches()
    waiting: deque[asyncio.Task[Page]] = deque()
    try:
        while (texts := await asyncio.to_thread(next, batches, None)) is not None:
            if not listed.is_list and listed.kind != request.resource.kind:
                raise Damaged(f"it holds neither a list of {request.resource.plural} nor one of them")
            batch = Batch(tuple(texts), listed.is_list, selection)
            waiting.append(asyncio.create_task(readers.read(batch, is_large=member.size > SMALL)))
            if len(waiting) > _AHEAD:
                yield _counted(await waiting.popleft(), request.resource, state)
        while waiting:
            yield _counted(await waiting.popleft(), request.resource, state)
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
    kind = request.resource.kind
    if listed.kind not in ("", kind, f"{kind}List", "List"):
        raise Damaged(f"it holds a {listed.kind[:80]} and not {request.resource.plural}")
    state.is_truncated = state.is_truncated or listed.is_cut


def _counted(page: Page, resource: Resource, state: _State) -> Page:
    for kind in page.kinds:
        if kind not in ("", resource.kind):
            raise Damaged(f"it holds a {kind[:80]} among {resource.plural}")
    state.found += len(page.objects)
    return page


def _list(items: tuple[bytes, ...], resource: Resource) -> bytes:
    return b'{"kind":"%sList","items":[%s]}\n' % (resource.kind.encode(), b",".join(items))


def _single(page: Page, resource: Resource) -> bytes:
    """An object alone, with the type that built-in kinds lack in a list."""
    text = page.objects[0]
    if page.kinds[0]:
        return text + b"\n"
    version = f"{resource.group}/{resource.version}".lstrip("/")
    return b'{"kind":"%s","apiVersion":"%s",%s\n' % (resource.kind.encode(), version.encode(), text[1:])


def _not_there(asked: Asked, request: Objects, holding: Holding, state: _State) -> Gap:
    """Why a single object is missing: it was not in the cluster, or it is one that is not collected."""
    place = f"{request.namespace}/{request.name}".lstrip("/")
    if holding.is_whole and not state.is_truncated:
        return asked.gap(GapKind.NOT_FOUND, f"no {request.resource.kind} {place} in {state.reading}")
    names = ", ".join(map(pattern_of, holding.names))
    return asked.missing(f"holds no {request.resource.kind} {place} (looked in {names})")
