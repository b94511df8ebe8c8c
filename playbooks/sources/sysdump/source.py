"""A sysdump, or the bugtool output of one agent, as a source: the same answers from other files."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from datetime import datetime
from pathlib import Path

from playbooks.model.answer import GapKind
from playbooks.model.request import AgentCommand, ContainerLog, Objects, Request
from playbooks.sources.stream import Piece
from playbooks.sources.sysdump.answers import Pieces, agent_command, api_path, container_log
from playbooks.sources.sysdump.archive import Archive
from playbooks.sources.sysdump.asked import Asked
from playbooks.sources.sysdump.freeing import give_back
from playbooks.sources.sysdump.objects import objects
from playbooks.sources.sysdump.pages import Readers
from playbooks.sources.sysdump.trouble import Damaged

ONE_LOOK = "one look"
"""Detail of the gap for every look but the first."""


class SysdumpSource:
    """Answers from an archive: a `cilium-sysdump` zip, the folder it unpacks to, or a `cilium-bugtool` tar.

    Files are read where they lie, when they are asked for; nothing is unpacked to the disk. What is secret in
    them is not taken out here: put a `Scrubber` around it, as around a live cluster.
    """

    def __init__(self, path: Path) -> None:
        """Open an archive; a packed tar takes as long as unpacking. Raises `UnreadableArchive`."""
        give_back()
        self._archive = Archive(path)
        self._name = self._archive.cluster
        self._readers = Readers()

    @property
    def name(self) -> str:
        """The cluster's name, or the archive's where nobody named the cluster."""
        return self._name

    @property
    def now(self) -> datetime:
        """When the collection began, UTC."""
        return self._archive.taken_at()

    @property
    def kubectl(self) -> str:
        """What commands begin with; nothing tells through which context the archive was collected."""
        return "kubectl"

    @property
    def looks(self) -> int:
        """How many looks were taken: a sysdump is one."""
        return 1

    @property
    def problems(self) -> tuple[str, ...]:
        """What is wrong with the archive as a whole, one sentence each."""
        return self._archive.problems

    @property
    def files(self) -> tuple[str, ...]:
        """The path of every file in the archive."""
        return tuple(self._archive.container.index.paths())

    async def open(self, request: Request, look: int) -> AsyncGenerator[Piece, None]:
        """Yield what the archive holds of this, or the gap that says what it lacks."""
        asked = Asked(self._archive, request)
        if look != 1:
            yield asked.gap(GapKind.NOT_RECORDED, ONE_LOOK, "a sysdump is one look; record a live cluster")
            return
        if isinstance(request, Objects):
            async with aclosing(objects(asked, request, self._readers)) as answer:
                async for piece in answer:
                    yield piece
            return
        pieces = _pieces(asked, request)
        try:
            # Not closed when given up: the thread may be within it, and there is nothing to let go of.
            while (told := await asyncio.to_thread(_next, pieces)) is not None:
                yield told
        except Damaged as error:
            yield asked.unreadable(error)

    async def pause(self, seconds: float) -> None:
        """Do nothing: there is no second look to wait for."""

    async def close(self) -> None:
        """Close the archive and end what reads it."""
        self._readers.close()
        self._archive.close()


def _next(pieces: Pieces) -> Piece | None:
    return next(pieces, None)


def _pieces(asked: Asked, request: Request) -> Pieces:
    match request:
        case AgentCommand():
            return agent_command(asked, request)
        case ContainerLog():
            return container_log(asked, request)
        case Objects():
            raise TypeError("objects are answered elsewhere")
    return api_path(asked, request)
