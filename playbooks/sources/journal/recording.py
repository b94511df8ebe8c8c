"""A source that records what passes through it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from functools import partial

from playbooks.model.answer import End, Gap, Source
from playbooks.model.request import Objects, Request
from playbooks.sources.journal.bodies import Pressing
from playbooks.sources.journal.record import Answered, Missed
from playbooks.sources.journal.writing import Journal
from playbooks.sources.stream import Before, Closing

STDERR_LIMIT = 1024 * 1024
"""Bytes of standard error that are kept of one answer."""


class Recording(Before):
    """Passes every answer through unchanged and has a journal keep it.

    Put it outside everything that makes gaps of its own and inside the cache, so that replay gives the same.
    Closing it closes what it records, not the journal, which lives as long as the session.
    """

    def __init__(self, source: Source, journal: Journal) -> None:
        """Record `source` into `journal`."""
        super().__init__(source)
        self._journal = journal

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        """Yield what the source yields; of a reader who stops early, what was read is recorded."""
        keeping = _Keeping(self._journal, request, look)
        async with Closing(self._source.open(request, look)) as pieces:
            try:
                async for piece in pieces:
                    if isinstance(piece, bytes):
                        await keeping.feed(piece)
                    else:
                        keeping.finish(piece)
                    yield piece
            finally:
                keeping.give_up(self.now)


class _Keeping:
    """One answer on its way into the journal."""

    def __init__(self, journal: Journal, request: Request, look: int) -> None:
        self._journal, self._request, self._look = journal, request, look
        self._run = journal.current_run()
        self._pressing = Pressing()
        self._pages: list[int] = []
        self._is_finished = False

    async def feed(self, chunk: bytes) -> None:
        """Send a chunk to the journal's thread, which compresses it."""
        if isinstance(self._request, Objects):
            self._pages.append(len(chunk))
        self._journal.send(partial(self._pressing.feed, chunk), len(chunk))
        await self._journal.make_room()

    def finish(self, end: End | Gap) -> None:
        """Record how it ended."""
        self._is_finished = True
        if isinstance(end, Gap):
            self._journal.write(self._missed(end))
        else:
            self._journal.keep(self._pressing, self._answered(end))

    def give_up(self, now: datetime) -> None:
        """Record the beginning that was read, if that is all; the same reader will stop there again."""
        if not self._is_finished:
            end = End(self._request.command(), "", now, 0.0)
            self._journal.keep(self._pressing, self._answered(end, is_given_up=True))

    def _answered(self, end: End, *, is_given_up: bool = False) -> Answered:
        return Answered(
            at=self._journal.now(),
            by=self._journal.author,
            run=self._run,
            look=self._look,
            request=self._request,
            command=end.command,
            where=end.where,
            taken_at=end.taken_at,
            seconds=end.seconds,
            exit_code=end.exit_code,
            stderr=end.stderr[:STDERR_LIMIT],
            is_truncated=end.is_truncated or len(end.stderr) > STDERR_LIMIT,
            pages=tuple(self._pages) if len(self._pages) > 1 else (),
            is_given_up=is_given_up,
        )

    def _missed(self, gap: Gap) -> Missed:
        return Missed(
            at=self._journal.now(),
            by=self._journal.author,
            run=self._run,
            look=self._look,
            request=self._request,
            kind=gap.kind,
            detail=gap.detail,
            command=gap.command,
            remedy=gap.remedy,
            node=gap.node,
            taken_at=gap.taken_at,
        )
