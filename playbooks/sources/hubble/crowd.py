"""Many nodes asked by commands in their agents, as if they were one connection: our own small Relay."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import aclosing
from typing import Protocol

from playbooks.model.answer import Gap, GapKind
from playbooks.model.hubble.proto import observer_pb2, relay_pb2
from playbooks.model.hubble.seen.order import Merge
from playbooks.model.request import AgentCommand
from playbooks.model.text import decoded
from playbooks.sources.hubble.api import Api
from playbooks.sources.hubble.broken import Broken
from playbooks.sources.hubble.feed import Late
from playbooks.sources.hubble.places import AgentPlace
from playbooks.sources.hubble.seen import Seen
from playbooks.sources.hubble.wish import Wish
from playbooks.sources.live.exec import Exit, command
from playbooks.sources.live.status import NoAnswer, Refused, no_answer

Message = (
    observer_pb2.GetFlowsResponse | observer_pb2.GetAgentEventsResponse | observer_pb2.GetDebugEventsResponse
)
"""What the three streams consist of."""
LINE_LIMIT = 32 * 1024 * 1024
"""Bytes of a line; a longer one is none."""
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0
TICK = 0.25


class Lines(Protocol):
    """How one kind of command is asked and read."""

    def argv(self, wish: Wish) -> tuple[str, ...]:
        """The command."""

    def message(self, place: AgentPlace, line: bytes) -> Message | None:
        """What a line of its output tells; nothing for a line that tells nothing."""


class Crowd:
    """A feed of several agents; each runs as a task on the API's loop, messages cross by a queue."""

    def __init__(
        self, api: Api, places: Sequence[AgentPlace], lines: Lines, wish: Wish, merge: Merge | None = None
    ) -> None:
        """`detail` says what this cannot show; nothing runs before `start`."""
        self.detail = ""
        self._api = api
        self._places = places
        self._lines = lines
        self._wish = wish
        self._merge = merge or Merge()
        self._queue: queue.SimpleQueue[bytes | Broken | None] = queue.SimpleQueue()
        self._end: Callable[[], object] = lambda: None
        self._gaps: dict[AgentPlace, Gap] = {}
        self._is_heard = False

    def start(self) -> None:
        """Let the commands run."""
        self._end = self._api.begin(self._all)

    def __iter__(self) -> Iterator[bytes]:
        """The messages. Raises `Broken` when the last agent is gone."""
        while (message := self._queue.get()) is not None:
            if isinstance(message, Broken):
                raise message
            yield message

    def oldest(self) -> Mapping[str, int] | None:
        """Asking every agent once more would cost a command each."""
        return None

    def stop(self) -> None:
        """Read no more of it."""
        self._queue.put(None)

    def close(self) -> None:
        """End all commands."""
        self._end()
        self._queue.put(None)

    async def _all(self) -> None:
        """Run until nobody is left."""
        tick = asyncio.create_task(self._ticks())
        try:
            await asyncio.gather(*map(self._one, self._places))
        finally:
            tick.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await tick
            self._pass(*self._merge.rest())
            self._queue.put(self._ending())

    def _pass(self, raws: tuple[bytes, ...], late: frozenset[int]) -> None:
        for place, raw in enumerate(raws):
            self._queue.put(Late(raw) if place in late else raw)

    def _ending(self) -> Broken | None:
        """Why it is over: nothing when all was told."""
        if not self._gaps or (not self._wish.is_followed and len(self._gaps) < len(self._places)):
            return None
        gap = next(iter(self._gaps.values()))
        return Broken(gap, is_final=not self._is_heard and gap.kind is not GapKind.UNREACHABLE)

    async def _ticks(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self._pass(*self._merge.due(time.time_ns()))

    async def _one(self, place: AgentPlace) -> None:
        """One agent: again after a break, for as long as another one is there."""
        seen, pause, wish = Seen(self._wish.call), FIRST_PAUSE, self._wish
        while True:
            gap = await self._run(place, wish, seen)
            if gap is None or not self._wish.is_followed:
                if gap is not None:
                    self._lost(place, gap)
                return
            if gap.kind is not GapKind.TIMED_OUT:
                self._lost(place, gap)
                if len(self._gaps) == len(self._places) or gap.kind is not GapKind.UNREACHABLE:
                    return
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            # Commands are not left alone for ever: each ends after some minutes, and another takes its place.
            since = seen.broke()
            wish = self._wish if since is None else self._wish.since(since)
            seen.resumed(None, time.time_ns())

    async def _run(self, place: AgentPlace, wish: Wish, seen: Seen) -> Gap | None:
        """One command, from its start to its end: why it broke off, nothing when it ended by itself."""
        request = AgentCommand(
            place.node, place.namespace, place.pod, place.container, self._lines.argv(wish), is_heavy=True
        )
        try:
            async with aclosing(command(self._api.transport, self._api.images, request)) as pieces:
                async for line in _split(pieces):
                    if isinstance(line, Exit):
                        return _ended(line, request)
                    self._take(place, line, seen)
        except Refused as refused:
            error = no_answer(request, refused)
            return Gap(error.kind, error.detail, request.command(), error.remedy, place.node)
        except NoAnswer as error:
            return Gap(error.kind, error.detail, request.command(), error.remedy, place.node)
        return None

    def _take(self, place: AgentPlace, line: bytes, seen: Seen) -> None:
        message = self._lines.message(place, line)
        if message is None:
            return
        now = time.time_ns()
        raw = message.SerializeToString()
        if place in self._gaps:
            del self._gaps[place]
            self._tell(relay_pb2.NODE_CONNECTED, place, "")
        self._is_heard = True
        is_new, _ = seen.judged(raw, now) if seen.is_overlapping else (True, [])
        if is_new:
            seen.note(raw, now)
            seen.remember(raw)
            self._merge.add(raw, message.time.ToNanoseconds(), now)

    def _lost(self, place: AgentPlace, gap: Gap) -> None:
        if place not in self._gaps:
            self._tell(relay_pb2.NODE_UNAVAILABLE, place, gap.detail)
        self._gaps[place] = gap

    def _tell(self, state: relay_pb2.NodeState.ValueType, place: AgentPlace, message: str) -> None:
        """What Relay would say."""
        status = relay_pb2.NodeStatusEvent(state_change=state, node_names=[place.node], message=message)
        told = observer_pb2.GetFlowsResponse(node_status=status)
        told.time.GetCurrentTime()
        self._queue.put(told.SerializeToString())


def _ended(end: Exit, request: AgentCommand) -> Gap | None:
    if end.code == 0:
        return None
    words = " ".join(decoded(end.stderr[-2000:]).split())[-300:]
    what = f"`{' '.join(end.argv[:2])}` on node {request.node} ended with exit code {end.code}: {words}"
    return Gap(GapKind.FAILED, what, request.command(), node=request.node)


async def _split(pieces: AsyncIterator[bytes | Exit]) -> AsyncIterator[bytes | Exit]:
    """Lines, then the exit."""
    rest = bytearray()
    async for piece in pieces:
        if isinstance(piece, Exit):
            if rest:
                yield bytes(rest)
            yield piece
            return
        if b"\n" not in piece:
            rest += piece[: LINE_LIMIT - len(rest)]
            continue
        *whole, last = piece.split(b"\n")
        whole[0] = bytes(rest) + whole[0]
        rest = bytearray(last)
        for line in whole:
            yield line
