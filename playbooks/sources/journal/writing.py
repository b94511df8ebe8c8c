"""A session's journal as it is written, by a thread of its own so that nobody waits for the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Thread

import msgspec

from playbooks.model.text import Text
from playbooks.sources.journal.bodies import Pressing
from playbooks.sources.journal.contents import Contents, read_contents
from playbooks.sources.journal.ledger import JOURNAL_LIMIT, Ledger
from playbooks.sources.journal.mailbox import Mailbox, Work
from playbooks.sources.journal.record import (
    BODIES,
    RECORDS,
    SCHEMA,
    Answered,
    Note,
    Record,
    Reported,
    RunBegan,
    RunEnded,
    Session,
)
from playbooks.sources.journal.trouble import UnreadableJournal, UnwritableJournal

PATIENCE = 20.0
"""Seconds that a disk may take before the recording is given up."""

Clock = Callable[[], datetime]
"""Tells the time, UTC."""


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class About:
    """What a journal's header says."""

    cluster: str
    """The cluster's name."""
    product: str
    """Version of this program."""
    author: str
    """Who records."""
    kubectl: str = "kubectl"
    """What commands begin with."""


class Journal:
    """A session's record: answers, gaps, findings and notes, appended and never changed.

    When the disk fails, recording stops for good: `stopped` says why in one sentence and `on_stop` is told,
    in whichever thread noticed. Whoever is recorded never notices.
    """

    def __init__(self, ledger: Ledger, about: About, runs: int = 0, clock: Clock = _clock) -> None:
        """Record into a ledger whose header is written and which holds `runs` runs."""
        self.on_stop: Callable[[str], None] | None = None
        self._ledger, self._clock = ledger, clock
        self._author = Text(about.author).shown
        self._run, self._is_running = runs, False
        self._stopped = ""
        self._mailbox = Mailbox()
        self._thread = Thread(target=self._work, name="journal", daemon=True)
        self._thread.start()

    @classmethod
    def open(cls, folder: Path, about: About, clock: Clock = _clock, limit: int = JOURNAL_LIMIT) -> Journal:
        """Begin a recording in a new or empty folder, or go on with one. Raises `UnwritableJournal`."""
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _refuse_foreign(folder)
            ledger = Ledger.in_folder(folder, limit)
        except BlockingIOError as error:
            remedy = "close the other session or choose another folder"
            raise UnwritableJournal("another session records here", str(folder), remedy) from error
        except OSError as error:
            raise _unwritable(folder, error) from error
        try:
            runs = _begin(folder, ledger, about, clock)
        except (OSError, ValueError) as error:
            ledger.close()
            raise _unwritable(folder, error) from error
        except UnwritableJournal:
            ledger.close()
            raise
        return cls(ledger, about, runs, clock)

    @property
    def stopped(self) -> str:
        """Why recording has stopped, in one sentence; empty while it goes on."""
        return self._stopped

    @property
    def author(self) -> str:
        """Who records."""
        return self._author

    def current_run(self) -> int:
        """The run under way, begun if none is."""
        return self._run if self._is_running else self.begin_run()

    def now(self) -> datetime:
        """The time that goes into records."""
        return self._clock()

    def begin_run(self, what: str = "") -> int:
        """Begin a run and give its number; what passes from now on belongs to it."""
        self._run, self._is_running = self._run + 1, True
        self.send(self._ledger.begin_run)
        self.write(RunBegan(at=self.now(), by=self._author, run=self._run, what=what))
        return self._run

    def report(self, findings: bytes) -> None:
        """Add the findings of the run, one JSON object. Raises `msgspec.DecodeError` if it is not JSON."""
        on_one_line = msgspec.Raw(msgspec.json.format(findings, indent=-1))
        self.write(Reported(at=self.now(), by=self._author, run=self._run, report=on_one_line))

    def note(self, text: str) -> None:
        """Add what a person wrote."""
        self.write(Note(at=self.now(), by=self._author, text=text, run=self._run))

    async def end_run(self) -> None:
        """End the run, and wait until the disk has it."""
        if self._is_running:
            self._is_running = False
            self.write(RunEnded(at=self.now(), by=self._author, run=self._run))
        self.send(self._ledger.sync)
        if not await asyncio.to_thread(self._mailbox.wait_until_done, PATIENCE):
            self._stop("the disk does not take it")

    async def close(self) -> None:
        """End the run, and close the files."""
        await self.end_run()
        self._mailbox.close()
        await asyncio.to_thread(self._thread.join, 1.0 if self._stopped else PATIENCE)

    def keep(self, pressing: Pressing, answered: Answered) -> None:
        """Append an answer whose bytes have all been sent, later."""
        self.send(partial(self._keep, pressing, answered))

    def write(self, record: Record) -> None:
        """Append a record, later; any thread may call this."""
        self.send(partial(self._ledger.append, record))

    def send(self, work: Work, size: int = 0) -> None:
        """Have the journal's thread do something, in order; `size` bytes wait with it."""
        if not self._stopped:
            self._mailbox.put(work, size)

    async def make_room(self) -> None:
        """Wait while too much waits for the disk."""
        if self._mailbox.has_room or self._stopped:
            return
        if not await asyncio.to_thread(self._mailbox.wait_for_room, PATIENCE):
            self._stop("the disk does not take it")

    def _work(self) -> None:
        why = "an error in honeyguide itself"
        try:
            while work := self._mailbox.take():
                if not self._stopped:
                    self._do(work)
            self._ledger.close()
            why = ""
        except OSError as error:
            why = error.strerror or str(error)
        finally:
            # Whatever went wrong, senders must not wait for a thread that is gone.
            self._mailbox.close()
            if why:
                self._stop(why)

    def _do(self, work: Work) -> None:
        try:
            work()
        except OSError as error:
            self._stop(error.strerror or str(error))
        except ValueError as error:
            # A lone surrogate cannot be written as JSON; that costs the record, not the recording.
            self.note(f"a record could not be written: {error}")

    def _keep(self, pressing: Pressing, answered: Answered) -> None:
        body, why = self._ledger.keep(pressing, answered.at, answered.by)
        self._ledger.append(msgspec.structs.replace(answered, body=body, not_kept=why))

    def _stop(self, why: str) -> None:
        if self._stopped:
            return
        self._stopped = (
            f"recording stopped at {self.now():%H:%M:%S} UTC: {why}; what was recorded before is kept"
        )
        if self.on_stop:
            self.on_stop(self._stopped)


