"""A disk that fails, fills or hangs stops the recording, visibly, and never what is recorded."""

from __future__ import annotations

import errno
import io
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from threading import Event

import pytest

from playbooks.model.answer import End, Gap
from playbooks.model.request import ApiPath, Request
from playbooks.sources.journal import About, Journal, Recording, mailbox, writing
from playbooks.sources.journal.ledger import Ledger

NOW = datetime(2026, 11, 23, 1, 40, tzinfo=UTC)
ABOUT = About("prod-1", "0.1.0", "ada")
ASKED = ApiPath("/version")
TOLD: list[bytes | End | Gap] = [b"one\n" * 50, b"two\n" * 50, End("c", "w", NOW, 0.1)]


class Talker:
    """A source that gives the same answer to everything."""

    name, now = "prod-1", NOW

    async def open(self, request: Request, look: int) -> AsyncIterator[bytes | End | Gap]:
        for piece in TOLD:
            yield piece

    async def pause(self, seconds: float) -> None: ...

    async def close(self) -> None: ...


class FullDisk(io.BytesIO):
    """A file on a disk with room for so many bytes more."""

    def __init__(self, room: int) -> None:
        super().__init__()
        self.room = room

    def write(self, data: object) -> int:
        view = memoryview(data)[: self.room]  # type: ignore[arg-type]
        if not view:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= len(view)
        return super().write(view)

    def fileno(self) -> int:
        raise OSError(errno.EIO, "Input/output error")


class HangingDisk(io.BytesIO):
    """A file whose writes wait until somebody lets them go on."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = Event()

    def write(self, data: object) -> int:
        assert self.goes_on.wait(30)
        return super().write(data)  # type: ignore[arg-type]


async def ask(recording: Recording, look: int) -> None:
    assert [piece async for piece in recording.open(ASKED, look)] == TOLD


def journal_on(records: io.BytesIO, bodies: io.BytesIO) -> tuple[Journal, list[str]]:
    heard: list[str] = []
    journal = Journal(Ledger(records, bodies), ABOUT, clock=lambda: NOW)
    journal.on_stop = heard.append
    return journal, heard


@pytest.mark.parametrize(("records", "bodies"), [(400, 10**6), (10**6, 3)])
async def test_a_full_disk_stops_the_recording_with_a_sentence(records: int, bodies: int) -> None:
    journal, heard = journal_on(FullDisk(records), FullDisk(bodies))
    recording = Recording(Talker(), journal)
    for look in range(20):
        await ask(recording, look)
    await journal.close()
    assert heard == [journal.stopped]
    assert journal.stopped == (
        "recording stopped at 01:40:00 UTC: No space left on device; what was recorded before is kept"
    )


async def test_a_disk_that_loses_what_it_took_stops_the_recording_too() -> None:
    journal, heard = journal_on(FullDisk(10**6), FullDisk(10**6))
    await ask(Recording(Talker(), journal), 1)
    await journal.end_run()
    assert len(heard) == 1
    assert "Input/output error" in heard[0]
    await journal.close()


async def test_a_disk_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "ROOM", 100)
    monkeypatch.setattr(writing, "PATIENCE", 0.0)
    disk = HangingDisk()
    journal, heard = journal_on(disk, io.BytesIO())
    recording = Recording(Talker(), journal)
    for look in range(5):
        await ask(recording, look)
    assert len(heard) == 1
    assert "the disk does not take it" in heard[0]
    disk.goes_on.set()
    await journal.close()


async def test_a_slow_disk_slows_the_sender_instead_of_filling_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mailbox, "ROOM", 100)
    disk = HangingDisk()
    journal, _ = journal_on(disk, io.BytesIO())
    stream = Recording(Talker(), journal).open(ASKED, 1)
    waits: list[float] = []
    room = journal._mailbox.wait_for_room

    def wait(seconds: float) -> bool:
        waits.append(seconds)
        disk.goes_on.set()
        return room(seconds)

    monkeypatch.setattr(journal._mailbox, "wait_for_room", wait)
    assert [piece async for piece in stream] == TOLD
    assert waits
    assert not journal.stopped
    monkeypatch.setattr(journal._ledger, "sync", lambda: None)
    await journal.close()
