"""Asks a source within one look: cheapest first, a bounded number at once, nothing twice."""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field

from playbooks.engine.kept import Kept
from playbooks.model.answer import Answer, End, Gap, GapKind, Source, answer
from playbooks.model.fact import Fact as AnyFact
from playbooks.model.fact import Reader, Unreadable
from playbooks.model.request import AgentCommand, Request

_KEPT = 256 * 1024
"""Bytes up to which an answer stays in memory for the look, for panes and second readers."""


@dataclass(slots=True)
class Turns:
    """A semaphore that lets the cheapest waiter in first."""

    free: int
    _waiting: list[tuple[int, int, asyncio.Future[None]]] = field(default_factory=list)
    _order: itertools.count[int] = field(default_factory=itertools.count)

    @asynccontextmanager
    async def turn(self, priority: int) -> AsyncIterator[None]:
        """Wait for a place; lower priority numbers go first."""
        if self.free <= 0 or self._waiting:
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heapq.heappush(self._waiting, (priority, next(self._order), place))
            self._let_in()
            try:
                await place
            except asyncio.CancelledError:
                if place.done() and not place.cancelled():
                    self.free += 1
                    self._let_in()
                raise
        else:
            self.free -= 1
        try:
            yield
        finally:
            self.free += 1
            self._let_in()

    def _let_in(self) -> None:
        while self.free > 0 and self._waiting:
            _, _, place = heapq.heappop(self._waiting)
            if not place.done():
                self.free -= 1
                place.set_result(None)


@dataclass(slots=True)
class Counts:
    """How far asking has come."""

    asked: int = 0
    """Requests begun or waiting."""
    answered: int = 0
    """Requests that ended with an answer."""
    failed: int = 0
    """Requests that ended with a gap."""


@dataclass(slots=True)
class Asking:
    """One look at one source."""

    source: Source
    """Who is asked."""
    look: int
    """The number of the look."""
    turns: Turns
    """Places, shared between looks."""
    is_urgent: Callable[[Request], bool] = lambda request: False
    """Whether a request goes before its equals: a node with a symptom, the target's nodes."""
    counts: Counts = field(default_factory=Counts)
    """Progress."""
    kept: Kept = field(default_factory=Kept)
    """The latest small answers and all gaps of this look, for panes and second readers."""
    commands: dict[str, Request] = field(default_factory=dict)
    """What was asked, by the command that evidence names."""
    _running: dict[Request, asyncio.Lock] = field(default_factory=dict)
    _agents: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def read(self, request: Request, reader: Reader) -> AnyFact | Gap:
        """Ask, and read the answer while it comes; garbage is the gap *unreadable*."""
        async with self._running.setdefault(request, asyncio.Lock()):
            kept = self.kept.get(request)
            if kept is None:
                return await self._ask(request, reader)
        return kept if isinstance(kept, Gap) else _read_whole(kept, reader)

    async def raw(self, request: Request) -> Answer | Gap:
        """The answer as it came, for a pane; from memory where it was kept."""
        kept = self.kept.get(request)
        if kept is not None:
            return kept
        async with self.turns.turn(self._priority(request)):
            return await answer(self.source, request, self.look)

    def _priority(self, request: Request) -> int:
        return request.cost * 2 + (0 if self.is_urgent(request) else 1)

    async def _ask(self, request: Request, reader: Reader) -> AnyFact | Gap:
        self.counts.asked += 1
        self.commands[request.command()] = request
        # A node's commands queue here, before they take a place: a few hanging nodes must not fill them all.
        queue = self._agents.setdefault(request.node, asyncio.Lock()) if _is_exec(request) else nullcontext()
        async with queue, self.turns.turn(self._priority(request)):
            result = await self._stream(request, reader)
        if isinstance(result, Gap):
            self.counts.failed += 1
            self.kept.miss(request, result)
        else:
            self.counts.answered += 1
        return result

    async def _stream(self, request: Request, reader: Reader) -> AnyFact | Gap:
        chunks: list[bytes] = []
        size = 0
        stream = self.source.open(request, self.look)
        try:
            async for piece in stream:
                if isinstance(piece, Gap):
                    return piece
                if isinstance(piece, End):
                    self.commands[piece.command] = request
                    if size <= _KEPT:
                        self.kept.keep(Answer(request, b"".join(chunks), piece))
                    return reader.finish(request, piece)
                size += len(piece)
                if size <= _KEPT:
                    chunks.append(piece)
                reader.feed(piece)
        except Unreadable as error:
            return _unreadable(request, error)
        finally:
            close = getattr(stream, "aclose", None)
            if close:
                await close()
        return Gap(GapKind.FAILED, "the answer ended without saying how", command=request.command())


def _is_exec(request: Request) -> bool:
    return isinstance(request, AgentCommand)


def _read_whole(whole: Answer, reader: Reader) -> AnyFact | Gap:
    try:
        reader.feed(whole.body)
        return reader.finish(whole.request, whole.end)
    except Unreadable as error:
        return _unreadable(whole.request, error)


def _unreadable(request: Request, error: Unreadable) -> Gap:
    return Gap(
        GapKind.UNREADABLE,
        str(error),
        command=request.command(),
        node=request.node,
        remedy="run the command by hand and look at what it prints",
    )