def _unwritable(folder: Path, error: OSError | ValueError) -> UnwritableJournal:
    reason = getattr(error, "strerror", None) or str(error)
    return UnwritableJournal(f"cannot record ({reason})", str(folder), "choose another folder with --record")


def _refuse_foreign(folder: Path) -> None:
    names = {entry.name for entry in folder.iterdir()}
    if names and RECORDS not in names:
        remedy = "choose a new or empty folder"
        raise UnwritableJournal("the folder holds something other than a recording", str(folder), remedy)


def _begin(folder: Path, ledger: Ledger, about: About, clock: Clock) -> int:
    """Write the header of a new journal, or prepare an old one; how many runs it holds."""
    if (folder / RECORDS).stat().st_size == 0:
        ledger.append(
            Session(
                at=clock(),
                by=Text(about.author).shown,
                schema=SCHEMA,
                cluster=about.cluster,
                product=about.product,
                kubectl=about.kubectl,
            )
        )
        return 0
    contents = _own(folder, about)
    if contents.is_torn:
        ledger.end_torn_line()
    size = (folder / BODIES).stat().st_size
    ledger.knows({name for name, body in contents.bodies.items() if body.offset + body.stored <= size})
    return max(contents.runs, default=0)


def _own(folder: Path, about: About) -> Contents:
    remedy = "choose a new or empty folder"
    try:
        contents = read_contents(folder)
    except UnreadableJournal as error:
        raise UnwritableJournal(error.what, error.where, remedy) from error
    if contents.session.cluster != about.cluster:
        what = f"the folder holds a recording of another cluster, {contents.session.cluster}"
        raise UnwritableJournal(what, str(folder), remedy)
    return contents
