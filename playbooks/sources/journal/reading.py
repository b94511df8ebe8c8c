"""A recorded session as a source: the same answers again, and gaps for what was never asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from playbooks.model.answer import End, Gap, GapKind
from playbooks.model.request import Request
from playbooks.sources.journal.bodies import paged, pieces
from playbooks.sources.journal.contents import Run, question, read_contents
from playbooks.sources.journal.folder import open_plain
from playbooks.sources.journal.record import BODIES, Answered, Missed, Note
from playbooks.sources.journal.trouble import UnreadableJournal

ONE_LOOK = "one look"
"""Detail of the gap for a look that was never taken."""


class JournalSource:
    """Answers from one run of a recorded session; its looks count from 1, whatever their numbers were."""

    def __init__(self, folder: Path, run: int | None = None) -> None:
        """Open a journal at a run, or at the last one that holds an answer. Raises `UnreadableJournal`."""
        self._contents = read_contents(folder, run)
        self._looks = tuple(sorted({look for look, _ in self._contents.told}))
        self._file = self._open_bodies(folder)

    @property
    def name(self) -> str:
        """The cluster's name."""
        return self._contents.session.cluster

    @property
    def now(self) -> datetime:
        """When the newest answer of the run was taken."""
        times = [told.taken_at for told in self._contents.told.values() if told.taken_at]
        run = self._contents.runs.get(self.run)
        return max(times, default=run.began if run else self._contents.session.at)

    @property
    def kubectl(self) -> str:
        """What commands begin with."""
        return self._contents.session.kubectl

    @property
    def product(self) -> str:
        """Version of the program that recorded."""
        return self._contents.session.product

    @property
    def run(self) -> int:
        """The run that answers; 0 when nothing was recorded."""
        return self._contents.run

    @property
    def runs(self) -> tuple[Run, ...]:
        """All runs, oldest first."""
        return tuple(run for _, run in sorted(self._contents.runs.items()))

    @property
    def looks(self) -> int:
        """How many looks the run took."""
        return len(self._looks)

    @property
    def report(self) -> bytes | None:
        """The findings of the run as they were recorded, one JSON object."""
        return self._contents.reports.get(self.run)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What people wrote, in order."""
        return tuple(self._contents.notes)

    @property
    def problems(self) -> tuple[str, ...]:
        """What could not be read, one sentence each."""
        return tuple(self._contents.problems)

    @property
    def asked(self) -> tuple[tuple[int, Request], ...]:
        """What was asked in the run: look and request, in order."""
        told = self._contents.told.items()
        return tuple((self._looks.index(look) + 1, record.request) for (look, _), record in told)

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        """Yield what was recorded for this request in this look, or the gap *not recorded*."""
        is_taken = 1 <= look <= self.looks
        told = self._contents.told.get((self._looks[look - 1], question(request))) if is_taken else None
        if not isinstance(told, Answered) or not told.body:
            yield self._gap(told, request, look)
            return
        size = 0
        for piece in self._pieces(told):
            if isinstance(piece, Gap):
                yield replace(piece, command=told.command, node=request.node, taken_at=told.taken_at)
                return
            size += len(piece)
            yield piece
        if told.is_given_up:
            why = f"given up after {size} bytes, before it ended"
            yield Gap(GapKind.NOT_RECORDED, why, told.command, "", request.node, told.taken_at)
            return
        yield End(
            told.command,
            told.where,
            told.taken_at,
            told.seconds,
            told.exit_code,
            told.stderr,
            told.is_truncated,
        )

    async def pause(self, seconds: float) -> None:
        """Do nothing: the second look was taken long ago."""

    async def close(self) -> None:
        """Close the file of answers."""
        if self._file:
            self._file.close()

    def _gap(self, told: Answered | Missed | None, request: Request, look: int) -> Gap:
        if isinstance(told, Missed):
            return Gap(told.kind, told.detail, told.command, told.remedy, told.node, told.taken_at)
        if told:
            why = told.not_kept or "the answer was not kept"
            return Gap(GapKind.NOT_RECORDED, why, told.command, "", request.node, told.taken_at)
        if 1 <= look <= self.looks:
            why = "not asked when this was recorded"
        else:
            why = ONE_LOOK if self.looks == 1 else f"{self.looks} looks"
        remedy = "record again with this version, or run the command on the cluster"
        return Gap(GapKind.NOT_RECORDED, why, request.command(self.kubectl), remedy, request.node)

    def _pieces(self, told: Answered) -> Iterator[bytes | Gap]:
        body = self._contents.bodies.get(told.body)
        if body is None or self._file is None:
            yield Gap(GapKind.NOT_RECORDED, "the answer itself is missing from the recording")
            return
        stream = pieces(self._file, body)
        yield from paged(stream, told.pages) if told.pages else stream

    def _open_bodies(self, folder: Path) -> BinaryIO | None:
        try:
            return open_plain(folder, BODIES)
        except FileNotFoundError:
            if self._contents.bodies:
                self._contents.problems.append(f"{BODIES} is missing: no answer can be shown")
            return None
        except OSError as error:
            reason = error.strerror or str(error)
            remedy = "it must be a plain file that you can read"
            raise UnreadableJournal(
                f"its answers cannot be read ({reason})", str(folder / BODIES), remedy
            ) from error
